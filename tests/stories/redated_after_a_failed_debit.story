# A debit has failed and was spoken of, then an arrangement moves the due date. What was said is not said again: the debit
# failed once. The new date has its own steps, and keeps the distance to what was said before it was moved.
borrower b1 en Asia/Shanghai CN email=li@borrowers.example
2026-03-01 09:00  account  a1 b1 CNY huabei_like mandate 8821
2026-03-01 09:00  bill     o1 b1 CNY 100.00 due 2026-03-10 account a1
2026-03-02 10:00  contact  o1 step bill email
2026-03-07 10:00  contact  o1 step T-3 email
2026-03-09 10:00  contact  o1 step T-1 email
2026-03-10 12:30  debit    f1 o1 CNY 100.00 failed because insufficient_funds
2026-03-10 12:30  contact  o1 step debit~2026-03-10 email
2026-03-10 13:00  amend    o1 revision 1 amount 90.00 due 2026-03-12
2026-03-11 10:00  contact  o1 step T-1 email amount 90.00
2026-03-11 10:30  amend    o1 revision 2 amount 80.00 due 2026-03-12
2026-03-11 10:40  amend    o1 revision 3 amount 80.00 due 2026-03-13
2026-03-12 10:00  contact  o1 step T-1 email amount 80.00
2026-03-12 10:30  amend    o1 revision 4 amount 80.00 due 2026-03-14
2026-03-13 10:00  contact  o1 step T-1 email amount 80.00
2026-03-13 10:30  pay      p1 o1 CNY 80.00
