"""Compile the frames of e-mails from MJML to HTML: done before a commit, never where messages are sent."""

from __future__ import annotations

from betimes.adapters import mail_frames
from betimes.core.errors import Rejected


def compiled() -> dict[str, str]:
    """Return the HTML of each language, made from layout and words as they are.

    Raises:
        Rejected: code "no_mjml", where the compiler is not installed; "bad_frame", where the layout is no MJML.
    """
    try:
        from mjml import mjml2html
    except ImportError:
        raise Rejected(
            "no_mjml", "--frames", "the compiler of MJML is not installed; run `make setup`"
        ) from None
    found = {}
    for locale in mail_frames.words_by_locale():
        try:
            # No fonts: a reader's mail program would fetch them from elsewhere, and tell there who reads.
            html = mjml2html(mail_frames.source(locale), disable_comments=True, fonts={})
        except (ValueError, TypeError, RuntimeError) as error:
            raise Rejected(
                "bad_frame", mail_frames.LAYOUT, f"{mail_frames.LAYOUT} is no MJML: {error}"
            ) from None
        found[locale] = html.strip()
    return found
