# A bill is paid three weeks late and the account is closed; two demands went out. Then the branch finds that the money had
# been paid in at its counter twenty days before, on the due date. Every one of those days is current now, nobody is written
# to about the past, and the second payment is money to give back.
borrower b1 en Asia/Shanghai CN email=counter@borrowers.example
borrower b2 en Asia/Shanghai CN email=chargeback@borrowers.example
2026-03-07 12:00  bill     o1 b1 CNY 1000.00 due 2026-03-09
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-09 10:00  contact  o1 step D0 email
2026-03-10 10:00  contact  o1 step D+1 email
2026-03-12 10:00  contact  o1 step D+3 email
2026-03-16 10:00  contact  o1 step D+7 email
2026-03-24 10:00  contact  o1 step D+15 email
2026-03-27 12:00  pay      p1 o1 CNY 1000.00
2026-03-27 12:00  dpd      o1 0 bucket M0 phase settled
2026-03-29 12:00  dpd      o1 1 bucket M1 phase overdue on 2026-03-10
2026-03-29 12:00  dpd      o1 17 bucket M1 phase overdue on 2026-03-26
2026-03-29 12:00  pay      p2 o1 CNY 1000.00 on 2026-03-09 11:00
2026-03-29 12:00  answered overpaid
2026-03-29 12:00  dpd      o1 0 bucket M0 phase settled on 2026-03-09
2026-03-29 12:00  dpd      o1 0 bucket M0 phase settled on 2026-03-10
2026-03-29 12:00  dpd      o1 0 bucket M0 phase settled on 2026-03-26
2026-03-29 12:00  dpd      o1 0 bucket M0 phase settled on 2026-03-28
2026-04-09 10:00  silence  o1 because paid
# The counter was wrong, and the first payment bounces as well: the days are late again, each by its own count, and only the
# step that is still to come speaks.
2026-04-10 09:00  bill     o2 b2 CNY 500.00 due 2026-04-11
2026-04-10 10:00  contact  o2 step D-1 email
2026-04-10 12:00  pay      p3 o2 CNY 500.00
2026-04-20 12:00  silence  o2 because paid
2026-04-20 12:00  reverse  p3 on 2026-04-13 08:00
2026-04-20 12:00  dpd      o2 0 phase settled on 2026-04-12
2026-04-20 12:00  dpd      o2 2 phase overdue on 2026-04-13
2026-04-20 12:00  dpd      o2 9 phase overdue
2026-04-20 12:00  silence  o2 step D+7 because paid
2026-04-26 10:00  contact  o2 step D+15 email
2026-04-26 12:00  pay      p4 o2 CNY 500.00
