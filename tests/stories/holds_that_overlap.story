# Holds lie over each other in any way and each stands for itself: contact is stopped as long as one of them is in force,
# and the one that lasts longest is the reason. One of the account, told a day late with its start in the past, encloses
# the other two. A hold on the SMS leaves the e-mail.
borrower b1 zh-CN Asia/Shanghai CN email=li@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=wang@borrowers.example sms=+447700900002
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 100.00 due 2026-03-09
2026-03-05 09:00  hold     h1 b1 complaint until 2026-03-06 12:00
2026-03-05 09:00  hold     h2 b1 dispute from 2026-03-06 00:00 until 2026-03-06 18:00 obligation o1
2026-03-05 10:00  hold     h3 b1 mass from 2026-03-04 00:00 until 2026-03-06 20:00 account b1-CNY owner u7
2026-03-05 10:00  again
2026-03-05 10:00  answered unchanged
2026-03-05 10:00  hold     h4 b2 complaint channel sms
2026-03-06 10:00  contact  o2 step D-3 email
2026-03-06 10:00  silence  o1 because hold_mass
2026-03-06 16:00  lift     h3 on 2026-03-05 09:00
2026-03-06 16:00  silence  o1 because hold_dispute
2026-03-06 18:00  contact  o1 step D-3 email
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-08 10:00  contact  o2 step D-1 email
2026-03-09 10:00  contact  o1 step D0 email
2026-03-09 10:00  contact  o2 step D0 email
2026-03-09 18:00  pay      p1 o1 CNY 100.00
2026-03-09 18:00  pay      p2 o2 CNY 100.00
