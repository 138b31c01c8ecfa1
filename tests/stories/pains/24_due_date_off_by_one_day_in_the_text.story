# The lender counts its days in Shanghai. One borrower lives in São Paulo, eleven hours behind, one in Auckland, five
# ahead. The text names the civil date of the contract to both of them, before that date and after it, and the days since
# are those of the contract: nobody's own midnight moves either.
borrower b1 en America/Sao_Paulo CN email=silva@borrowers.example
borrower b2 en Pacific/Auckland CN email=smith@borrowers.example
2026-03-03 08:00  account  a1 b1 CNY huabei_like
2026-03-03 08:00  account  a2 b2 CNY huabei_like
2026-03-05 12:00  bill     o1 b1 CNY 100.00 due 2026-03-09 account a1
2026-03-05 12:00  bill     o2 b2 CNY 100.00 due 2026-03-09 account a2
2026-03-06 05:00  contact  o2 step T-3 email
2026-03-06 05:00  text     o2 contains "due on 9 March 2026"
2026-03-06 21:00  contact  o1 step T-3 email
2026-03-06 21:00  text     o1 contains "due on 9 March 2026"
2026-03-08 05:00  contact  o2 step T-1 email
2026-03-08 21:00  contact  o1 step T-1 email
2026-03-09 05:00  contact  o2 step T0 email
2026-03-09 05:00  text     o2 contains "due today, 9 March 2026"
2026-03-09 21:00  contact  o1 step T0 email
2026-03-09 21:00  text     o1 contains "due today, 9 March 2026"
2026-03-09 21:00  dpd      o1 0 phase due_day
2026-03-10 05:00  contact  o2 step T+1 email
2026-03-10 05:00  dpd      o2 1 phase grace
2026-03-10 21:00  contact  o1 step T+1 email
2026-03-12 05:00  contact  o2 step T+3 email
2026-03-12 05:00  text     o2 contains "as of 12 March 2026"
2026-03-12 21:00  contact  o1 step T+3 email
# Paid when it is the 13th in Shanghai and still the 12th in São Paulo: the contract's date counts, and grace is over.
2026-03-13 09:00  dpd      o1 4 phase overdue
2026-03-13 09:00  pay      p1 o1 CNY 100.20
2026-03-16 05:00  contact  o2 step T+7 email
2026-03-16 05:00  text     o2 contains "The due date of a payment, 9 March 2026, passed 7 days ago"
2026-03-16 05:30  pay      p2 o2 CNY 100.35
2026-03-16 05:01  silence  o1 because paid
