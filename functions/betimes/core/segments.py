"""The parts of a text message as Chinese carriers cut it: what a message costs, and how much of a pace it takes."""

from __future__ import annotations

WHOLE = 70
PART = 67


def segments(text: str) -> tuple[int, ...]:
    """Return the lengths of the parts in which `text` is carried, in order; none for an empty text.

    Up to 70 characters are one part; a longer text is cut into parts of 67, since the others hold the place of each.
    `text` is all that the phone shows: the signature in 【】 counts, and so does every space. A character outside the
    basic plane (an emoji, a rare Chinese character) counts as two, as it takes two in UCS-2, and is never cut in half,
    so that a part may end at 66.

    Source: help.aliyun.com/document_detail/44335.htm (70, 67, signature); 3GPP TS 23.040 section 9.2.3.24.1 (parts).
    """
    widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
    if sum(widths) <= WHOLE:
        return (sum(widths),) if text else ()
    parts = [0]
    for width in widths:
        if parts[-1] + width > PART:
            parts.append(0)
        parts[-1] += width
    return tuple(parts)
