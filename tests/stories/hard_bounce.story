# The mailbox does not exist. The address is not used again; where there is a phone number the step goes there at once,
# as one more contact, and so does the next step.
borrower b1 zh-CN Asia/Shanghai CN email=hard@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=hard@borrowers.example sms=+447700900003
2026-03-01 08:00  bill     o1 b1 CNY 70.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 71.00 due 2026-03-09
2026-03-06 10:00  contact  o1 step D-3 email
2026-03-06 10:00  contact  o2 step D-3 email
2026-03-06 10:00  contact  o2 step D-3 sms
2026-03-06 10:00  state    o1 step D-3 UNDELIVERED_HARD because bounced_hard
2026-03-08 10:00  contact  o2 step D-1 sms
2026-03-08 10:00  silence  o1 because contact_point_suppressed
2026-03-08 10:00  silence  o2 because accepted
