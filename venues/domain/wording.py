"""The fingerprint of a market's rules, so that a sentence changed after approval is noticed."""

from __future__ import annotations

import hashlib


def wording_hash(question: str, description: str) -> str:
    """SHA-256 over both texts, line ends and outer blanks normalised; hexadecimal."""
    lines = "\n".join(part.replace("\r\n", "\n").strip() for part in (question, description))
    return hashlib.sha256(lines.encode()).hexdigest()
