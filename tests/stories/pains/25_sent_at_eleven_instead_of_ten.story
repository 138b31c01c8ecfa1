# Canberra puts its clocks back in the night to 5 April 2026, and Britain puts them forward in the night to 29 March. The
# bills are told before; each step comes at ten by the clock of the day on which it is sent, not of the day it was planned.
zone Australia/Sydney
borrower b1 en Australia/Sydney AU email=canberra@borrowers.example
borrower b2 en Europe/London GB email=london@borrowers.example
2026-03-20 08:00  bill     o1 b1 AUD 100.00 due 2026-04-07
2026-03-20 08:00  bill     o2 b2 GBP 100.00 due 2026-03-30
# Ten in London is nine in the evening in Sydney, and eight once both clocks have moved.
2026-03-27 21:00  contact  o2 step D-3 email
2026-03-29 20:00  contact  o2 step D-1 email
2026-03-30 09:00  pay      p2 o2 GBP 100.00
2026-04-04 10:00  contact  o1 step D-3 email
2026-04-06 10:00  contact  o1 step D-1 email
2026-04-07 10:00  contact  o1 step D0 email
2026-04-07 12:00  pay      p1 o1 AUD 100.00
