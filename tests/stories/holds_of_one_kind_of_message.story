# Hardship and military service stop demands and leave the reminders before the due date. Who has opted out of reminders
# gets none, and is still told once something is overdue.
borrower b1 zh-CN Asia/Shanghai CN email=hardship@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=soldier@borrowers.example
borrower b3 zh-CN Asia/Shanghai CN email=optedout@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o3 b3 CNY 100.00 due 2026-03-09
2026-03-05 09:00  hold     h1 b1 hardship until 2026-03-20 00:00
2026-03-05 09:00  hold     h2 b2 military
2026-03-05 09:00  hold     h3 b3 opt_out
2026-03-06 10:00  contact  o1 step D-3 email
2026-03-06 10:00  contact  o2 step D-3 email
2026-03-06 10:00  silence  o3 because hold_opt_out
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-08 10:00  contact  o2 step D-1 email
2026-03-09 10:00  contact  o1 step D0 email
2026-03-09 10:00  contact  o2 step D0 email
2026-03-09 10:00  silence  o3 step D-1 because hold_opt_out
2026-03-10 10:00  contact  o3 step D+1 email
2026-03-10 10:00  silence  o1 because hold_hardship
2026-03-10 10:00  silence  o2 because hold_military
2026-03-11 10:00  pay      p3 o3 CNY 100.00
# The time that was given is over; the service is not.
2026-03-24 10:00  contact  o1 step D+15 email
2026-03-24 10:00  silence  o2 because hold_military
2026-03-24 12:00  pay      p1 o1 CNY 100.00
2026-03-24 12:00  pay      p2 o2 CNY 100.00
