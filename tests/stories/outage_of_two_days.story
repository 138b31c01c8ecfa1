# Two days down: what is more than 24 hours late is recorded as missed, never sent as if nothing had happened.
borrower b1 zh-CN Asia/Shanghai CN email=zhou@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 500.00 due 2026-03-09
2026-03-06 09:00  outage   until 2026-03-07 10:00
2026-03-07 10:00  silence  o1 because catch_up_exceeded
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-09 08:00  pay      p1 o1 CNY 500.00
