# A promise for a whole account is kept by what the whole account receives, whatever was paid on it before. One person
# keeps it to the fen; the other is a fen short. What was promised concerns what was due by then: the instalment of the
# month after hears nothing of it.
borrower b1 zh-CN Asia/Shanghai CN email=kept@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=broken@borrowers.example
2026-01-30 08:00  account  a1 b1 CNY huabei_like
2026-01-30 08:00  account  a2 b2 CNY huabei_like
2026-01-30 08:00  bill     o1 b1 CNY 100.00 due 2026-02-05 account a1
2026-01-30 08:01  pay      p1 o1 CNY 100.00
2026-01-30 08:02  bill     o2 b1 CNY 800.00 due 2026-02-09 account a1
2026-01-30 08:02  bill     o3 b2 CNY 800.00 due 2026-02-09 account a2
2026-01-30 08:02  bill     o4 b2 CNY 800.00 due 2026-03-09 account a2
2026-01-30 08:03  promise  h1 b1 CNY 300.00 on 2026-02-17 account a1
2026-01-30 08:03  promise  h2 b2 CNY 300.00 on 2026-02-17 account a2
2026-02-17 12:00  pay      p2 o2 CNY 300.00
2026-02-17 12:00  pay      p3 o3 CNY 299.99
2026-02-18 11:00  contact  o3 step promise~2026-02-17 email
2026-02-18 11:00  silence  o2 step T+7 because hold_promise
2026-02-19 12:00  silence  o2 because hold_promise
2026-02-19 12:00  silence  o4 because hold_promise
2026-02-19 12:00  pay      p4 o2 CNY 600.00
2026-02-19 12:00  pay      p5 o3 CNY 600.00
2026-02-19 12:00  pay      p6 o4 CNY 800.00
