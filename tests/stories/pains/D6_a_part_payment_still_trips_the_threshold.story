# A threshold sees what remains, not what was billed. b1 has paid all but 60 yuan of 1,000: nothing more is said, and that is
# why. b2 is one fen above and is told exactly that. b3's product forgives ten yuan, and nine are missing: it is paid, for
# the account as for every step. b1's payment comes back: the threshold is tripped again.
treatment D6_thresholds.toml
borrower b1 en Asia/Shanghai CN email=below@borrowers.example
borrower b2 en Asia/Shanghai CN email=above@borrowers.example
borrower b3 en Asia/Shanghai CN email=tolerated@borrowers.example
2026-03-01 08:00  account  a3 b3 CNY card_like
2026-03-01 08:00  bill     o1 b1 CNY 1000.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 1000.00 due 2026-03-09
2026-03-01 08:00  bill     o3 b3 CNY 1000.00 due 2026-03-09 account a3
2026-03-07 09:00  pay      p1 o1 CNY 940.00
2026-03-07 09:00  pay      p2 o2 CNY 899.99
2026-03-07 09:00  pay      p3 o3 CNY 991.00
2026-03-08 10:00  contact  o2 step T-1 email amount 100.01
2026-03-08 10:00  text     o2 contains "CNY 100.01"
2026-03-08 10:00  text     o2 lacks "1,000.00"
2026-03-08 10:00  silence  o1 step T-1 because condition_not_met
2026-03-08 10:00  silence  o3 because paid
2026-03-08 10:00  owed     o3 CNY 0.00
2026-03-09 12:00  pay      p2b o2 CNY 0.02
2026-03-09 18:00  reverse  p1
2026-03-10 10:00  contact  o1 step T+1 email amount 1000.00
2026-03-10 10:00  silence  o2 step T+1 because condition_not_met
2026-03-10 12:00  pay      p4 o1 CNY 1000.00
2026-03-10 12:00  pay      p5 o2 CNY 99.99
