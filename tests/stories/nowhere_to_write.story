# A borrower without any contact point is not reached, and it is said so for every step.
borrower b1 zh-CN Asia/Shanghai CN
2026-03-01 08:00  bill     o1 b1 CNY 70.00 due 2026-03-09
2026-03-06 10:00  silence  o1 because no_contact_point
2026-03-09 10:00  silence  o1 because no_contact_point
