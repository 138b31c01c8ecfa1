# A book comes in with debts that are overdue already: nothing goes out until somebody has chosen the day from which on
# their steps may speak. A bill that is told in time is not concerned.
borrower b1 zh-CN Asia/Shanghai CN email=old@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=new@borrowers.example
2026-03-01 08:00  account  a1 b1 CNY huabei_like
2026-03-01 08:00  account  a2 b2 CNY huabei_like
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-02-20 issued 2026-02-01 account a1
2026-03-01 08:00  bill     o2 b2 CNY 200.00 due 2026-03-09 account a2
2026-03-01 08:00  silence  o1 because awaiting_entry
2026-03-02 10:00  contact  o2 step bill email
2026-03-05 09:00  entry    o1 2026-03-10
2026-03-05 09:00  dpd      o1 13 bucket M1 phase overdue
2026-03-06 10:00  contact  o2 step T-3 email
2026-03-06 12:00  pay      p2 o2 CNY 200.00
2026-03-07 10:00  silence  o1 step T+15 because before_entry
2026-03-22 10:00  contact  o1 step T+15.2 email
