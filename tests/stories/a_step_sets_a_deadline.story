# A demand sets a new payment deadline of fourteen days from the day on which it really went out, and says so. The next step
# counts from that deadline; days past due go on counting from the due date.
treatment new_deadline.toml
borrower b1 en Asia/Shanghai CN email=ole@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-12 09:00  outage   until 2026-03-13 11:00
2026-03-13 11:00  contact  o1 step first email
2026-03-13 11:00  text     o1 contains "Please pay by 27 March 2026"
2026-03-27 18:00  silence  o1 because delivered
2026-03-27 18:00  dpd      o1 18 phase overdue
2026-03-28 10:00  contact  o1 step second email
2026-03-28 10:00  text     o1 contains "passed 19 days ago"
2026-03-28 10:00  text     o1 lacks "Please pay by"
2026-03-28 12:00  pay      p1 o1 CNY 100.00
