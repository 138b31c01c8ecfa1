# Three bills of one person fall due together, and one of them is disputed. One contact names the other two; they keep their
# steps, and the disputed one keeps its own silence. When the dispute is answered it is spoken of again.
borrower b1 en Asia/Shanghai CN email=zhang@borrowers.example
2026-03-05 08:00  account  a1 b1 CNY huabei_like creditor "Bank A"
2026-03-05 08:00  account  a2 b1 CNY huabei_like creditor "Bank B"
2026-03-05 08:00  account  a3 b1 CNY huabei_like creditor "Bank C"
2026-03-06 12:00  bill     o1 b1 CNY 100.00 due 2026-03-11 account a1
2026-03-06 12:00  bill     o2 b1 CNY 200.00 due 2026-03-11 account a2
2026-03-06 12:00  bill     o3 b1 CNY 300.00 due 2026-03-11 account a3
2026-03-07 09:00  hold     h1 b1 dispute obligation o1
2026-03-07 10:00  contact  o2 step bill email with o3
2026-03-08 10:00  contact  o2 step T-3 email with o3
2026-03-08 10:00  text     o2 contains "Bank C: CNY 300.00"
2026-03-08 10:00  text     o2 lacks "Bank A"
2026-03-08 10:00  silence  o1 because hold_dispute
2026-03-10 10:00  contact  o2 step T-1 email with o3
2026-03-11 10:00  contact  o2 step T0 email with o3
2026-03-11 12:00  lift     h1
2026-03-12 10:00  contact  o1 step T+1 email with o2 o3
2026-03-12 10:00  text     o1 contains "Bank A: CNY 100.00"
2026-03-12 10:00  silence  o1 step T-3 because hold_dispute
2026-03-12 12:00  pay      p1 o1 CNY 100.00
2026-03-12 12:00  pay      p2 o2 CNY 200.00
2026-03-12 12:00  pay      p3 o3 CNY 300.00
