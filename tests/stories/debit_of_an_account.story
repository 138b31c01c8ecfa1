# A debit for whatever the account owes fails on the due date of one of three instalments. It was for what was due by then:
# the words about it name that one, and nobody is told of a debit of the months to come.
borrower b1 en Asia/Shanghai CN email=li@borrowers.example
2026-02-20 10:00  account  a1 b1 CNY jiebei_like mandate 8821
2026-02-20 10:00  bill     o1 b1 CNY 100.00 due 2026-03-10 account a1
2026-02-20 10:00  bill     o2 b1 CNY 100.00 due 2026-04-10 account a1
2026-02-20 10:00  bill     o3 b1 CNY 100.00 due 2026-05-10 account a1
2026-03-07 10:00  contact  o1 step T-3 email
2026-03-09 10:00  contact  o1 step T-1 email
2026-03-10 11:50  debit    f1 account a1 CNY 100.00 failed because insufficient_funds
2026-03-10 11:50  contact  o1 step debit~2026-03-10 email
2026-03-10 11:50  text     o1 lacks "April"
2026-03-10 20:00  pay      p1 o1 CNY 100.00
2026-03-10 20:00  pay      p2 o2 CNY 100.00
2026-03-10 20:00  pay      p3 o3 CNY 100.00
