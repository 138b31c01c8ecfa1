# A stop for the whole person, for one account, for one bill and for one channel, each with its start, its end and who set
# it; what is not in its scope goes on. It stops what is READY as well: the provider was busy, so the contacts of ten o'clock
# are still waiting when the stops are set at five past.
borrower b1 en Asia/Shanghai CN email=busy@borrowers.example
borrower b2 en Asia/Shanghai CN email=busy@borrowers.example
borrower b3 en Asia/Shanghai CN email=busy@borrowers.example
borrower b4 en Asia/Shanghai CN email=busy@borrowers.example
borrower b5 en Asia/Shanghai CN email=busy@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o3 b3 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o4 b4 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o5 b5 CNY 100.00 due 2026-03-09
2026-03-06 10:00  state    o1 step D-3 READY because provider_busy
2026-03-06 10:05  hold     h1 b1 complaint owner u7
2026-03-06 10:05  hold     h2 b2 dispute account b2-CNY owner u7
2026-03-06 10:05  hold     h3 b3 dispute obligation o3 until 2026-03-06 15:00 owner u7
2026-03-06 10:05  hold     h4 b4 complaint channel email owner u7
2026-03-06 10:10  contact  o5 step D-3 email
2026-03-06 10:10  silence  o1 because hold_complaint
2026-03-06 10:10  silence  o2 because hold_dispute
2026-03-06 10:10  silence  o3 because hold_dispute
2026-03-06 10:10  silence  o4 because hold_complaint
2026-03-06 15:00  contact  o3 step D-3 email
2026-03-07 12:00  pay      p1 o1 CNY 100.00
2026-03-07 12:00  pay      p2 o2 CNY 100.00
2026-03-07 12:00  pay      p3 o3 CNY 100.00
2026-03-07 12:00  pay      p4 o4 CNY 100.00
2026-03-07 12:00  pay      p5 o5 CNY 100.00
