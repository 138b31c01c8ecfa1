# The borrower's language wins, whatever that of the lender. Somebody in Taiwan reads the one form of Chinese there is, and
# an English text has English dates and amounts. Of French there is no translation: the whole text falls back to the lender's
# language, dates and amounts as well, and the record of the send names the language it was written in.
borrower b1 en-GB Asia/Shanghai CN email=smith@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=li@borrowers.example
borrower b3 zh-TW Asia/Shanghai CN email=chen@borrowers.example
borrower b4 fr Asia/Shanghai CN email=dupont@borrowers.example
2026-03-07 12:00  bill     o1 b1 CNY 1200.00 due 2026-03-09
2026-03-07 12:00  bill     o2 b2 CNY 1200.00 due 2026-03-09
2026-03-07 12:00  bill     o3 b3 CNY 1200.00 due 2026-03-09
2026-03-07 12:00  bill     o4 b4 CNY 1200.00 due 2026-03-09
2026-03-08 10:00  contact  o1 step D-1 email
2026-03-08 10:00  contact  o2 step D-1 email
2026-03-08 10:00  contact  o3 step D-1 email
2026-03-08 10:00  contact  o4 step D-1 email
2026-03-08 10:00  text     o1 contains "is due on 9 March 2026. The amount still to pay is CNY 1,200.00."
2026-03-08 10:00  text     o1 lacks "还款"
2026-03-08 10:00  text     o2 contains "将于2026年3月9日到期，待还金额为1,200.00元"
2026-03-08 10:00  text     o3 contains "将于2026年3月9日到期，待还金额为1,200.00元"
2026-03-08 10:00  text     o4 contains "将于2026年3月9日到期，待还金额为1,200.00元"
2026-03-08 10:00  text     o4 lacks "March"
2026-03-08 12:00  pay      p1 o1 CNY 1200.00
2026-03-08 12:00  pay      p2 o2 CNY 1200.00
2026-03-08 12:00  pay      p3 o3 CNY 1200.00
2026-03-08 12:00  pay      p4 o4 CNY 1200.00
