# The lender tells of a bill two days before it is due: the step of three days before is not due, as the bill had not been
# issued. Another bill was issued in time and is told only now: its first step is missed, because it was planned too late.
borrower b1 zh-CN Asia/Shanghai CN email=wu@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=feng@borrowers.example
2026-03-07 10:30  bill     o1 b1 CNY 500.00 due 2026-03-09
2026-03-07 10:30  silence  o1 because not_yet
2026-03-07 10:30  bill     o2 b2 CNY 600.00 due 2026-03-09 issued 2026-03-01
2026-03-07 10:30  silence  o2 because planned_after_window
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-08 10:00  contact  o2 step D-1 email
2026-03-08 20:00  pay      p1 o1 CNY 500.00
2026-03-08 20:00  pay      p2 o2 CNY 600.00
