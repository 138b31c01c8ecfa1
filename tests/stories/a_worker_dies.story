# The worker dies after it claimed the contact and before it called the provider. Nobody knows that, so after the lease the
# attempt is called unknown; no evidence comes within the grace of 15 minutes, and the courtesy reminder gets one more try.
# The account named failed@ is accepted and then fails at the provider.
borrower b1 zh-CN Asia/Shanghai CN email=crash@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=failed@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 70.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 71.00 due 2026-03-09
2026-03-06 10:00  contact  o2 step D-3 email
2026-03-06 10:00  state    o2 step D-3 FAILED because provider_failed
2026-03-06 10:00  state    o1 step D-3 SENDING because due
2026-03-06 10:10  state    o1 step D-3 UNKNOWN because lease_expired
2026-03-06 10:24  state    o1 step D-3 UNKNOWN because lease_expired
2026-03-06 10:25  contact  o1 step D-3 email
2026-03-06 10:25  silence  o1 because delivered
2026-03-07 10:00  pay      p1 o1 CNY 70.00
2026-03-07 10:00  pay      p2 o2 CNY 71.00
