"""The families of errors, named by what the one who catches them can do.

    Rejected     the caller is wrong: correct the input (code, field, message)
    Stale        someone else wrote first: read again, decide again
    Unavailable  not now: try later
    Uncertain    it may have happened: never retry blindly
    AssertionError  we are wrong: stop

"No" is not an error: a decision not to contact anybody is a value (`core.decision`).
"""

from __future__ import annotations


class Rejected(Exception):
    """The caller's input is wrong; nothing of it was stored.

    `code` is stable and documented in docs/errors.md, `field` names the offending field ("" if none), the message says
    what is wrong and the way out, and carries no personal data.
    """

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.message = message

    def __reduce__(self) -> tuple[type[Rejected], tuple[str, str, str]]:
        return (type(self), (self.code, self.field, self.message))


class Stale(Exception):
    """A condition of a transaction did not hold: somebody else wrote first. Nothing was written.

    `failed` holds the positions, in the order committed, of the changes whose conditions failed (may be empty when
    only a conflict with another transaction was reported).
    """

    def __init__(self, failed: tuple[int, ...] = ()) -> None:
        super().__init__(f"conditions failed at {failed}")
        self.failed = failed


class Unavailable(Exception):
    """A service cannot answer now; the same call may succeed later."""

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Uncertain(Exception):
    """It may have happened. Never retried blindly: evidence or a written policy settles it."""
