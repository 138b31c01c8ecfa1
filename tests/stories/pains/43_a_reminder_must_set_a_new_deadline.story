# The first reminder gives fourteen days and names their end; the second comes the day after it and gives fourteen more, from
# its own day, and the last one counts from those. Days past due are counted from the first due date all the time. A borrower
# who is written to a day late has the whole fourteen days as well.
zone      Europe/Oslo
treatment 43_norway.toml
borrower b1 en Europe/Oslo NO email=hansen@borrowers.example
borrower b2 en Europe/Oslo NO email=olsen@borrowers.example
2026-03-07 12:00  bill     o1 b1 NOK 1000.00 due 2026-03-09
2026-03-08 10:00  contact  o1 step T-1 email
2026-03-08 10:00  text     o1 lacks "24 March"
2026-03-10 10:00  contact  o1 step reminder email
2026-03-10 10:00  text     o1 contains "Please pay by 24 March 2026."
2026-03-21 12:00  bill     o2 b2 NOK 1000.00 due 2026-03-23
2026-03-22 10:00  contact  o2 step T-1 email
2026-03-24 09:00  outage   until 2026-03-25 09:30
2026-03-25 09:30  contact  o2 step reminder email
2026-03-25 09:30  text     o2 contains "Please pay by 8 April 2026."
2026-03-25 10:00  contact  o1 step notice email
2026-03-25 10:00  text     o1 contains "Please pay by 8 April 2026."
2026-03-25 10:00  text     o1 lacks "24 March"
2026-03-25 10:00  dpd      o1 16 bucket M1 phase overdue
2026-04-09 09:00  pay      p2 o2 NOK 1000.00
2026-04-09 10:00  silence  o2 because paid
2026-04-11 10:00  contact  o1 step last email
2026-04-11 10:00  text     o1 lacks "8 April"
2026-04-11 10:00  dpd      o1 33 bucket M2 phase overdue
2026-04-11 12:00  pay      p1 o1 NOK 1000.00
