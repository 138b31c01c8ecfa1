# No answer from the provider. b1's message was lost: after 15 minutes without evidence a courtesy reminder gets one more
# attempt. b2's message had arrived: the provider's report settles it, and there is no second one. b3's answers never come:
# after the one more attempt the contact is held, in plain sight. b4 is overdue: counted by law, so held at once.
borrower b1 zh-CN Asia/Shanghai CN email=timeout-lost@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=timeout-accepted@borrowers.example
borrower b3 zh-CN Asia/Shanghai CN email=timeout-silent@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 70.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 71.00 due 2026-03-09
2026-03-01 08:00  bill     o3 b3 CNY 72.00 due 2026-03-09
2026-03-06 10:00  contact  o2 step D-3 email
2026-03-06 10:00  state    o1 step D-3 UNKNOWN because provider_timeout
2026-03-06 10:00  state    o2 step D-3 DELIVERED because delivered
2026-03-06 10:15  contact  o1 step D-3 email
2026-03-06 10:15  silence  o1 because one_more_attempt
2026-03-06 10:15  state    o3 step D-3 UNKNOWN because provider_timeout
2026-03-06 10:31  state    o3 step D-3 UNKNOWN because held_unknown
2026-03-06 12:00  pay      p1 o1 CNY 70.00
2026-03-06 12:00  pay      p2 o2 CNY 71.00
2026-03-06 12:00  pay      p3 o3 CNY 72.00
2026-03-07 08:00  bill     o4 b3 CNY 73.00 due 2026-03-07
2026-03-07 10:00  state    o4 step D0 UNKNOWN because provider_timeout
2026-03-08 10:00  state    o4 step D+1 UNKNOWN because provider_timeout
2026-03-08 10:20  state    o4 step D+1 UNKNOWN because held_unknown
