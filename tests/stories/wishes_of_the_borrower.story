# Three people say how they want to be reached. One wants quiet from 20:00 until 10:30, so the reminder of ten o'clock
# waits for half an hour. One wants quiet as long as the law lets anybody write, so what comes before the due date is
# missed. One wants one reminder of each bill, and text messages first: the second courtesy reminder is not sent, a word
# about arrears is.
borrower b1 zh-CN Asia/Shanghai CN email=quiet@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=one@borrowers.example sms=+8613900000001
borrower b3 zh-CN Asia/Shanghai CN email=never@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o3 b3 CNY 100.00 due 2026-03-09
2026-03-02 09:00  prefer   b1 quiet 20:00-10:30
2026-03-02 09:00  prefer   b2 reminders one channels sms,email
2026-03-02 09:00  prefer   b3 quiet 08:00-22:00
2026-03-06 10:00  contact  o2 step D-3 sms
2026-03-06 10:00  silence  o1 because own_quiet_hours
2026-03-06 10:00  silence  o3 because own_quiet_hours
2026-03-06 10:30  contact  o1 step D-3 email
2026-03-08 10:00  silence  o2 step D-1 because one_reminder_wanted
2026-03-08 10:30  contact  o1 step D-1 email
2026-03-09 09:00  silence  o3 step D-3 because own_quiet_hours
2026-03-09 09:05  pay      p1 o1 CNY 100.00
2026-03-09 09:05  pay      p3 o3 CNY 100.00
2026-03-10 10:00  contact  o2 step D+1 sms
