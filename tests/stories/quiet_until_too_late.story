# "Due today" must not be said tomorrow: when the platform comes back at 21:59:30 the window closes before the send is safe,
# and when it opens again the day is over.
borrower b1 zh-CN Asia/Shanghai CN email=sun@borrowers.example
2026-03-08 11:00  bill     o1 b1 CNY 88.00 due 2026-03-09
2026-03-09 09:00  outage   until 2026-03-09 22:00
2026-03-09 22:00  silence  o1 because catch_up_exceeded
2026-03-10 10:00  contact  o1 step D+1 email
# In the house window (09:00-20:00) the step has until 22:00, but no lawful minute is left after 20:00.
borrower b2 en Europe/London GB email=smith@borrowers.example
2026-03-10 19:00  bill     o2 b2 GBP 88.00 due 2026-03-11
2026-03-11 09:00  outage   until 2026-03-12 05:00
2026-03-12 05:00  silence  o2 because quiet_until_too_late
