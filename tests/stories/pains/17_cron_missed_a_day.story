# A day without sweeps, on a different day for each borrower. Each look of it is decided once afterwards, in order, as its
# step says. b1 loses the day of T-3, which may be late: it is sent the next morning, before T-2, and never after it. b2 loses
# that of T-2, which is merged: T-1 speaks for it. b3 loses that of T-1, which is missed: the day before is no day to speak of
# tomorrow. b4 loses three days: T-3 and T-2 and T-1 are over, each for its own reason, and the first word is T0, not a
# second reminder that had no first. b5 pays in the lost day: nothing is sent, and that is why.
treatment 17_lost_day.toml
borrower b1 zh-CN Asia/Shanghai CN email=one@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-06 00:01  outage   until 2026-03-07 09:00
2026-03-07 09:00  contact  o1 step T-3 email
2026-03-07 10:00  contact  o1 step T-2 email
2026-03-08 10:00  contact  o1 step T-1 email
2026-03-08 12:00  pay      p1 o1 CNY 100.00
borrower b2 zh-CN Asia/Shanghai CN email=two@borrowers.example
2026-04-01 08:00  bill     o2 b2 CNY 100.00 due 2026-04-09
2026-04-06 10:00  contact  o2 step T-3 email
2026-04-07 00:01  outage   until 2026-04-08 09:30
2026-04-08 09:30  silence  o2 step T-2 because merged_into_next
2026-04-08 10:00  contact  o2 step T-1 email
2026-04-08 12:00  pay      p2 o2 CNY 100.00
borrower b3 zh-CN Asia/Shanghai CN email=three@borrowers.example
2026-05-01 08:00  bill     o3 b3 CNY 100.00 due 2026-05-09
2026-05-06 10:00  contact  o3 step T-3 email
2026-05-07 10:00  contact  o3 step T-2 email
2026-05-08 00:01  outage   until 2026-05-09 00:00
2026-05-09 00:00  silence  o3 step T-1 because catch_up_exceeded
2026-05-09 10:00  contact  o3 step T0 email
2026-05-09 12:00  pay      p3 o3 CNY 100.00
borrower b4 zh-CN Asia/Shanghai CN email=four@borrowers.example
2026-06-01 08:00  bill     o4 b4 CNY 100.00 due 2026-06-09
2026-06-06 00:01  outage   until 2026-06-09 10:00
2026-06-09 10:00  contact  o4 step T0 email
2026-06-09 10:00  silence  o4 step T-3 because merged_into_next
2026-06-09 10:00  silence  o4 step T-2 because merged_into_next
2026-06-09 10:00  silence  o4 step T-1 because catch_up_exceeded
2026-06-09 12:00  pay      p4 o4 CNY 100.00
borrower b5 zh-CN Asia/Shanghai CN email=five@borrowers.example
2026-07-01 08:00  bill     o5 b5 CNY 100.00 due 2026-07-09
2026-07-06 00:01  outage   until 2026-07-07 09:00
2026-07-06 15:00  pay      p5 o5 CNY 100.00
2026-07-07 09:00  silence  o5 step T-3 because paid
2026-08-01 10:00  silence  o5 because paid
