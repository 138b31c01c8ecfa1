# A part is paid: the reminders go on with what is left. The rest is paid: silence. The bank takes it back: the arrears
# and the reminders return, but no step is repeated: the one that fell due while the bill was paid says so.
borrower b1 zh-CN Asia/Shanghai CN email=zhao@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 1200.00 due 2026-03-09
2026-03-06 10:00  contact  o1 step D-3 email amount 1200.00
2026-03-07 09:00  pay      p1 o1 CNY 200.00
2026-03-08 10:00  contact  o1 step D-1 email amount 1000.00
2026-03-09 09:59  pay      p2 o1 CNY 1000.00
2026-03-09 10:00  silence  o1 because paid
2026-03-11 15:00  reverse  p2
2026-03-11 15:00  silence  o1 step D+1 because paid
2026-03-12 10:00  contact  o1 step D+3 email amount 1000.00
2026-03-12 10:30  pay      p3 o1 CNY 1000.00
2026-05-01 10:00  silence  o1 because paid
