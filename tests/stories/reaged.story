# An arrangement counts the age of two overdue debts from a day that lies ahead. Until that day is over nothing is late by
# their age, so the words of the days before are not said; once it is, the days that are named are those of the arrangement.
borrower b1 en Asia/Shanghai CN email=li@borrowers.example
2026-03-01 10:00  bill     o1 b1 CNY 100.00 due 2026-03-10
2026-03-07 10:00  contact  o1 step D-3 email
2026-03-09 10:00  contact  o1 step D-1 email
2026-03-10 10:00  contact  o1 step D0 email
2026-03-11 10:00  contact  o1 step D+1 email
2026-03-11 10:00  text     o1 contains "passed 1 day ago"
2026-03-11 12:00  amend    o1 revision 1 amount 100.00 due 2026-03-10 aged 2026-04-04
2026-03-13 10:00  silence  o1 because condition_not_met
2026-03-25 10:00  silence  o1 because condition_not_met
2026-03-25 10:00  dpd      o1 0 phase pre_due
2026-04-09 10:00  contact  o1 step D+30 email
2026-04-09 10:00  dpd      o1 5 phase overdue
2026-04-09 12:00  pay      p1 o1 CNY 100.00
