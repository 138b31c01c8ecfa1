# Two bills of one account, nine days apart, both late. A part of the older one moves neither its steps nor its days past
# due; then it is paid in full. The younger one goes on from its own due date, one step after the other: it had its first
# demand, so the second one comes next, not the one that the older bill had reached.
borrower b1 en Asia/Shanghai CN email=jones@borrowers.example
2026-02-20 12:00  bill     o1 b1 CNY 100.00 due 2026-03-01
2026-02-26 10:00  contact  o1 step D-3 email
2026-02-28 10:00  contact  o1 step D-1 email
2026-03-01 10:00  contact  o1 step D0 email
2026-03-02 10:00  contact  o1 step D+1 email
2026-03-02 12:00  bill     o2 b1 CNY 200.00 due 2026-03-10
2026-03-03 12:00  pay      p1 o1 CNY 60.00
2026-03-03 12:00  dpd      o1 2 bucket M1 phase overdue
2026-03-04 10:00  contact  o1 step D+3 email amount 40.00
2026-03-07 10:00  contact  o2 step D-3 email
2026-03-08 10:00  contact  o1 step D+7 email amount 40.00
2026-03-09 10:00  contact  o2 step D-1 email
2026-03-10 10:00  contact  o2 step D0 email
2026-03-11 10:00  contact  o2 step D+1 email
2026-03-12 09:00  dpd      o1 11 phase overdue
2026-03-12 09:00  dpd      o2 2 phase overdue
2026-03-12 09:00  pay      p2 o1 CNY 40.00
2026-03-12 09:00  dpd      o1 0 phase settled
2026-03-12 09:00  dpd      o2 2 phase overdue
2026-03-13 10:00  contact  o2 step D+3 email
2026-03-16 10:00  silence  o1 because paid
2026-03-17 10:00  contact  o2 step D+7 email
2026-03-17 12:00  pay      p3 o2 CNY 200.00
