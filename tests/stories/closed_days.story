# Contact on working days only. The Qingming holiday of 2026 lasts from Saturday to Monday: what falls into it moves to the
# day after it, and of three steps that meet there one speaks, the last. The platform is down on a Friday and comes back on
# Saturday: a closed day is waited for where there is time for it, else the step is missed because of it.
treatment weekends.toml
borrower b1 zh-CN Asia/Shanghai CN email=qingming@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=overdue@borrowers.example
borrower b3 zh-CN Asia/Shanghai CN email=due@borrowers.example
2026-03-25 08:00  bill     o1 b1 CNY 100.00 due 2026-04-07
2026-04-07 10:00  contact  o1 step T0 email
2026-04-07 10:00  silence  o1 step T-3 because merged_into_next
2026-04-07 12:00  pay      p1 o1 CNY 100.00
2026-04-14 11:00  bill     o2 b2 CNY 100.00 due 2026-04-14
2026-04-15 11:00  bill     o3 b3 CNY 100.00 due 2026-04-18
2026-04-17 09:00  outage   until 2026-04-18 09:00
2026-04-18 09:00  silence  o2 step T+3 because closed_day
2026-04-18 09:00  silence  o3 step T-1 because closed_day
2026-04-20 08:00  contact  o2 step T+3 email
2026-04-20 10:00  silence  o3 step T0 because closed_day
2026-04-20 12:00  pay      p2 o2 CNY 100.00
2026-04-20 12:00  pay      p3 o3 CNY 100.00
