# b1's debit settled on the due day, and nobody told so for two days: its money may take a day from then on to be told,
# so the demand of the third day waits. b2's transfer takes longer than was said. b3's refund of a part has settled and
# its credit note is there: what is left may be asked for at once. b4's dispute was answered and comes up again.
borrower b1 zh-CN Asia/Shanghai CN email=toldlate@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=longer@borrowers.example
borrower b3 zh-CN Asia/Shanghai CN email=partly@borrowers.example
borrower b4 zh-CN Asia/Shanghai CN email=again@borrowers.example
2026-03-08 12:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-08 12:00  bill     o2 b2 CNY 100.00 due 2026-03-09
2026-03-08 12:00  bill     o3 b3 CNY 100.00 due 2026-03-09
2026-03-08 12:00  bill     o4 b4 CNY 100.00 due 2026-03-09
2026-03-08 13:00  hold     h4 b4 dispute
2026-03-08 14:00  lift     h4
2026-03-09 09:00  debit    f1 o1 CNY 100.00 pending by 2026-03-10 12:00
2026-03-09 09:00  transfer f2 o2 CNY 100.00 pending by 2026-03-09 12:00
2026-03-09 09:00  refund   f3 o3 CNY 30.00 pending by 2026-03-12 12:00
2026-03-09 09:30  transfer f2 o2 CNY 100.00 pending by 2026-03-12 12:00
2026-03-09 09:30  hold     h4 b4 dispute until 2026-03-11 09:00
2026-03-09 10:00  silence  o4 because hold_dispute
2026-03-10 10:00  silence  o2 because money_in_flight
2026-03-10 11:00  refund   f3 o3 CNY 30.00 settled
2026-03-10 11:30  credit   c3 o3 CNY 30.00
2026-03-10 11:30  contact  o3 step D+1 email
2026-03-11 09:00  contact  o4 step D+1 email
2026-03-11 10:00  silence  o2 step D+1 because money_in_flight
2026-03-11 11:00  debit    f1 o1 CNY 100.00 settled on 2026-03-09 11:00
2026-03-11 12:00  pay      p3 o3 CNY 70.00
2026-03-12 10:00  contact  o4 step D+3 email
2026-03-12 10:00  silence  o1 because money_in_flight
2026-03-12 10:00  silence  o2 because money_in_flight
2026-03-12 10:30  pay      p1 o1 CNY 100.00 on 2026-03-09 11:00
2026-03-12 10:30  pay      p2 o2 CNY 100.00
2026-03-12 10:30  pay      p4 o4 CNY 100.00
2026-03-12 11:00  silence  o1 because paid
2026-03-20 10:00  silence  o2 because paid
