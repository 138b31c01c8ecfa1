# What a tenant may spend in a day on a channel is used up: the other message waits, with nothing spent, for tomorrow.
budget   email 1
borrower b1 zh-CN Asia/Shanghai CN email=one@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=two@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 70.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 71.00 due 2026-03-09
2026-03-06 10:00  contact  o2 step D-3 email
2026-03-06 10:00  state    o1 step D-3 READY because budget_spent
2026-03-07 08:00  contact  o1 step D-3 email
2026-03-07 10:00  pay      p1 o1 CNY 70.00
2026-03-07 10:00  pay      p2 o2 CNY 71.00
