# Nobody whose money is under way is asked to pay. b1's transfer fails in the afternoon: the step of the due day speaks
# then. b2's settles, and its payment is told the next morning. b3's is never heard of again: a day after its result was
# expected it silences nothing any more. b4 waits for a refund.
borrower b1 zh-CN Asia/Shanghai CN email=fails@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=settles@borrowers.example
borrower b3 zh-CN Asia/Shanghai CN email=lost@borrowers.example
borrower b4 zh-CN Asia/Shanghai CN email=refunded@borrowers.example
2026-03-08 12:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-08 12:00  bill     o2 b2 CNY 100.00 due 2026-03-09
2026-03-08 12:00  bill     o3 b3 CNY 100.00 due 2026-03-09
2026-03-08 12:00  bill     o4 b4 CNY 100.00 due 2026-03-09
2026-03-09 09:00  transfer f1 o1 CNY 100.00 pending by 2026-03-09 18:00
2026-03-09 09:00  transfer f2 o2 CNY 100.00 pending by 2026-03-09 18:00
2026-03-09 09:00  transfer f3 o3 CNY 100.00 pending by 2026-03-09 11:00
2026-03-09 09:00  refund   f4 account b4-CNY CNY 100.00 pending by 2026-03-12 11:00
2026-03-09 10:00  silence  o1 because money_in_flight
2026-03-09 10:00  silence  o2 because money_in_flight
2026-03-09 10:00  silence  o3 because money_in_flight
2026-03-09 10:00  silence  o4 because money_in_flight
2026-03-09 15:00  transfer f1 o1 CNY 100.00 failed because account_closed
2026-03-09 15:00  contact  o1 step D0 email
# It fails only once, and what comes late does not bring it back.
2026-03-09 16:00  transfer f1 o1 CNY 100.00 pending by 2026-03-09 18:00
2026-03-09 16:00  answered unchanged
2026-03-09 17:00  transfer f2 o2 CNY 100.00 settled
2026-03-09 22:00  silence  o2 step D0 because money_in_flight
2026-03-10 08:00  pay      p2 o2 CNY 100.00 on 2026-03-09 17:00
2026-03-10 10:00  contact  o1 step D+1 email
2026-03-10 10:00  silence  o2 because paid
2026-03-10 11:00  contact  o3 step D+1 email
2026-03-10 12:00  pay      p1 o1 CNY 100.00
2026-03-10 12:00  pay      p3 o3 CNY 100.00
2026-03-10 12:00  silence  o4 step D+1 because money_in_flight
2026-03-11 12:00  refund   f4 account b4-CNY CNY 100.00 settled
2026-03-11 12:00  credit   c4 o4 CNY 100.00
2026-04-09 10:00  silence  o4 because paid
