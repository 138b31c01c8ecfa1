# A reminder is waiting for a provider that was busy when the lender moves the due date: it would name the wrong day, so it
# is cancelled. The new due date brings its own steps, with the new amount; an older amendment that comes late changes
# nothing, and an amendment told twice counts once.
borrower b1 en Asia/Shanghai CN email=busy@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 1200.00 due 2026-03-09
2026-03-06 10:00  state    o1 step D-3 READY because provider_busy
2026-03-06 10:05  amend    o1 revision 2 amount 900.00 due 2026-03-20
2026-03-06 10:05  state    o1 step D-3 CANCELLED because redated
2026-03-06 10:05  again
2026-03-06 10:05  answered unchanged
2026-03-06 10:06  amend    o1 revision 1 amount 1000.00 due 2026-03-15
2026-03-06 10:06  answered unchanged
2026-03-09 10:00  silence  o1 because redated
2026-03-17 10:10  contact  o1 step D-3 email amount 900.00
2026-03-17 10:10  text     o1 contains "20 March 2026"
2026-03-18 09:00  pay      p1 o1 CNY 900.00
