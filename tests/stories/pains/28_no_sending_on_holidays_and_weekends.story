# The treatment closes weekends and holidays to contact: that is one setting. On which day a debt is due is another. Bill o1
# stays due on Saturday 18 April and is past due on Sunday, while nobody is written to before Monday; "due today" is not said
# two days later, and the record says why. The product of o2 moves its due date to Monday, by the same calendar.
treatment working_days.toml
borrower b1 en Asia/Shanghai CN email=stays@borrowers.example
borrower b2 en Asia/Shanghai CN email=moves@borrowers.example
2026-04-10 08:00  account  a2 b2 CNY medical
2026-04-10 08:00  bill     o1 b1 CNY 100.00 due 2026-04-18
2026-04-10 08:00  bill     o2 b2 CNY 100.00 due 2026-04-18 account a2
2026-04-15 10:00  contact  o1 step T-3 email
2026-04-17 10:00  contact  o2 step T-3 email
2026-04-17 10:00  text     o2 contains "due on 20 April 2026"
2026-04-18 10:00  silence  o1 step T0 because closed_day
2026-04-18 12:00  dpd      o1 0 phase due_day
2026-04-18 12:00  dpd      o2 0 phase pre_due
2026-04-19 18:00  silence  o1 step T+1 because not_yet
2026-04-19 18:00  dpd      o1 1 phase overdue
2026-04-20 10:00  contact  o2 step T0 email
2026-04-20 10:00  dpd      o1 2 phase overdue
2026-04-20 15:00  contact  o1 step T+2 email
2026-04-20 15:00  text     o1 contains "18 April 2026, passed 2 days ago"
2026-04-20 16:00  pay      p1 o1 CNY 100.00
2026-04-20 16:00  pay      p2 o2 CNY 100.00
2026-04-20 18:00  silence  o1 step T+1 because merged_into_next
