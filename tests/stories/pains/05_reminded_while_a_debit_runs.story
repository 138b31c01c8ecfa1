# A debit is running on the due day: silence, whatever the date says. What comes next depends on its result. b1's goes
# through. b2's fails for want of money: the borrower is told so at once, and the step after it speaks only because it failed.
# b3's runs over the night: the step of the next day waits for it, and speaks when it fails. b4's result never comes: a day
# after it was expected nobody believes in it any more. b5 owes two bills, and the debit is of the other one.
borrower b1 en Asia/Shanghai CN email=settles@borrowers.example
borrower b2 en Asia/Shanghai CN email=fails@borrowers.example
borrower b3 en Asia/Shanghai CN email=overnight@borrowers.example
borrower b4 en Asia/Shanghai CN email=lost@borrowers.example
borrower b5 en Asia/Shanghai CN email=other@borrowers.example
2026-03-08 12:00  account  a1 b1 CNY jiebei_like mandate 1111
2026-03-08 12:00  account  a2 b2 CNY jiebei_like mandate 2222
2026-03-08 12:00  account  a3 b3 CNY jiebei_like mandate 3333
2026-03-08 12:00  account  a4 b4 CNY jiebei_like mandate 4444
2026-03-08 12:00  bill     o1 b1 CNY 100.00 due 2026-03-09 account a1
2026-03-08 12:00  bill     o2 b2 CNY 200.00 due 2026-03-09 account a2
2026-03-08 12:00  bill     o3 b3 CNY 300.00 due 2026-03-09 account a3
2026-03-08 12:00  bill     o4 b4 CNY 400.00 due 2026-03-09 account a4
2026-03-08 12:00  bill     o5 b5 CNY 500.00 due 2026-03-09
2026-03-08 12:00  bill     o6 b5 CNY 600.00 due 2026-03-09
2026-03-09 09:00  debit    f1 o1 CNY 100.00 pending by 2026-03-09 20:00
2026-03-09 09:00  debit    f2 o2 CNY 200.00 pending by 2026-03-09 20:00
2026-03-09 09:00  debit    f3 o3 CNY 300.00 pending by 2026-03-10 20:00
2026-03-09 09:00  debit    f4 o4 CNY 400.00 pending by 2026-03-09 12:00
2026-03-09 09:00  debit    f5 o5 CNY 500.00 pending by 2026-03-09 20:00
2026-03-09 10:00  contact  o6 step D0 email amount 600.00
2026-03-09 10:00  silence  o5 because money_in_flight
2026-03-09 10:00  silence  o1 step T0 because money_in_flight
2026-03-09 14:00  debit    f2 o2 CNY 200.00 failed because insufficient_funds
2026-03-09 14:00  contact  o2 step debit~2026-03-09 email amount 200.00
2026-03-09 14:00  text     o2 contains "did not go through"
2026-03-09 15:00  debit    f1 o1 CNY 100.00 settled
2026-03-09 15:00  debit    f5 o5 CNY 500.00 settled
2026-03-09 22:00  silence  o5 step D0 because money_in_flight
2026-03-10 07:00  pay      p1 o1 CNY 100.00 on 2026-03-09 15:00
2026-03-10 07:00  pay      p5 o5 CNY 500.00 on 2026-03-09 15:00
2026-03-10 07:00  pay      p6 o6 CNY 600.00
2026-03-10 10:00  contact  o2 step T+1 email
2026-03-10 10:00  silence  o1 because paid
2026-03-10 10:00  silence  o3 step T+1 because money_in_flight
2026-03-10 10:00  silence  o4 step T+1 because money_in_flight
2026-03-10 12:00  contact  o4 step T+1 email
2026-03-10 16:00  debit    f3 o3 CNY 300.00 failed because account_closed
2026-03-10 16:00  contact  o3 step debit~2026-03-10 email
2026-03-10 16:00  silence  o3 step T+1 because merged_into_next
2026-03-11 12:00  pay      p2 o2 CNY 205.00
2026-03-11 12:00  pay      p3 o3 CNY 305.00
2026-03-11 12:00  pay      p4 o4 CNY 405.00
2026-05-01 10:00  silence  o2 because paid
