# Nine kinds of hold stop everything but what the law demands: reminders before the due date and demands after it. Each
# stands on a borrower of its own; a step says while it waits and when it is missed what stopped it. The mass hold is for
# a flood and ends by itself, as does the word that it is paid; the others end when somebody lifts them, and what is missed
# is not sent later.
borrower b1 zh-CN Asia/Shanghai CN email=dispute@borrowers.example
borrower b2 zh-CN Asia/Shanghai CN email=bereaved@borrowers.example
borrower b3 zh-CN Asia/Shanghai CN email=complained@borrowers.example
borrower b4 zh-CN Asia/Shanghai CN email=moratorium@borrowers.example
borrower b5 zh-CN Asia/Shanghai CN email=deceased@borrowers.example
borrower b6 zh-CN Asia/Shanghai CN email=bankrupt@borrowers.example
borrower b7 zh-CN Asia/Shanghai CN email=represented@borrowers.example
borrower b8 zh-CN Asia/Shanghai CN email=flooded@borrowers.example
borrower b9 zh-CN Asia/Shanghai CN email=haspaid@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o2 b2 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o3 b3 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o4 b4 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o5 b5 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o6 b6 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o7 b7 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o8 b8 CNY 100.00 due 2026-03-09
2026-03-01 08:00  bill     o9 b9 CNY 100.00 due 2026-03-09
2026-03-05 09:00  hold     h1 b1 dispute
2026-03-05 09:00  hold     h2 b2 bereavement
2026-03-05 09:00  hold     h3 b3 complaint
2026-03-05 09:00  hold     h4 b4 moratorium
2026-03-05 09:00  hold     h5 b5 deceased
2026-03-05 09:00  hold     h6 b6 bankruptcy
2026-03-05 09:00  hold     h7 b7 attorney
2026-03-05 09:00  hold     h8 b8 mass until 2026-03-07 09:30
2026-03-05 09:00  hold     h9 b9 paid_claim until 2026-03-10 09:00
2026-03-06 10:00  silence  o1 because hold_dispute
2026-03-06 10:00  silence  o2 because hold_bereavement
2026-03-06 10:00  silence  o3 because hold_complaint
2026-03-06 10:00  silence  o4 because hold_moratorium
2026-03-06 10:00  silence  o5 because hold_deceased
2026-03-06 10:00  silence  o6 because hold_bankruptcy
2026-03-06 10:00  silence  o7 because hold_attorney
2026-03-06 10:00  silence  o8 because hold_mass
2026-03-06 10:00  silence  o9 because hold_paid_claim
# The flood is over half an hour before the reminder would have been missed.
2026-03-07 09:30  contact  o8 step D-3 email
2026-03-08 10:00  contact  o8 step D-1 email
2026-03-08 18:00  pay      p8 o8 CNY 100.00
# No money was told within five days: it is owed all the same.
2026-03-10 10:00  contact  o9 step D+1 email
2026-03-10 10:00  silence  o1 step D-1 because hold_dispute
2026-03-10 10:00  silence  o1 step D+1 because hold_dispute
2026-03-10 10:00  silence  o5 step D0 because hold_deceased
2026-03-10 12:00  pay      p9 o9 CNY 100.00
# The dispute is answered: the next step speaks, none of those that were missed.
2026-03-11 15:00  lift     h1
2026-03-12 10:00  contact  o1 step D+3 email
2026-03-12 10:00  silence  o1 step D+1 because hold_dispute
2026-03-12 12:00  pay      p1 o1 CNY 100.00
2026-05-01 10:00  silence  o5 step D+30 because hold_deceased
2026-05-01 10:00  silence  o7 step D+30 because hold_attorney
