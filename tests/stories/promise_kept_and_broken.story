# Two people promise to pay a part a week after the due date. Until that day is over both are left alone. One keeps the
# promise: what waited for its end goes on then. The other is a fen short, and is told that the payment has not come; a
# step of the treatment fell on the same morning, and two contacts within twenty hours are too many, so that waits a day.
borrower b1 zh-CN Asia/Shanghai CN email=kept@borrowers.example sms=+447700900001
borrower b2 zh-CN Asia/Shanghai CN email=broken@borrowers.example sms=+447700900002
2026-03-01 08:00  account  a1 b1 CNY huabei_like
2026-03-01 08:00  account  a2 b2 CNY huabei_like
2026-03-01 08:00  bill     o1 b1 CNY 800.00 due 2026-03-09 account a1
2026-03-01 08:00  bill     o2 b2 CNY 800.00 due 2026-03-09 account a2
2026-03-02 10:00  contact  o1 step bill email
2026-03-02 10:00  contact  o2 step bill email
2026-03-05 20:00  promise  h1 b1 CNY 500.00 on 2026-03-16
2026-03-05 20:00  promise  h2 b2 CNY 500.00 on 2026-03-15 obligation o2
2026-03-06 10:00  silence  o1 because hold_promise
2026-03-15 14:00  pay      p1 o1 CNY 500.00
2026-03-15 14:00  pay      p2 o2 CNY 499.99
2026-03-16 10:00  contact  o2 step T+7 email
2026-03-16 10:00  silence  o1 because hold_promise
2026-03-16 11:00  silence  o2 because too_soon
2026-03-17 08:00  contact  o1 step T+7 email
2026-03-17 08:00  contact  o2 step promise~2026-03-15 email
2026-03-17 08:00  text     o2 contains "您约定的还款尚未收到"
2026-03-17 08:00  owed     o1 CNY 302.30
2026-03-18 09:00  pay      p3 o1 CNY 305.00
2026-03-18 09:00  pay      p4 o2 CNY 305.00
2026-04-08 10:00  silence  o2 because paid
