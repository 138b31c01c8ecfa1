# Nobody is asked for money that the lender is about to give back. While a refund runs there is silence, and each step that
# falls into it says why. b1's refund goes through: the bill is gone. b2's fails: the step that still waited speaks at once,
# of the whole amount. b3's covers a part: what the steps speak of afterwards is the rest. b4 paid and has the payment taken
# back: as long as it is not known how that ends, and the platform is told so, there is silence too.
borrower b1 en Asia/Shanghai CN email=granted@borrowers.example
borrower b2 en Asia/Shanghai CN email=rejected@borrowers.example
borrower b3 en Asia/Shanghai CN email=part@borrowers.example
borrower b4 en Asia/Shanghai CN email=back@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 500.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 500.00 due 2026-03-09
2026-03-01 08:00  bill     o3 b3 CNY 500.00 due 2026-03-09
2026-03-01 08:00  bill     o4 b4 CNY 500.00 due 2026-03-09
2026-03-02 09:00  pay      p4 o4 CNY 500.00
2026-03-05 18:00  refund   f1 o1 CNY 500.00 pending by 2026-03-08 18:00
2026-03-05 18:00  refund   f2 o2 CNY 500.00 pending by 2026-03-08 18:00
2026-03-05 18:00  refund   f3 o3 CNY 120.00 pending by 2026-03-06 18:00
2026-03-05 18:00  refund   f4 o4 CNY 500.00 pending by 2026-03-08 18:00
2026-03-05 19:00  reverse  p4
2026-03-06 10:00  silence  o1 step D-3 because money_in_flight
2026-03-06 10:00  silence  o2 step D-3 because money_in_flight
2026-03-06 10:00  silence  o3 step D-3 because money_in_flight
2026-03-06 10:00  silence  o4 step D-3 because money_in_flight
2026-03-06 17:00  refund   f2 o2 CNY 500.00 failed because rejected_by_merchant
2026-03-06 17:00  contact  o2 step D-3 email amount 500.00
2026-03-06 17:30  refund   f3 o3 CNY 120.00 settled
2026-03-06 17:30  credit   c3 o3 CNY 120.00
2026-03-06 17:30  contact  o3 step D-3 email amount 380.00
2026-03-08 09:00  refund   f1 o1 CNY 500.00 settled
2026-03-08 09:00  credit   c1 o1 CNY 500.00
2026-03-08 10:00  contact  o2 step D-1 email amount 500.00
2026-03-08 10:00  contact  o3 step D-1 email amount 380.00
2026-03-08 10:00  text     o3 contains "CNY 380.00"
2026-03-08 10:00  text     o3 lacks "500.00"
2026-03-08 10:00  silence  o1 because paid
2026-03-08 10:00  silence  o4 step D-1 because money_in_flight
2026-03-08 16:00  refund   f4 o4 CNY 500.00 failed because rejected_by_bank
2026-03-08 16:00  contact  o4 step D-1 email amount 500.00
2026-03-08 20:00  pay      p2 o2 CNY 500.00
2026-03-08 20:00  pay      p3 o3 CNY 380.00
2026-03-08 20:00  pay      p5 o4 CNY 500.00
2026-05-01 10:00  silence  o1 step D-3 because money_in_flight
