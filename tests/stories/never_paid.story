# Nobody pays: all eight steps go out, each once, on the channel that comes first for it.
borrower b1 en Asia/Shanghai CN email=wang@borrowers.example sms=+447700900002
2026-03-01 08:00  bill     o1 b1 CNY 1200.00 due 2026-03-09
2026-03-06 10:00  contact  o1 step D-3 email
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-09 10:00  contact  o1 step D0 sms
2026-03-10 10:00  contact  o1 step D+1 sms
2026-03-12 10:00  contact  o1 step D+3 sms
2026-03-16 10:00  contact  o1 step D+7 email
2026-03-24 10:00  contact  o1 step D+15 email
2026-04-08 10:00  contact  o1 step D+30 email
2026-06-01 10:00  silence  o1 because delivered
