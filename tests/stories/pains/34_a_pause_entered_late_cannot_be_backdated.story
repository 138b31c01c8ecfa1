# A family in hardship told its lender on 12 March; the platform hears of it on the 17th, after a demand has gone. The hold
# begins when it began: days past due are counted anew for today and for the days gone by, late interest of those days is
# gone too, and no further demand goes before the hold ends. Which messages went out inside it is in test_pains_b.
borrower b1 en Asia/Shanghai CN email=family@borrowers.example
2026-01-01 08:00  account  a1 b1 CNY education rate 0.0004
2026-02-26 12:00  bill     o1 b1 CNY 1000.00 due 2026-02-28 account a1
2026-02-27 10:00  contact  o1 step D-1 email
2026-02-28 10:00  contact  o1 step D0 email
2026-03-07 10:00  silence  o1 step D+7 because in_grace
2026-03-15 10:00  contact  o1 step D+15 email amount 1002.08
2026-03-17 12:00  dpd      o1 17 bucket M1 phase overdue
2026-03-17 12:00  dpd      o1 14 phase overdue on 2026-03-14
2026-03-17 12:00  owed     o1 CNY 1003.12
2026-03-17 12:00  hold     h1 b1 hardship from 2026-03-12 00:00 until 2026-04-10 00:00 obligation o1 owner u7
2026-03-17 12:00  answered stored
2026-03-17 12:00  dpd      o1 11 bucket M1 phase overdue
2026-03-17 12:00  dpd      o1 11 phase overdue on 2026-03-11
2026-03-17 12:00  dpd      o1 11 phase overdue on 2026-03-14
2026-03-17 12:00  owed     o1 CNY 1000.52
2026-03-30 10:00  silence  o1 because hold_hardship
2026-03-30 10:00  dpd      o1 11 phase overdue
2026-04-12 12:00  dpd      o1 14 phase overdue
2026-04-12 12:00  owed     o1 CNY 1001.56
# What it asks for is what settles it, by the same count of days.
2026-04-12 12:00  pay      p1 o1 CNY 1001.56
2026-04-12 12:00  owed     o1 CNY 0.00
2026-04-12 12:00  silence  o1 because paid
