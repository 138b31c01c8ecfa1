# With auto-debit the words announce the debit and never ask for a payment: what must be in which account by when. The
# first attempt fails, the borrower is told at once, while the money can still be there for the second one; and the step
# that would have asked on the due day is not meant for someone who is debited.
borrower b1 en Asia/Shanghai CN email=li@borrowers.example sms=+447700900001
2026-03-01 08:00  account  a1 b1 CNY huabei_like mandate 8821
2026-03-01 08:00  bill     o1 b1 CNY 312.40 due 2026-03-09 account a1
2026-03-02 10:00  contact  o1 step bill email
2026-03-02 10:00  text     o1 contains "8821"
2026-03-06 10:00  contact  o1 step T-3 email
2026-03-06 10:00  text     o1 contains "by 11:30 on 9 March 2026"
2026-03-08 10:00  contact  o1 step T-1 email
2026-03-08 10:00  text     o1 contains "CNY 312.40 in the account ending in 8821 by 11:30 tomorrow"
2026-03-08 10:00  text     o1 lacks "Please pay"
2026-03-09 10:00  silence  o1 step T0 because condition_not_met
2026-03-09 11:30  debit    f1 o1 CNY 312.40 pending by 2026-03-09 13:00
2026-03-09 11:31  debit    f1 o1 CNY 312.40 failed because insufficient_funds
2026-03-09 11:31  contact  o1 step debit~2026-03-09 sms
2026-03-09 11:31  text     o1 contains "19:00 today"
2026-03-09 19:00  debit    f2 o1 CNY 312.40 pending by 2026-03-09 20:00
2026-03-09 19:01  debit    f2 o1 CNY 312.40 settled
2026-03-09 19:01  pay      p1 o1 CNY 312.40
2026-03-10 10:00  silence  o1 because paid
