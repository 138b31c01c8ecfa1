# A late fee is told as the amendment of what is owed, and everything told carries its own id and number: the same fee told
# twice, at once or days later, by the same run or another, is one fee. A fee that is a debt of its own is one debt. Late
# interest is no event at all but follows from the days, so nothing that runs can add it a second time.
borrower b1 en Asia/Shanghai CN email=li@borrowers.example
borrower b2 en Asia/Shanghai CN email=wang@borrowers.example
2026-03-01 08:00  account  a2 b2 CNY jiebei_like rate 0.0004
2026-03-01 08:00  bill     o1 b1 CNY 1000.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 1000.00 due 2026-03-09 account a2
2026-03-06 10:00  contact  o1 step D-3 email amount 1000.00
2026-03-06 10:00  contact  o2 step T-3 email
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-08 10:00  contact  o2 step T-1 email
2026-03-09 10:00  contact  o1 step D0 email
2026-03-09 10:00  contact  o2 step T0 email
2026-03-10 00:05  amend    o1 revision 1 amount 1025.00 fee 25.00 due 2026-03-09
2026-03-10 00:05  again
2026-03-10 00:05  answered unchanged
2026-03-10 00:05  owed     o1 CNY 1025.00
2026-03-10 01:05  amend    o1 revision 1 amount 1050.00 fee 50.00 due 2026-03-09
2026-03-10 01:05  answered unchanged
2026-03-10 10:00  contact  o1 step D+1 email amount 1025.00
2026-03-10 10:00  text     o1 contains "CNY 1,025.00"
2026-03-10 10:00  contact  o2 step T+1 email amount 1000.00
2026-03-11 09:00  amend    o1 revision 1 amount 1025.00 fee 25.00 due 2026-03-09
2026-03-11 09:00  answered unchanged
2026-03-11 09:00  owed     o1 CNY 1025.00
2026-03-11 09:00  owed     o2 CNY 1000.60
2026-03-11 23:00  owed     o2 CNY 1000.60
2026-03-11 23:30  bill     fee1 b1 CNY 25.00 due 2026-03-20
2026-03-11 23:30  again
2026-03-11 23:30  answered unchanged
2026-03-11 23:40  pay      p1 o1 CNY 1025.00
2026-03-11 23:40  pay      p2 o2 CNY 1000.60
2026-03-11 23:40  owed     o2 CNY 0.00
2026-03-11 23:40  owed     fee1 CNY 25.00
2026-03-12 09:00  pay      p3 fee1 CNY 25.00
2026-05-01 10:00  silence  o1 because paid
2026-05-01 10:00  silence  o2 because paid
