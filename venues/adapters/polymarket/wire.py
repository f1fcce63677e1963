"""Reading the venue's JSON exactly: numbers become Decimals, moments become UTC, anything else is Unreadable.

The venue sends numbers as strings here and as JSON numbers there; neither may pass through a float.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

_NUMBER = re.compile(r"-?[0-9]{1,80}(\.[0-9]{1,40})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds until the year 5138 are smaller than this; milliseconds since 1973 are larger.
_MILLISECONDS_FROM = 10**11
_MILLISECONDS_MAX = 10**14


class Unreadable(ValueError):
    """The answer is not what the venue documents. Nothing may be concluded from it."""


def read_json(body: bytes) -> Any:
    """The value that `body` spells, with every fractional number as a Decimal."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise Unreadable("the answer is not JSON") from error


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def mapping(value: object, *, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"{name} is not an object")
    return value


def array(value: object, *, name: str) -> list[Any]:
    """The list `value`; null counts as an empty one, as the venue means it."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unreadable(f"{name} is not a list")
    return value


def text(value: object, *, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{name} is not a word")
    return value


def words(value: object, *, name: str) -> tuple[str, ...]:
    return tuple(text(item, name=name) for item in array(value, name=name))


def exact(value: object, *, name: str) -> Decimal:
    """The number that `value` spells, as a string, whole number or Decimal."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise Unreadable(f"{name} is not a number")
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > 80:
            raise Unreadable(f"{name} is not a number of ordinary size")
        return value
    spelled = value if isinstance(value, str) else _digits(value, name=name)
    if not _NUMBER.fullmatch(spelled):
        raise Unreadable(f"{name} is not a plain decimal number")
    return Decimal(spelled)


def _digits(value: int, *, name: str) -> str:
    if abs(value) >= 10**80:
        raise Unreadable(f"{name} is too long a number")
    return str(value)


def whole(value: object, *, name: str) -> int:
    number = exact(value, name=name)
    if number != number.to_integral_value():
        raise Unreadable(f"{name} is not a whole number")
    return int(number)


def base_units(value: object, *, name: str) -> Decimal:
    """The amount that a count of millionths spells; exact also for the largest allowance of 2**256 - 1."""
    units = whole(value, name=name)
    return Decimal(units).scaleb(-6) if abs(units) < 10**22 else Decimal(f"{units}E-6")


def moment(value: object, *, name: str) -> datetime:
    """UTC of epoch seconds, epoch milliseconds or an ISO 8601 text."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return _iso_moment(value, name=name)
    number = exact(value, name=name)
    milliseconds = number if abs(number) >= _MILLISECONDS_FROM else number * 1000
    if not 0 <= milliseconds < _MILLISECONDS_MAX:
        raise Unreadable(f"{name} is no moment that makes sense")
    return _EPOCH + timedelta(milliseconds=int(milliseconds))


def _iso_moment(value: str, *, name: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"{name} is no moment") from error
