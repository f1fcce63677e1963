"""What a market's words say: prices, windows, losses, dates, sources. What cannot be read is None, never a guess.

Venues write for people: curly quotes, "98 cents", "31 Dec '26", "$100M". Only the condition of the outcome and the
question are read for figures; the rest of the rules are for the person who approves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

_TYPOGRAPHY = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " ", "–": "-", "—": "-", "−": "-"}
)
_SENTENCE_END = r"(?:\.\s+(?=[A-Z\"(])|\n|$)"
_CONDITION = re.compile(
    r'resolves?(?: to)? (?:"(?P<label>[^"]{1,40}?)[.,]?"|(?P<bare>yes|no)\b)'
    rf'(?P<between>[^."\n]{{0,60}}?)\bif\b(?P<clause>.{{1,1200}}?){_SENTENCE_END}',
    re.IGNORECASE | re.DOTALL,
)

_BELOW = r"below|under|beneath|less than|lower than|at or below"
_ABOVE = r"above|over|greater than|higher than|more than|at least|at or above|exceeds?|exceeding"
# Possessive, because a figure cut short to fit ("$0.9" of "$0.98 billion") would be another price.
_PRICE = re.compile(
    rf"\b(?P<side>{_BELOW}|{_ABOVE})\s+(?:a price of\s+|the price of\s+)?"
    r"(?:(?P<cents>\d++(?:\.\d++)?)\s?(?:cents?\b|¢)"
    r"|(?P<dollars>\$\s?\d++(?:\.\d++)?|\$?\s?\.\d++|\d\.\d++)"
    r"(?!\s?(?:k|mm|m|bn|b|t|million|billion|trillion)\b|\s?%|,\d|\.\d))",
    re.IGNORECASE,
)
_PRICE_MAX = Decimal(2)

_UNITS_S = {"minute": 60, "min": 60, "hour": 3600, "hr": 3600, "h": 3600, "day": 86_400, "week": 604_800}
_WINDOW = re.compile(
    r"\b(?P<count>\d{1,4})[\s-]?(?:consecutive|continuous|straight|full)?[\s-]?(?P<unit>minute|min|hour|hr|day|week|h)s?\b"
    r"(?![\s-]?(?:candles?|\"?candles?|interval|chart|high|low|close))",
    re.IGNORECASE,
)
_ONE_CANDLE = re.compile(
    r"\bany\b[^.]{0,60}?\b(?P<count>\d{1,3})[\s-]?(?P<unit>minute|hour)\s?candle", re.IGNORECASE
)
_ANY_MOMENT = re.compile(r"\bat any (?:point|time|moment)\b", re.IGNORECASE)

_SCALES = {
    "k": 10**3, "thousand": 10**3, "m": 10**6, "mm": 10**6, "million": 10**6,
    "b": 10**9, "bn": 10**9, "billion": 10**9,
}  # fmt: skip
_AMOUNT = re.compile(
    rf"\b(?:{_ABOVE}|worth)\s+(?:US)?\$\s?(?P<figure>\d{{1,12}}(?:,\d{{3}})*(?:\.\d{{1,3}})?)\s?"
    r"(?P<scale>k|mm|m|bn|b|thousand|million|billion)?\b",
    re.IGNORECASE,
)

_SOURCE = re.compile(
    r"resolution source(?: for this market)?(?: will be| is|:)\s+(?P<source>.{3,200}?)(?:[.;,](?=\s|$)|\n|$)",
    re.IGNORECASE,
)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE = re.compile(
    rf"\b(?:(?P<iso_year>20\d\d)-(?P<iso_month>\d\d)-(?P<iso_day>\d\d)"
    rf"|{_MONTH.format('month')}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+'?(?P<year>20\d\d|(?<=')\d\d))?"
    rf"|(?P<day_first>\d{{1,2}})\s+{_MONTH.format('month_after')}\s+'?(?P<year_after>20\d\d|(?<=')\d\d))(?!\d)",
    re.IGNORECASE,
)
_BEFORE_YEAR = re.compile(r"\bbefore (?P<year>20\d\d)\b", re.IGNORECASE)
_IN_YEAR = re.compile(r"\b(?:in|during|of)(?: calendar year)? (?P<year>20\d\d)\b", re.IGNORECASE)
_SPAN = re.compile(
    r"\b(?:between|from)\b(?P<from>.{3,80}?)\b(?:and|to|until|through)\b(?P<until>.{3,60})",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """The sentence that decides: the market pays outcome `label` if `clause` comes true."""

    label: str
    clause: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceTrigger:
    """USD per coin, and whether the clause asks for less (`is_below`) or for more."""

    price: Decimal
    is_below: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Dates:
    """First and last day that the event may happen on, in the venue's time zone; None where the words do not say."""

    first: date | None
    last: date | None


