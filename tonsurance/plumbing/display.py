"""How figures look to people: dollars with separators, prices, sizes, ages, states in colour. Returns safe HTML.

What is rounded for the eye keeps its exact value in the tooltip, so that nothing shown is all there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from django.contrib.admin.utils import quote
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tonsurance.kernel.clock import utc_now

NOTHING = "–"
_MINUS = "−"
_CENT = Decimal("0.01")
_MICRO = Decimal("0.000001")
_SHORT = 8

# The skin's label colours, so that a state looks the same in every list.
COLOURS = {
    "green": "bg-green-100 text-green-700 dark:bg-green-500/20 dark:text-green-400",
    "blue": "bg-blue-100 text-blue-700 dark:bg-blue-500/20 dark:text-blue-400",
    "orange": "bg-orange-100 text-orange-700 dark:bg-orange-500/20 dark:text-orange-400",
    "red": "bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400",
    "grey": "bg-base-500/8 text-base-700 dark:bg-base-500/20 dark:text-base-200",
}


def usd_text(value: Decimal | int | None) -> str:
    """`$1,234.56`; amounts below a cent keep up to six places; None is a dash."""
    if value is None:
        return NOTHING
    exact = Decimal(value)
    small = 0 < abs(exact) < _CENT
    shown = (
        _trimmed(abs(exact).quantize(_MICRO)) if small else f"{abs(exact).quantize(_CENT, ROUND_HALF_EVEN):,}"
    )
    return f"{_MINUS if exact < 0 else ''}${shown}"


def usd(value: Decimal | int | None) -> SafeString:
    """US dollars, right-aligned, exact value in the tooltip."""
    return _number(usd_text(value), exact=value, unit="USD")


def size_text(value: Decimal | int | None) -> str:
    """`40,000` or `1,234.56`: at most two places, no trailing zeros."""
    if value is None:
        return NOTHING
    exact = Decimal(value)
    step = _CENT if abs(exact) >= _CENT or exact == 0 else Decimal("0.00000001")
    return _trimmed(exact.quantize(step, ROUND_HALF_EVEN)).replace("-", _MINUS)


def size(value: Decimal | int | None) -> SafeString:
    """Units of an instrument, right-aligned."""
    return _number(size_text(value), exact=value, unit="units")


def price_text(value: Decimal | None) -> str:
    """`$0.043`: at most four places and at least two."""
    if value is None:
        return NOTHING
    rounded = Decimal(value).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
    whole, _, places = f"{rounded:,}".partition(".")
    return f"${whole}.{places.rstrip('0').ljust(2, '0')}"


def price(value: Decimal | None) -> SafeString:
    """US dollars per unit, right-aligned."""
    return _number(price_text(value), exact=value, unit="USD per unit")


def percent_text(ratio: Decimal | None) -> str:
    """A share as `40 %`; at most two places."""
    if ratio is None:
        return NOTHING
    return f"{_trimmed((Decimal(ratio) * 100).quantize(_CENT, ROUND_HALF_EVEN))} %"


def percent(ratio: Decimal | None) -> SafeString:
    """A share, right-aligned; 1 is 100 %."""
    return _number(percent_text(ratio), exact=ratio, unit="")


def count(value: int | None) -> SafeString:
    """A whole number with separators, right-aligned."""
    return _number(NOTHING if value is None else f"{value:,}", exact=None, unit="")


def counted(number: int, thing: str, things: str = "") -> str:
    """`1 order`, `2 orders`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def share_of(part: Decimal, whole: Decimal) -> Decimal:
    """`part / whole`, and 0 where there is nothing to share."""
    return part / whole if whole else Decimal(0)


def moment_text(at: datetime | None) -> str:
    """`2026-11-21 11:42:39 UTC`."""
    return NOTHING if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def moment(at: datetime | None) -> SafeString:
    """A moment in full, never broken over two lines."""
    return one_line(moment_text(at))


def one_line(words: Any) -> SafeString:
    """Words that are not broken over two lines."""
    return format_html('<span class="bo-nowrap">{}</span>', words)


def ago_text(at: datetime | None, *, now: datetime) -> str:
    """`3 min ago`, `in 2 h`; a dash for never."""
    if at is None:
        return NOTHING
    passed = now - at
    words = _duration(abs(passed))
    if words == "now":
        return "just now"
    return f"{words} ago" if passed >= timedelta(0) else f"in {words}"


def ago(at: datetime | None, *, now: datetime | None = None) -> SafeString:
    """How long ago, with the moment itself in the tooltip."""
    return format_html(
        '<span class="bo-nowrap" title="{}">{}</span>', moment_text(at), ago_text(at, now=now or utc_now())
    )


def word(code: str) -> str:
    """A code of ours as words: `no_gateway` -> `No gateway`."""
    text = code.replace("_", " ").strip().lower()
    return text[:1].upper() + text[1:] if text else NOTHING


