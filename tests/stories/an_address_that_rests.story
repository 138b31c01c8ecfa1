# A mailbox that five borrowers share is full for all of them: after five bounces within two weeks it rests.
borrower b1 zh-CN Asia/Shanghai CN email=soft@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=soft@borrowers.example
borrower b3 zh-CN Asia/Shanghai CN email=soft@borrowers.example
borrower b4 zh-CN Asia/Shanghai CN email=soft@borrowers.example
borrower b5 zh-CN Asia/Shanghai CN email=soft@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 71.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 72.00 due 2026-03-09
2026-03-01 08:00  bill     o3 b3 CNY 73.00 due 2026-03-09
2026-03-01 08:00  bill     o4 b4 CNY 74.00 due 2026-03-09
2026-03-01 08:00  bill     o5 b5 CNY 75.00 due 2026-03-09
2026-03-06 10:00  contact  o1 step D-3 email
2026-03-06 10:00  contact  o2 step D-3 email
2026-03-06 10:00  contact  o3 step D-3 email
2026-03-06 10:00  contact  o4 step D-3 email
2026-03-06 10:00  contact  o5 step D-3 email
2026-03-08 10:00  silence  o1 because address_resting
