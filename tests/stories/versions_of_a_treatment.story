# A treatment gets a new version that holds from 8 March on. What comes due before stays with the old one, its words
# included, also where the provider was busy, and so is what an unknown outcome leads to: b3's demand is held, as the law
# counts it. What comes due from then on follows the new version, in the middle of a bill.
treatment version_one.toml version_two.toml
borrower b1 en Asia/Shanghai CN email=busy@borrowers.example
borrower b2 en Asia/Shanghai CN email=next@borrowers.example
borrower b3 en Asia/Shanghai CN email=timeout-silent@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-10
2026-03-01 08:00  bill     o2 b2 CNY 100.00 due 2026-03-12
2026-03-01 08:00  bill     o3 b3 CNY 100.00 due 2026-02-28 issued 2026-02-01
2026-03-07 10:00  state    o1 step T-3 READY because provider_busy
2026-03-07 10:10  contact  o1 step T-3 email
2026-03-07 10:10  text     o1 contains "A payment of yours is due on"
2026-03-07 10:20  state    o3 step T+7 UNKNOWN because held_unknown
2026-03-09 11:00  contact  o2 step T-3 email
2026-03-09 11:00  text     o2 contains "your statement is ready"
2026-03-09 12:00  pay      p2 o2 CNY 100.00
2026-03-10 09:10  contact  o1 step T0 email
2026-03-17 10:10  contact  o1 step T+7 email
2026-03-17 10:10  text     o1 contains "has not reached us"
2026-03-17 12:00  pay      p1 o1 CNY 100.00
