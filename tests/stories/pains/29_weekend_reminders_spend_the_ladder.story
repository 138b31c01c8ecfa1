# Due on a Friday: Saturday and Sunday are closed, so on Monday three steps meet, planned for three hours of the day. The
# borrower gets one contact, that of the last step, at its own hour, and the other two say that it spoke for them. Over the
# holiday of early May, five days long, it is the same.
treatment working_days.toml
borrower b1 en Asia/Shanghai CN email=weekend@borrowers.example
borrower b2 en Asia/Shanghai CN email=mayday@borrowers.example
2026-04-10 08:00  bill     o1 b1 CNY 100.00 due 2026-04-17
2026-04-10 08:00  bill     o2 b2 CNY 100.00 due 2026-04-30
2026-04-14 10:00  contact  o1 step T-3 email
2026-04-17 10:00  contact  o1 step T0 email
2026-04-20 12:00  contact  o1 step T+3 email
2026-04-20 12:00  silence  o1 step T+1 because merged_into_next
2026-04-20 12:00  silence  o1 step T+2 because merged_into_next
2026-04-20 18:30  pay      p1 o1 CNY 100.00
2026-04-27 10:00  contact  o2 step T-3 email
2026-04-30 10:00  contact  o2 step T0 email
2026-05-06 12:00  contact  o2 step T+3 email
2026-05-06 12:00  silence  o2 step T+1 because merged_into_next
2026-05-06 12:00  silence  o2 step T+2 because merged_into_next
2026-05-07 10:00  contact  o2 step T+7 email
2026-05-07 12:00  pay      p2 o2 CNY 100.00
