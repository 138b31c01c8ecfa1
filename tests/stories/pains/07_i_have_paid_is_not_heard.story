# "I have paid", says the borrower, and the lender's books do not know it yet. The word is told as a transfer under way: from
# that second there is silence, also for what would have gone in the next one. b1 had paid: the payment is found two days
# later with its true date, so the reminder before it was false, though nobody could have known. b2 had not: the transfer is
# called failed, and the step speaks. b3 disputes that anything is owed: that stands until it is answered.
borrower b1 zh-CN Asia/Shanghai CN email=honest@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=mistaken@borrowers.example
borrower b3 zh-CN Asia/Shanghai CN email=disputes@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 300.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 300.00 due 2026-03-09
2026-03-01 08:00  bill     o3 b3 CNY 300.00 due 2026-03-09
2026-03-06 10:00  contact  o1 step D-3 email
2026-03-06 10:00  contact  o2 step D-3 email
2026-03-06 10:00  contact  o3 step D-3 email
2026-03-08 09:59:59  transfer f1 o1 CNY 300.00 pending by 2026-03-09 09:00
2026-03-08 09:59:59  transfer f2 o2 CNY 300.00 pending by 2026-03-09 09:00
2026-03-08 09:59:59  hold     h3 b3 dispute obligation o3
2026-03-08 10:00  silence  o1 because money_in_flight
2026-03-08 10:00  silence  o2 because money_in_flight
2026-03-08 10:00  silence  o3 because hold_dispute
2026-03-08 15:00  transfer f2 o2 CNY 300.00 failed because not_found
2026-03-08 15:00  contact  o2 step D-1 email amount 300.00
2026-03-08 16:00  pay      p1 o1 CNY 300.00 on 2026-03-05 12:00
2026-03-09 10:00  contact  o2 step D0 email
2026-03-09 10:00  silence  o1 because paid
2026-03-09 10:00  silence  o3 step D-1 because hold_dispute
2026-03-09 12:00  pay      p2 o2 CNY 300.00
2026-03-20 12:00  pay      p3 o3 CNY 300.00
