# Days past due are counted from the due date: none before it and none on it, however long ago the bill was issued; one on the
# day after. That day is the product's own: at half past midnight in Shanghai it is still the due day for who is in London,
# where the bill is of no product with a zone.
borrower b1 zh-CN Asia/Shanghai CN email=li@borrowers.example
borrower b2 en Europe/London GB email=smith@borrowers.example
2026-01-05 08:00  account  a1 b1 CNY single_payment
2026-01-05 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09 account a1
2026-01-05 08:00  bill     o2 b2 GBP 100.00 due 2026-03-09
2026-02-20 10:00  dpd      o1 0 bucket M0
2026-03-06 10:00  contact  o1 step D-3 email
2026-03-06 18:00  contact  o2 step D-3 email
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-08 10:00  dpd      o1 0 bucket M0
2026-03-08 18:00  contact  o2 step D-1 email
2026-03-09 00:30  dpd      o1 0 bucket M0
2026-03-09 10:00  contact  o1 step D0 email
2026-03-09 18:00  contact  o2 step D0 email
2026-03-09 23:59  dpd      o1 0 bucket M0
2026-03-10 00:30  dpd      o1 1 bucket M1
2026-03-10 00:30  dpd      o2 0 bucket M0
2026-03-10 08:00  dpd      o2 1 bucket M1
2026-03-10 08:01  pay      p1 o1 CNY 100.00
2026-03-10 08:01  pay      p2 o2 GBP 100.00
2026-03-10 08:01  dpd      o1 0 on 2026-03-09
