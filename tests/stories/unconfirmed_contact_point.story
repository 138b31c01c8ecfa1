# An address that was changed, or that several people share, is not used until the lender confirms it; the telephone number
# of the second borrower is sure.
borrower b1 zh-CN Asia/Shanghai CN email?=shared@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email?=changed@borrowers.example sms=+447700900002
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 100.00 due 2026-03-09
2026-03-06 10:00  contact  o2 step D-3 sms
2026-03-06 10:00  silence  o1 because contact_point_unconfirmed
2026-03-07 12:00  borrower b1 zh-CN Asia/Shanghai CN email=shared@borrowers.example
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-08 10:00  contact  o2 step D-1 sms
2026-03-08 12:00  pay      p1 o1 CNY 100.00
2026-03-08 12:00  pay      p2 o2 CNY 100.00