def plain(text: str) -> str:
    """`text` with straight quotes and hyphens, blanks run together; line ends stay."""
    lines = (" ".join(line.split()) for line in text.translate(_TYPOGRAPHY).splitlines())
    return "\n".join(line for line in lines if line)


def condition_of(description: str) -> Condition | None:
    """The first sentence that says which outcome is paid on what; None when there is none."""
    found = _CONDITION.search(plain(description))
    if found is None:
        return None
    return Condition(label=(found["label"] or found["bare"]).strip(), clause=found["clause"].strip(" ,"))


def price_trigger_of(text: str) -> PriceTrigger | None:
    """The first price of a coin (above 0, at most 2 USD) that `text` measures against."""
    for found in _PRICE.finditer(plain(text)):
        figure = found["dollars"]
        spelled = figure.replace("$", "").strip() if figure else found["cents"]
        if not spelled or spelled == ".":
            continue
        price = Decimal(spelled) if figure else Decimal(spelled) / 100
        if 0 < price <= _PRICE_MAX:
            return PriceTrigger(
                price=price.normalize(), is_below=re.fullmatch(_BELOW, found["side"].lower()) is not None
            )
    return None


def window_s_of(text: str) -> int | None:
    """Seconds for which something must hold without a break; 0 where a single moment is enough."""
    words = plain(text)
    found = _WINDOW.search(words)
    if found is None:
        if _ANY_MOMENT.search(words):
            return 0
        found = _ONE_CANDLE.search(words)
    return None if found is None else int(found["count"]) * _UNITS_S[found["unit"].lower()]


def amount_usd_of(text: str) -> Decimal | None:
    """The loss that must be exceeded: the first sum of a thousand dollars or more."""
    for found in _AMOUNT.finditer(plain(text)):
        scale = _SCALES.get((found["scale"] or "").lower(), 1)
        amount = Decimal(found["figure"].replace(",", "")) * scale
        if amount >= 1000:
            return amount
    return None


def source_of(description: str) -> str:
    """Who or what the venue will look at; empty where the rules do not say."""
    found = _SOURCE.search(plain(description))
    return found["source"].strip() if found else ""


def dates_of(text: str, *, year: int | None = None) -> Dates:
    """The days that `text` names. `year` completes a date written without one."""
    words = plain(text)
    span = _SPAN.search(words)
    if span is not None and (last := _date_in(span["until"], year=year)) is not None:
        return Dates(first=_date_in(span["from"], year=year), last=last)
    if (day := _date_in(words, year=year)) is not None:
        return Dates(first=None, last=day)
    if (before := _BEFORE_YEAR.search(words)) is not None:
        return Dates(first=None, last=date(int(before["year"]) - 1, 12, 31))
    if (inside := _IN_YEAR.search(words)) is not None:
        return Dates(first=date(int(inside["year"]), 1, 1), last=date(int(inside["year"]), 12, 31))
    return Dates(first=None, last=None)


def _date_in(text: str, *, year: int | None) -> date | None:
    for found in _DATE.finditer(text):
        if found["iso_year"]:
            parts = int(found["iso_year"]), int(found["iso_month"]), int(found["iso_day"])
        else:
            month = found["month"] or found["month_after"]
            spelled = found["year"] or found["year_after"] or (str(year) if year else "")
            if not spelled:
                continue
            parts = (
                int(spelled) + (2000 if len(spelled) == 2 else 0),
                _MONTHS.index(month[:3].lower()) + 1,
                int(found["day"] or found["day_first"]),
            )
        try:
            return date(*parts)
        except ValueError:
            continue
    return None
