# A debit has failed, and the word on it waits for a provider that was busy when the due date is moved. It would name the
# old date and is cancelled; that the debit failed has still not been said, so it is, once, with the new date.
borrower b1 en Asia/Shanghai CN email=busy@borrowers.example
2026-03-09 09:00  account  a1 b1 CNY huabei_like mandate 8821
2026-03-09 09:00  bill     o1 b1 CNY 100.00 due 2026-03-10 account a1 issued 2026-03-01
2026-03-09 10:10  contact  o1 step T-1 email
2026-03-10 12:30  debit    f1 o1 CNY 100.00 failed because insufficient_funds
2026-03-10 12:30  state    o1 step debit~2026-03-10 READY because provider_busy
2026-03-10 12:35  amend    o1 revision 1 amount 90.00 due 2026-03-14
2026-03-10 12:35  state    o1 step debit~2026-03-10 READY because provider_busy
2026-03-10 12:45  contact  o1 step debit~2026-03-10 email amount 90.00
2026-03-10 20:00  pay      p1 o1 CNY 90.00
