# Whoever is debited is told when, from which account and how much, and is never asked to pay: not by the pay-later bill, in
# either language, and not by the loan. b4 has no mandate and is asked. b2 gives the mandate between two steps: the first
# text asks, the second announces.
borrower b1 en Asia/Shanghai CN email=debited@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=li@borrowers.example
borrower b3 en Asia/Shanghai CN sms=+447700900003
borrower b4 en Asia/Shanghai CN email=asked@borrowers.example
2026-03-02 08:00  account  a1 b1 CNY huabei_like mandate 8821
2026-03-02 08:00  account  a2 b2 CNY huabei_like
2026-03-02 08:00  account  a3 b3 CNY jiebei_like mandate 1234
2026-03-02 08:00  account  a4 b4 CNY huabei_like
2026-03-02 12:00  bill     o1 b1 CNY 312.40 due 2026-03-09 account a1
2026-03-02 12:00  bill     o2 b2 CNY 420.50 due 2026-03-09 account a2
2026-03-02 12:00  bill     o3 b3 CNY 530.60 due 2026-03-10 account a3
2026-03-02 12:00  bill     o4 b4 CNY 640.70 due 2026-03-09 account a4
2026-03-03 10:00  contact  o1 step bill email amount 312.40
2026-03-03 10:00  text     o1 contains "8821"
2026-03-03 10:00  text     o1 lacks "lease pay"
2026-03-03 10:00  contact  o2 step bill email amount 420.50
2026-03-03 10:00  contact  o4 step bill email amount 640.70
# Three days before: who has no mandate yet is asked.
2026-03-06 10:00  contact  o1 step T-3 email amount 312.40
2026-03-06 10:00  text     o1 contains "CNY 312.40 in the account ending in 8821 by 11:30 on 9 March 2026"
2026-03-06 10:00  text     o1 lacks "lease pay"
2026-03-06 10:00  contact  o2 step T-3 email amount 420.50
2026-03-06 10:00  text     o2 contains "请在到期日"
2026-03-06 10:00  text     o2 lacks "自动扣款"
2026-03-06 10:00  contact  o4 step T-3 email amount 640.70
# The debit of the loan is at noon of the due day, that of the bill half an hour earlier.
2026-03-07 10:00  contact  o3 step T-3 sms amount 530.60
2026-03-07 10:00  text     o3 contains "CNY 530.60 in the account ending in 1234 by 12:00 on 10 March 2026"
2026-03-07 10:00  text     o3 lacks "lease pay"
2026-03-07 20:00  account  a2 b2 CNY huabei_like mandate 6677
2026-03-08 10:00  contact  o1 step T-1 email amount 312.40
2026-03-08 10:00  text     o1 contains "CNY 312.40 in the account ending in 8821 by 11:30 tomorrow"
2026-03-08 10:00  text     o1 lacks "aying by the due date"
2026-03-08 10:00  text     o1 lacks "lease pay"
2026-03-08 10:00  contact  o2 step T-1 email amount 420.50
2026-03-08 10:00  text     o2 contains "明天11:30之前，在尾号6677的账户中备足420.50元"
2026-03-08 10:00  text     o2 lacks "请在到期日"
2026-03-08 10:00  text     o2 lacks "请还款"
2026-03-08 10:00  contact  o4 step T-1 email amount 640.70
2026-03-08 10:00  text     o4 contains "Paying by the due date"
2026-03-08 10:00  text     o4 lacks "debited"
2026-03-08 18:00  pay      p4 o4 CNY 640.70
2026-03-08 18:00  pay      p1 o1 CNY 100.00
2026-03-09 08:00  pay      p2 o2 CNY 420.50
# A part was paid by hand: the debit that is announced is the rest.
2026-03-09 10:00  contact  o3 step T-1 sms amount 530.60
2026-03-09 10:00  silence  o1 step T0 because condition_not_met
2026-03-09 10:00  text     o3 contains "by 12:00 tomorrow"
2026-03-09 12:00  pay      p1b o1 CNY 212.40
2026-03-10 12:00  debit    f3 o3 CNY 530.60 settled
2026-03-10 12:05  pay      p3 o3 CNY 530.60
2026-05-01 10:00  silence  o3 because paid
