"""Betimes: repayment reminders that are never late, never twice, never out of bounds and always explained."""

__version__ = "0.1.0"