def badge(text: str, colour: str = "grey", *, title: str = "") -> SafeString:
    """A state in its colour (`green blue orange red grey`)."""
    return format_html(
        '<span class="inline-block font-semibold rounded-default text-[11px] uppercase whitespace-nowrap h-6 leading-6 '
        'px-2 {}" title="{}">{}</span>',
        COLOURS[colour],
        title,
        text,
    )


def yes_no(value: bool, *, yes: str = "Yes", no: str = "No", bad: bool = False) -> SafeString:
    """A truth in words and colour; `bad` where yes is the bad news."""
    good = "red" if bad else "green"
    return badge(yes, good) if value else badge(no, "green" if bad else "grey")


def short_id(value: Any) -> str:
    """The last eight characters: the random end of a time-ordered UUID."""
    return str(value)[-_SHORT:]


def short_hash(value: str) -> SafeString:
    """Both ends of a long hash, whole in the tooltip."""
    if not value:
        return format_html("{}", NOTHING)
    shown = value if len(value) <= 16 else f"{value[:8]}…{value[-6:]}"
    return format_html('<code class="bo-code" title="{}">{}</code>', value, shown)


def link(url: str, text: Any) -> SafeString:
    """A link in the skin's colour."""
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500 font-medium" href="{}">{}</a>', url, text
    )


def admin_link(row: Any, text: Any = None) -> SafeString:
    """A link to `row`'s page in the admin, named by `text` or by the row itself; a dash without a row."""
    if row is None:
        return format_html("{}", NOTHING)
    opts, shown = row._meta, str(row) if text is None else text
    try:
        address = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[quote(row.pk)])
    except NoReverseMatch:
        return format_html("{}", shown)
    return link(address, shown)


def table(
    headers: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "Nothing here"
) -> SafeString:
    """A plain table. Cells are escaped unless they are safe already; a header that starts with `>` is a number's."""
    body = [
        format_html(
            "<tr>{}</tr>",
            format_html_join("", "<td>{}</td>", ((NOTHING if cell is None else cell,) for cell in row)),
        )
        for row in rows
    ]
    if not body:
        return format_html('<p class="bo-empty">{}</p>', empty)
    head = format_html_join(
        "",
        '<th class="{}">{}</th>',
        (("bo-num", name[1:]) if name.startswith(">") else ("", name) for name in headers),
    )
    return format_html(
        '<div class="bo-scroll"><table class="bo-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        head,
        format_html_join("", "{}", ((row,) for row in body)),
    )


def ladder(bids: Sequence[Sequence[str]], asks: Sequence[Sequence[str]], *, levels: int = 12) -> SafeString:
    """Resting orders, best in the middle: offers above in red, bids below in green, bars by size.

    Both sides are [["price", "size"], ...], best first, decimal strings.
    """
    offers, wants = asks[:levels][::-1], bids[:levels]
    largest = max((Decimal(amount) for _, amount in (*offers, *wants)), default=Decimal(1)) or Decimal(1)
    rows = [
        (side, colour, level)
        for side, colour, part in (("Ask", "red", offers), ("Bid", "green", wants))
        for level in part
    ]
    body = format_html_join(
        "",
        "<tr><td>{}</td><td>{}</td><td>{}</td>"
        '<td class="bo-barcell"><div class="bo-bar {}" style="width:{}%"></div></td></tr>',
        (
            (side, price(Decimal(at)), size(Decimal(amount)), colour, int(Decimal(amount) * 100 / largest))
            for side, colour, (at, amount) in rows
        ),
    )
    if not rows:
        return format_html('<p class="bo-empty">{}</p>', "Nobody offers, nobody bids")
    return format_html(
        '<table class="bo-table bo-ladder"><thead><tr><th>Side</th><th class="bo-num">Price</th>'
        '<th class="bo-num">Size</th><th></th></tr></thead><tbody>{}</tbody></table>',
        body,
    )


def facts(rows: Iterable[tuple[str, Any]]) -> SafeString:
    """Names and values, one pair a line."""
    return format_html(
        '<dl class="bo-facts-list">{}</dl>',
        format_html_join(
            "",
            "<dt>{}</dt><dd>{}</dd>",
            ((name, NOTHING if value is None else value) for name, value in rows),
        ),
    )


def text_block(text: str) -> SafeString:
    """Longer words as they were written, line ends kept."""
    return format_html('<div class="bo-text">{}</div>', text or NOTHING)


def _number(shown: str, *, exact: Decimal | int | None, unit: str) -> SafeString:
    title = "" if exact is None else f"{_trimmed(Decimal(exact))} {unit}".strip()
    return format_html('<span class="bo-num" title="{}">{}</span>', title, shown)


def _trimmed(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 1:
        return "now"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length or (unit == "min" and seconds >= length):
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
