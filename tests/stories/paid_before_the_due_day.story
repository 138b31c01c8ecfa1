# A bill is paid the day before it is due: one reminder went out, and then there is silence.
borrower b1 zh-CN Asia/Shanghai CN email=li@borrowers.example sms=+447700900001
2026-03-01 08:00  bill     o1 b1 CNY 1200.00 due 2026-03-09
2026-03-05 12:00  silence  o1 because not_yet
2026-03-06 10:00  contact  o1 step D-3 email amount 1200.00
2026-03-06 10:00  state    o1 step D-3 DELIVERED because delivered
2026-03-08 08:10  pay      p1 o1 CNY 1200.00
2026-03-08 10:00  silence  o1 because paid
2026-03-09 10:00  silence  o1 because paid
2026-04-09 10:00  silence  o1 because paid
