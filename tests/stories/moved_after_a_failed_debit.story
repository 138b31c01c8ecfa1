# A debit has failed and was spoken of, then the borrower turns out to live where it was still the day before. The debit
# failed once, whatever the date is there.
treatment jiebei_like
borrower b1 en Asia/Shanghai CN email=li@borrowers.example
2026-02-20 10:00  bill     o1 b1 CNY 100.00 due 2026-03-10
2026-03-07 10:00  contact  o1 step T-3 email
2026-03-09 10:00  contact  o1 step T-1 email
2026-03-10 09:30  debit    f1 o1 CNY 100.00 failed because insufficient_funds
2026-03-10 09:30  contact  o1 step debit~2026-03-10 email
2026-03-10 09:40  borrower b1 en America/New_York US email=li@borrowers.example
2026-03-11 05:30  contact  o1 step T0 email
2026-03-11 12:00  pay      p1 o1 CNY 100.00
