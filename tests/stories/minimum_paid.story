# The minimum payment keeps a pay-later account out of arrears: before and on the due day the rest is still reminded of,
# after it there is nothing overdue to speak of.
borrower b1 zh-CN Asia/Shanghai CN email=qian@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 3000.00 due 2026-03-09 minimum 300.00
2026-03-06 10:00  contact  o1 step D-3 email amount 3000.00
2026-03-07 12:00  pay      p1 o1 CNY 300.00
2026-03-08 10:00  contact  o1 step D-1 email amount 2700.00
2026-03-09 10:00  contact  o1 step D0 email amount 2700.00
2026-03-10 10:00  silence  o1 because minimum_paid
2026-03-16 10:00  silence  o1 because minimum_paid
