# Massachusetts lets a creditor text about one debt twice in seven days (940 CMR 7.04), and no rule counts e-mail so: the
# third step that would go by text has no room before its time is over, and goes by its other channel at its own hour.
# The diary keeps Shanghai time; clocks in Boston go forward on 8 March.
borrower b1 en America/New_York US-MA email=ann@borrowers.example sms=+16175550123
2026-03-01 08:00  bill     o1 b1 USD 100.00 due 2026-03-09
2026-03-06 23:00  contact  o1 step D-3 email
2026-03-08 22:00  contact  o1 step D-1 email
2026-03-09 22:00  contact  o1 step D0 sms
2026-03-10 22:00  contact  o1 step D+1 sms
2026-03-12 22:00  contact  o1 step D+3 email
2026-03-13 09:00  pay      p1 o1 USD 100.00
