# What falls into a legal gap waits for the next allowed instant, and gaps may lie behind each other. The platform is down
# until half past nine on the evening before the Qingming holiday: the window closes, three closed days follow, and the
# reminder goes out at eight on the first morning that is both open and day.
treatment 23_no_gap.toml
borrower b1 zh-CN Asia/Shanghai CN email=qingming@borrowers.example
2026-03-25 08:00  bill     o1 b1 CNY 100.00 due 2026-04-09
2026-04-03 09:00  outage   until 2026-04-03 21:59
2026-04-03 21:59  silence  o1 because quiet_hours
2026-04-04 08:00  silence  o1 because closed_day
2026-04-05 12:00  silence  o1 because closed_day
2026-04-07 00:00  silence  o1 because quiet_hours
2026-04-07 07:59  silence  o1 because quiet_hours
2026-04-07 08:00  contact  o1 step T-6 email
2026-04-07 09:00  pay      p1 o1 CNY 100.00
2026-05-01 10:00  silence  o1 because paid
