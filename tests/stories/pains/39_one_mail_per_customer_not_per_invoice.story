# Three debts of one person on one day, of two products and two creditors: one contact, in which each amount stands beside its
# creditor. For the pace it is one contact as well: a day later the three are spoken of together again, and the failed debit
# of one of them, nineteen hours after that, waits for the hour at which a single contact would have let it go.
borrower b1 en Asia/Shanghai CN email=wang@borrowers.example
2026-03-06 08:00  account  a1 b1 CNY huabei_like creditor "Bank A"
2026-03-06 08:00  account  a2 b1 CNY huabei_like creditor "Bank B"
2026-03-06 08:00  account  a3 b1 CNY jiebei_like creditor "Bank A"
2026-03-08 11:00  bill     o1 b1 CNY 100.00 due 2026-03-11 account a1
2026-03-08 11:00  bill     o2 b1 CNY 200.00 due 2026-03-11 account a2
2026-03-08 11:00  bill     o3 b1 CNY 300.00 due 2026-03-11 account a3
2026-03-09 10:00  contact  o1 step bill email with o2
2026-03-10 10:00  contact  o1 step T-1 email with o2 o3
2026-03-10 10:00  text     o3 contains "- Bank A: CNY 100.00 (due 11 March 2026)"
2026-03-10 10:00  text     o3 contains "- Bank B: CNY 200.00 (due 11 March 2026)"
2026-03-10 10:00  text     o3 contains "- Bank A: CNY 300.00 (due 11 March 2026)"
2026-03-10 10:00  text     o3 lacks "600.00"
2026-03-10 10:00  silence  o2 step T-1 because in_digest
2026-03-11 10:00  contact  o1 step T0 email with o2 o3
2026-03-11 12:00  debit    f1 o1 CNY 100.00 failed because insufficient_funds
2026-03-11 12:00  silence  o1 step debit~2026-03-11 because too_soon
2026-03-11 18:00  pay      p1 o1 CNY 100.00
2026-03-11 18:00  pay      p2 o2 CNY 200.00
2026-03-11 18:00  pay      p3 o3 CNY 300.00
