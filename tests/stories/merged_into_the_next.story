# Three hours down on the morning of a reminder that may be merged: a day with two words about one bill helps nobody, so the
# next step speaks for both, and the record says so.
borrower b1 zh-CN Asia/Shanghai CN email=li@borrowers.example
2026-03-01 08:00  account  a1 b1 CNY huabei_like
2026-03-01 12:00  bill     o1 b1 CNY 100.00 due 2026-03-09 account a1
2026-03-02 09:00  outage   until 2026-03-02 10:59
2026-03-02 10:59  contact  o1 step bill email
2026-03-06 09:00  outage   until 2026-03-06 12:00
2026-03-06 12:00  silence  o1 because merged_into_next
2026-03-08 10:00  contact  o1 step T-1 email
2026-03-08 12:00  pay      p1 o1 CNY 100.00
