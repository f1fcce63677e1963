"""The three ways our own code says no.

Every message names the field and the remedy, because the reader is a person who has to act on it.
"""

from __future__ import annotations


class TonsuranceError(Exception):
    """Root of our errors: `code` is a stable word for machines, `field` the input at fault, `remedy` what to do."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, field: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field
        self.remedy = remedy


class Refused(TonsuranceError):
    """The rules say no: bad input, a limit, a closed market. Nothing was changed."""

    code = "refused"


class Conflict(TonsuranceError):
    """Someone was first: the same key with another body, a row that moved meanwhile. Nothing was changed."""

    code = "conflict"


class Broken(TonsuranceError):
    """One of our own invariants does not hold. Never caught to carry on."""

    code = "broken"
