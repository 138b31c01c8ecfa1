# A product that counts money on principal before late interest. Ten days late the bill is paid, and not what being late has
# cost: that is still one open obligation with its own steps, and they name what is left and nothing else. Late interest has
# no due date of its own, so nothing is past due any more. It is paid to the fen, and then there is silence.
borrower b1 en Asia/Shanghai CN email=late@borrowers.example
2026-03-01 08:00  account  a1 b1 CNY jiebei_like_adds rate 0.0004
2026-03-05 12:00  bill     o1 b1 CNY 1000.00 due 2026-03-06 account a1
2026-03-06 10:00  contact  o1 step T0 email
2026-03-09 10:00  silence  o1 step T+3 because in_grace
2026-03-13 10:00  contact  o1 step T+7 email amount 1003.00
2026-03-16 12:00  dpd      o1 10 bucket M1 phase overdue
2026-03-16 12:00  owed     o1 CNY 1006.01
2026-03-16 12:00  pay      p1 o1 CNY 1000.00
2026-03-16 12:00  answered stored
2026-03-16 12:00  owed     o1 CNY 6.01
2026-03-16 12:00  dpd      o1 0 phase settled
2026-03-21 10:00  contact  o1 step T+15 email amount 6.04
2026-03-21 10:00  text     o1 lacks "1,000"
2026-03-22 12:00  owed     o1 CNY 6.05
2026-03-22 12:00  pay      p2 o1 CNY 6.05
2026-03-22 12:00  owed     o1 CNY 0.00
2026-04-06 10:00  silence  o1 because paid
