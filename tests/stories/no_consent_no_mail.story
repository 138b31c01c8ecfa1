# From 1 September 2026 New York City wants consent to electronic contact once a debt is collected (6 RCNY 2-190 ff.). None is
# on record, so nothing is sent after the due date, and the record names the rule. The reminders before it are service.
borrower b1 en America/New_York US-NYC email=smith@borrowers.example
2026-09-01 08:00  bill     o1 b1 USD 100.00 due 2026-09-12
2026-09-09 22:00  contact  o1 step D-3 email
2026-09-11 22:00  contact  o1 step D-1 email
2026-09-12 22:00  contact  o1 step D0 email
2026-09-13 22:00  silence  o1 because forbidden_by_rule
2026-09-14 09:00  pay      p1 o1 USD 100.00
