# Ten in the morning is the borrower's own ten; the diary keeps Shanghai time. London leaves winter time on 29 March 2026.
borrower b1 en Europe/London GB email=jones@borrowers.example
borrower b2 en America/New_York US email=smith@borrowers.example
2026-03-20 08:00  bill     o1 b1 GBP 40.00 due 2026-03-31
2026-03-20 08:00  bill     o2 b2 USD 41.00 due 2026-03-31
2026-03-28 18:00  contact  o1 step D-3 email
2026-03-28 22:00  contact  o2 step D-3 email
2026-03-30 17:00  contact  o1 step D-1 email
2026-03-30 22:00  contact  o2 step D-1 email
2026-03-31 09:00  pay      p1 o1 GBP 40.00
2026-03-31 09:00  pay      p2 o2 USD 41.00
