# An instalment is debited every day until it is paid, and every debit fails at noon. The failure is spoken of on the due
# date and the day after, not from then on; so it takes no word from the steps behind it, which wait for each day's result.
borrower b1 en Asia/Shanghai CN email=li@borrowers.example
2026-02-20 10:00  account  a1 b1 CNY jiebei_like mandate 8821
2026-02-20 10:00  bill     o1 b1 CNY 100.00 due 2026-03-10 account a1
2026-03-07 10:00  contact  o1 step T-3 email
2026-03-09 10:00  contact  o1 step T-1 email
2026-03-10 09:30  debit    f1 o1 CNY 100.00 pending by 2026-03-10 13:00
2026-03-10 12:00  debit    f1 o1 CNY 100.00 failed because insufficient_funds
2026-03-10 12:00  contact  o1 step debit~2026-03-10 email
2026-03-11 09:30  debit    f2 o1 CNY 100.00 pending by 2026-03-11 13:00
2026-03-11 10:00  silence  o1 step T+1 because money_in_flight
2026-03-11 12:00  debit    f2 o1 CNY 100.00 failed because insufficient_funds
2026-03-11 12:00  contact  o1 step debit~2026-03-11 email
2026-03-13 09:30  debit    f3 o1 CNY 100.00 pending by 2026-03-13 13:00
2026-03-13 10:00  silence  o1 step T+3 because money_in_flight
2026-03-13 12:00  debit    f3 o1 CNY 100.00 failed because insufficient_funds
2026-03-13 12:00  contact  o1 step T+3 email
2026-03-13 12:00  silence  o1 step debit~2026-03-13 because condition_not_met
2026-03-17 09:30  debit    f4 o1 CNY 100.00 pending by 2026-03-17 13:00
2026-03-17 12:00  debit    f4 o1 CNY 100.00 failed because insufficient_funds
2026-03-17 12:00  contact  o1 step T+7 email
2026-03-18 09:00  pay      p1 o1 CNY 100.00
