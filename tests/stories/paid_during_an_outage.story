# The platform is down when a step comes due, and the money arrives before it is up again. Nothing is sent, and the step
# has its decision with the true reason. b2 is held back by the night and pays before the morning.
borrower b1 zh-CN Asia/Shanghai CN email=sun@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=qian@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 88.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 99.00 due 2026-03-09
2026-03-06 09:00  outage   until 2026-03-06 23:00
2026-03-06 11:00  pay      p1 o1 CNY 88.00
2026-03-06 23:00  silence  o1 because paid
2026-03-06 23:00  silence  o2 because quiet_hours
2026-03-07 07:00  pay      p2 o2 CNY 99.00
2026-03-07 08:00  silence  o2 because paid
2026-04-09 10:00  silence  o1 because paid
