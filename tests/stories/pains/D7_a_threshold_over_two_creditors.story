# Two bills of 60 with two lenders, and a third in another currency: together far above the threshold of 100, each below it.
# Nobody is reminded because of what is owed to somebody else.
treatment D6_thresholds.toml
borrower b1 en Asia/Shanghai CN email=li@borrowers.example
2026-03-01 08:00  account  a1 b1 CNY loan creditor "Bank A"
2026-03-01 08:00  account  a2 b1 CNY loan creditor "Bank B"
2026-03-01 08:00  account  a3 b1 GBP loan creditor "Bank B"
2026-03-01 08:00  account  a4 b1 GBP loan creditor "Bank B"
2026-03-01 08:00  bill     o1 b1 CNY 60.00 due 2026-03-09 account a1
2026-03-01 08:00  bill     o2 b1 CNY 60.00 due 2026-03-09 account a2
2026-03-01 08:00  bill     o3 b1 GBP 60.00 due 2026-03-09 account a3
2026-03-01 08:00  bill     o4 b1 GBP 100.00 due 2026-03-09 account a4
2026-03-08 10:00  contact  o4 step T-1 email amount 100.00
2026-03-08 10:00  text     o4 lacks "60.00"
2026-03-08 10:00  silence  o1 step T-1 because condition_not_met
2026-03-08 10:00  silence  o2 step T-1 because condition_not_met
2026-03-08 10:00  silence  o3 step T-1 because condition_not_met
2026-03-08 12:00  pay      p4 o4 GBP 100.00
2026-03-10 10:00  silence  o1 step T+1 because condition_not_met
2026-03-10 10:00  silence  o2 step T+1 because condition_not_met
2026-03-10 10:00  silence  o3 step T+1 because condition_not_met
