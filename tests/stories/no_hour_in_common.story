# The evidence conflicts: the person may be in New York or in Shanghai, and contact must be allowed in both. Under the
# rules of mainland China (08:00 to 22:00) the morning of Shanghai is the evening of New York; in the narrower house window
# (09:00 to 20:00) no hour is left, and nobody is contacted on a guess. What ends the silence is evidence.
borrower b1 zh-CN Asia/Shanghai CN zones=America/New_York,Asia/Shanghai email=both@borrowers.example
borrower b2 en Asia/Shanghai ZA zones=America/New_York email=never@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 ZAR 100.00 due 2026-03-09
2026-03-06 10:00  contact  o1 step D-3 email
2026-03-06 10:00  silence  o2 because no_common_window
2026-03-06 12:00  borrower b2 en Asia/Shanghai ZA email=never@borrowers.example
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-08 10:00  contact  o2 step D-1 email
2026-03-08 12:00  pay      p1 o1 CNY 100.00
2026-03-08 12:00  pay      p2 o2 ZAR 100.00
