# Two debts of one person keep one pace: a reminder of the one went out at ten, so at noon nothing is said of the other.
# Its next step, a day later, speaks.
borrower b1 zh-CN Asia/Shanghai CN email=liu@borrowers.example sms=+447700900001
2026-03-01 08:00  account  a1 b1 CNY jiebei_like mandate 8821
2026-03-01 08:00  account  a2 b1 CNY jiebei_like
2026-03-04 08:00  bill     o1 b1 CNY 100.00 due 2026-03-06 account a1
2026-03-04 08:00  bill     o2 b1 CNY 200.00 due 2026-03-09 account a2
2026-03-05 10:00  contact  o1 step T-1 sms
2026-03-06 10:00  contact  o2 step T-3 sms
2026-03-06 12:00  debit    f1 o1 CNY 100.00 failed because insufficient_funds
2026-03-06 12:01  silence  o1 because too_soon
2026-03-07 10:00  contact  o1 step T+1 sms
2026-03-07 12:00  pay      p1 o1 CNY 100.00
2026-03-07 12:00  pay      p2 o2 CNY 200.00
