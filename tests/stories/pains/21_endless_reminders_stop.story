# A step that repeats goes on for as often as it says: whatever becomes of one occurrence, a hold, an outage, a lost answer of
# the provider, the next one is on the agenda. And it ends.
treatment 21_again_and_again.toml
borrower b1 zh-CN Asia/Shanghai CN email=zhou@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 500.00 due 2026-03-09
2026-03-08 10:00  contact  o1 step T-1 email
2026-03-16 10:00  contact  o1 step T+7 email
2026-03-20 10:00  hold     h1 b1 hardship until 2026-03-28 00:00
2026-03-24 10:00  silence  o1 step T+7.2 because hold_hardship
2026-03-30 10:00  contact  o1 step T+7.3 email
2026-04-06 09:00  outage   until 2026-04-08 09:00
2026-04-08 09:00  silence  o1 step T+7.4 because catch_up_exceeded
2026-04-13 10:00  contact  o1 step T+7.5 email
2026-04-15 10:00  pay      p1 o1 CNY 500.00
2026-04-20 10:00  silence  o1 because paid
2026-04-22 10:00  reverse  p1
2026-04-22 10:00  silence  o1 step T+7.6 because paid
2026-04-27 10:00  contact  o1 step T+7.7 email
2026-05-04 10:00  contact  o1 step T+7.8 email
2026-12-31 10:00  silence  o1 because delivered
