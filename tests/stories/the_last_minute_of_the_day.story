# The platform comes back at 21:59. What were sent now might still be on its way when the window closes at 22:00: the last
# ninety seconds count as night, and the reminder goes out in the morning.
borrower b1 zh-CN Asia/Shanghai CN email=he@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 64.00 due 2026-03-09
2026-03-06 09:00  outage   until 2026-03-06 21:59
2026-03-06 21:59  silence  o1 because quiet_hours
2026-03-07 07:59  silence  o1 because quiet_hours
2026-03-07 08:00  contact  o1 step D-3 email
2026-03-07 09:00  pay      p1 o1 CNY 64.00
