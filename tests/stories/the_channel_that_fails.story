# A step that wants it goes by its next channel after any failure: refused, failed, not delivered, or no word of it in
# fifteen hours. The law still has its say: that is at one at night, and the SMS waits for the morning. Whoever paid in
# the meantime hears nothing more, and a step that wants no other channel takes none.
treatment the_channel_that_fails.toml
borrower b1 zh-CN Asia/Shanghai CN email=refused@borrowers.example sms=+447700900001
borrower b2 zh-CN Asia/Shanghai CN email=failed@borrowers.example sms=+447700900002
borrower b3 zh-CN Asia/Shanghai CN email=soft@borrowers.example sms=+447700900003
borrower b4 zh-CN Asia/Shanghai CN email=silent@borrowers.example sms=+447700900004
borrower b5 zh-CN Asia/Shanghai CN email=silent@borrowers.example sms=+447700900005
2026-03-01 08:00  bill     o1 b1 CNY 70.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 71.00 due 2026-03-09
2026-03-01 08:00  bill     o3 b3 CNY 72.00 due 2026-03-09
2026-03-01 08:00  bill     o4 b4 CNY 73.00 due 2026-03-09
2026-03-01 08:00  bill     o5 b5 CNY 74.00 due 2026-03-09
2026-03-06 10:00  state    o1 step T-3 REFUSED because provider_refused
2026-03-06 10:00  contact  o1 step T-3 sms
2026-03-06 10:00  contact  o2 step T-3 email
2026-03-06 10:00  contact  o2 step T-3 sms
2026-03-06 10:00  contact  o3 step T-3 email
2026-03-06 10:00  contact  o3 step T-3 sms
2026-03-06 10:00  contact  o4 step T-3 email
2026-03-06 10:00  contact  o5 step T-3 email
2026-03-06 18:00  pay      p5 o5 CNY 74.00
2026-03-07 01:00  state    o4 step T-3 NO_RECEIPT because no_receipt
2026-03-07 08:00  contact  o4 step T-3 sms
2026-03-08 10:00  state    o1 step T-1 REFUSED because provider_refused
2026-03-08 10:00  contact  o2 step T-1 email
2026-03-08 10:00  contact  o3 step T-1 email
2026-03-08 10:00  contact  o4 step T-1 email
