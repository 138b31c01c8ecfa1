# 999 of 1,000 yuan arrive a second before each reminder goes. Where the product has no tolerance the text says what remains,
# and nothing else. A card forgives up to ten yuan, another product one: there is nothing left to say.
borrower b1 en Asia/Shanghai CN email=exact@borrowers.example
borrower b2 en Asia/Shanghai CN email=card@borrowers.example
borrower b3 en Asia/Shanghai CN email=patient@borrowers.example
2026-03-01 08:00  account  a1 b1 CNY single_payment
2026-03-01 08:00  account  a2 b2 CNY card_like
2026-03-01 08:00  account  a3 b3 CNY medical
2026-03-01 08:00  bill     o1 b1 CNY 1000.00 due 2026-03-09 account a1
2026-03-01 08:00  bill     o2 b2 CNY 1000.00 due 2026-03-09 account a2
2026-03-01 08:00  bill     o3 b3 CNY 1000.00 due 2026-03-09 account a3
2026-03-06 09:59:59  pay   p1 o1 CNY 999.00
2026-03-06 09:59:59  pay   p2 o2 CNY 989.99
2026-03-06 09:59:59  pay   p3 o3 CNY 999.00
2026-03-06 10:00  contact  o1 step D-3 email amount 1.00
2026-03-06 10:00  text     o1 contains "The amount still to pay is CNY 1.00."
2026-03-06 10:00  text     o1 lacks "1,000"
# A fen more than the card forgives is owed in full: the tolerance is no discount.
2026-03-06 10:00  contact  o2 step D-3 email amount 10.01
2026-03-06 10:00  silence  o3 because paid
2026-03-08 09:59:59  pay   p4 o2 CNY 0.01
2026-03-08 10:00  contact  o1 step D-1 email amount 1.00
2026-03-08 10:00  silence  o2 because paid
2026-03-08 10:00  owed     o2 CNY 0.00
2026-03-08 12:00  pay      p5 o1 CNY 1.00
