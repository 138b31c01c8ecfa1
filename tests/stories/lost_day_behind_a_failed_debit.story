# A loan falls due on the 9th. The debit of the 10th fails, and on that day nothing is swept. What would have been said of the
# failed debit comes too late for it. The word of the 10th is not merged into one that nobody hears: it goes on the 11th, before
# its own time is over.
borrower b1 en Asia/Shanghai CN email=lost@borrowers.example
2026-03-01 08:00  account  a1 b1 CNY jiebei_like mandate 8821 rate 0.0003
2026-03-08 12:00  bill     o1 b1 CNY 500.00 due 2026-03-09 account a1
2026-03-10 06:00  outage   until 2026-03-11 09:00
2026-03-10 12:00  debit    f1 o1 CNY 500.00 pending by 2026-03-10 13:00
2026-03-10 12:30  debit    f1 o1 CNY 500.00 failed because insufficient_funds
2026-03-11 09:00  contact  o1 step T+1 email
2026-03-11 12:00  silence  o1 step debit~2026-03-10 because condition_not_met
