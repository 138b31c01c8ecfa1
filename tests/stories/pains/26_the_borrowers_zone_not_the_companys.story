# The lender sits in Shanghai, the borrowers do not. One lives in São Paulo: six in the morning in Shanghai is seven in the
# evening there, a good hour. Of the other nobody is sure whether she has gone back to Shanghai: contact must be allowed in
# both places, and eight in Shanghai, nine in the evening in São Paulo, is the first hour that is.
borrower b1 en America/Sao_Paulo CN email=silva@borrowers.example
borrower b2 en America/Sao_Paulo CN email=santos@borrowers.example zones=Asia/Shanghai
2026-03-01 08:00  account  a1 b1 CNY huabei_like
2026-03-01 08:00  account  a2 b2 CNY huabei_like
2026-03-07 12:00  bill     o1 b1 CNY 100.00 due 2026-03-09 account a1
2026-03-07 12:00  bill     o2 b2 CNY 100.00 due 2026-03-09 account a2
2026-03-08 10:00  silence  o1 because not_yet
2026-03-08 20:00  outage   until 2026-03-09 06:00
2026-03-09 06:00  contact  o1 step T-1 email
2026-03-09 06:00  silence  o2 because quiet_hours
2026-03-09 08:00  contact  o2 step T-1 email
2026-03-09 12:00  pay      p1 o1 CNY 100.00
2026-03-09 12:00  pay      p2 o2 CNY 100.00
