# A full mailbox is tried again at the next step. A complaint ends the channel.
borrower b1 zh-CN Asia/Shanghai CN email=soft@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=complaint@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 70.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 71.00 due 2026-03-09
2026-03-06 10:00  contact  o1 step D-3 email
2026-03-06 10:00  contact  o2 step D-3 email
2026-03-06 10:00  state    o1 step D-3 UNDELIVERED_SOFT because bounced_soft
2026-03-06 10:00  state    o2 step D-3 DELIVERED because delivered
2026-03-06 10:00  silence  o2 because complained
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-08 10:00  silence  o2 because contact_point_suppressed
