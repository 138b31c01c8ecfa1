# The platform was down from before the reminder was due until the night. It comes back at 23:00: nothing is sent at night,
# the reminder goes out when the window opens at 08:00, inside its 24 hours.
borrower b1 zh-CN Asia/Shanghai CN email=sun@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 88.00 due 2026-03-09
2026-03-06 09:00  outage   until 2026-03-06 23:00
2026-03-06 23:00  silence  o1 because quiet_hours
2026-03-07 07:59  silence  o1 because quiet_hours
2026-03-07 08:00  contact  o1 step D-3 email
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-08 10:01  pay      p1 o1 CNY 88.00
2026-03-09 10:00  silence  o1 because paid
