# Three bills of one person fall due on one day, on three accounts with two lenders of record: one contact names each with
# its creditor and its amount. One is paid before the next step, which then speaks of the other two.
borrower b1 en Asia/Shanghai CN email=zhang@borrowers.example
2026-03-05 08:00  account  a1 b1 CNY huabei_like creditor "Bank A"
2026-03-05 08:00  account  a2 b1 CNY huabei_like creditor "Bank B"
2026-03-05 08:00  account  a3 b1 CNY jiebei_like
2026-03-05 08:00  bill     o1 b1 CNY 100.00 due 2026-03-11 account a1
2026-03-05 08:00  bill     o2 b1 CNY 200.00 due 2026-03-11 account a2
2026-03-05 08:00  bill     o3 b1 CNY 300.00 due 2026-03-11 account a3
2026-03-06 10:00  contact  o1 step bill email with o2
2026-03-06 10:00  silence  o2 step bill because in_digest
2026-03-08 10:00  contact  o1 step T-3 email with o2 o3
2026-03-08 10:00  text     o3 contains "Bank A: CNY 100.00 (due 11 March 2026)"
2026-03-08 10:00  text     o3 contains "Bank B: CNY 200.00"
2026-03-08 10:00  text     o3 contains "Betimes Demo: CNY 300.00"
2026-03-09 12:00  pay      p1 o1 CNY 100.00
2026-03-10 10:00  contact  o2 step T-1 email with o3
2026-03-10 10:00  text     o2 lacks "Bank A"
2026-03-10 18:00  pay      p2 o2 CNY 200.00
2026-03-10 18:00  pay      p3 o3 CNY 300.00
