# The provider refuses for good: the step ends there. The provider is busy: the contact waits and is offered again.
borrower b1 zh-CN Asia/Shanghai CN email=refused@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=busy@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 70.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 71.00 due 2026-03-09
2026-03-06 10:00  state    o1 step D-3 REFUSED because provider_refused
2026-03-06 10:00  state    o2 step D-3 READY because provider_busy
2026-03-06 10:10  contact  o2 step D-3 email
2026-03-07 10:00  pay      p1 o1 CNY 70.00
2026-03-07 10:00  pay      p2 o2 CNY 71.00
