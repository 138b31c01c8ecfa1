# The preferred hour is six in the morning. In China contact is allowed from eight: every step waits those two hours and
# goes, also one that may not be late, because the law's morning is not lateness. One day the first sweep runs at eleven: what
# may be sent late is. In New York six in the morning is six in the morning, and the window opens at nine.
treatment 18_early_bird.toml
borrower b1 zh-CN Asia/Shanghai CN email=early@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-06 06:00  silence  o1 because quiet_hours
2026-03-06 08:00  contact  o1 step T-3 email
2026-03-07 06:00  silence  o1 because quiet_hours
2026-03-07 08:00  contact  o1 step T-2 email
2026-03-08 06:00  silence  o1 because quiet_hours
2026-03-08 08:00  contact  o1 step T-1 email
2026-03-09 05:00  outage   until 2026-03-09 11:00
2026-03-09 11:00  contact  o1 step T0 email
2026-03-09 12:00  pay      p1 o1 CNY 100.00
# Late is still late: where the platform itself sleeps until noon, what may not be late is merged, or missed.
2026-04-01 08:00  bill     o2 b1 CNY 100.00 due 2026-04-09
2026-04-06 08:00  contact  o2 step T-3 email
2026-04-07 05:00  outage   until 2026-04-07 12:00
2026-04-07 12:00  silence  o2 step T-2 because merged_into_next
2026-04-08 05:00  outage   until 2026-04-08 12:00
2026-04-08 12:00  silence  o2 step T-1 because catch_up_exceeded
2026-04-08 13:00  pay      p2 o2 CNY 100.00
