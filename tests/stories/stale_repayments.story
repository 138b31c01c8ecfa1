# The lender's newest repayments are of the day before yesterday. A reminder before the due date does no harm; a demand
# waits until it is known who has paid, and is missed if that takes too long.
treatment freshness.toml
borrower b1 zh-CN Asia/Shanghai CN email=li@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=wang@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 200.00 due 2026-03-09
2026-03-06 20:00  feed     until 2026-03-06 18:00
2026-03-08 10:00  contact  o1 step T-1 email
2026-03-08 10:00  contact  o2 step T-1 email
2026-03-10 10:00  silence  o1 because stale_feed
2026-03-10 10:00  silence  o2 because stale_feed
# The file arrives with a payment of b1 from the day before.
2026-03-10 14:30  pay      p1 o1 CNY 100.00 on 2026-03-09 12:00
2026-03-10 14:30  feed     until 2026-03-10 12:00
2026-03-10 15:00  contact  o2 step T+1 email
2026-03-10 15:00  silence  o1 because paid
2026-03-13 10:00  silence  o2 step T+3 because stale_feed
