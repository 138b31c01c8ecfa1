# A payment names no bill: what the account owes is settled oldest first, and the rest waits as a part of the next. One more
# comes with a value date in the past, one is delivered twice, one before its account is known, and one is taken back; in
# whatever order that is heard, what is owed is the same, and no step is repeated.
borrower b1 zh-CN Asia/Shanghai CN email=he@borrowers.example
2026-03-01 08:00  account  a1 b1 CNY single_payment
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09 account a1
2026-03-01 08:00  bill     o2 b1 CNY 100.00 due 2026-04-09 account a1
2026-03-02 12:00  pay      p1 account a1 CNY 150.00
2026-03-02 12:00  again
2026-03-02 12:00  answered unchanged
2026-03-02 12:00  owed     o1 CNY 0.00
2026-03-02 12:00  owed     o2 CNY 50.00
2026-03-06 10:00  silence  o1 because paid
2026-03-20 09:00  reverse  p1
2026-03-20 09:00  owed     o1 CNY 100.00
2026-03-20 09:00  dpd      o1 11 bucket M1 phase overdue
2026-03-20 09:00  silence  o1 step D+7 because paid
2026-03-21 09:00  pay      p2 o1 CNY 100.00 on 2026-03-09 20:00
2026-03-21 09:00  dpd      o1 0 phase settled
2026-03-21 09:00  dpd      o1 0 phase settled on 2026-03-15
2026-03-22 09:00  pay      p9 o9 CNY 30.00 account a9
2026-03-22 10:00  account  a9 b1 CNY story
2026-03-22 10:00  bill     o9 b1 CNY 30.00 due 2026-04-01 account a9
2026-03-29 10:00  silence  o9 because paid
2026-04-06 10:00  contact  o2 step D-3 email amount 100.00
2026-04-06 12:00  credit   c1 o2 CNY 99.99
2026-04-08 10:00  contact  o2 step D-1 email amount 0.01
2026-04-08 12:00  pay      p3 o2 CNY 0.01
