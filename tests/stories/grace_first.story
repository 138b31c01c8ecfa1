# Fifteen days of grace: the due date is over and days past due are counted, but nothing is treated as overdue, so no demand
# goes out. The day after grace has ended it is. The due date, a Sunday, has moved to Monday.
borrower b1 zh-CN Asia/Shanghai CN email=patient@borrowers.example
2026-03-01 08:00  account  a1 b1 CNY medical
2026-03-01 08:00  bill     o1 b1 CNY 600.00 due 2026-03-08 account a1
2026-03-06 10:00  contact  o1 step D-3 email
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-09 10:00  contact  o1 step D0 email
2026-03-09 10:00  dpd      o1 0 bucket M0 phase due_day
2026-03-10 10:00  silence  o1 because in_grace
2026-03-10 10:00  dpd      o1 1 bucket M1 phase grace
2026-03-24 10:00  silence  o1 step D+15 because in_grace
2026-03-24 10:00  dpd      o1 15 phase grace
2026-03-25 10:00  dpd      o1 16 phase overdue
2026-04-08 10:00  contact  o1 step D+30 email
2026-04-08 11:00  owed     o1 CNY 600.00
2026-04-08 11:00  pay      p1 o1 CNY 600.00
