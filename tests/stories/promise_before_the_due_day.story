# Somebody promises to pay long before the due date, and does not. Nothing is late, so nothing is said of arrears; the
# reminders of the due date come as if nothing had been promised.
borrower b1 en Asia/Shanghai CN email=li@borrowers.example
2026-02-20 10:00  account  a1 b1 CNY jiebei_like
2026-02-20 10:00  bill     o1 b1 CNY 100.00 due 2026-05-10 account a1
2026-02-20 10:01  promise  h1 b1 CNY 100.00 on 2026-03-14
2026-02-20 10:02  promise  h2 b1 CNY 100.00 on 2026-03-20 obligation o1
2026-03-21 12:00  silence  o1 because condition_not_met
2026-05-07 10:00  contact  o1 step T-3 email
2026-05-08 10:00  pay      p1 o1 CNY 100.00
