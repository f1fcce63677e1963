"""The venue's definitive refusals of an order: the only answers that mean "it did not trade and never will".

Whatever is not listed is unknown, because an order believed dead that lives costs money twice. Texts are from
docs.polymarket.com/resources/error-codes unless a line says otherwise; they are matched whole, not by a part.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from venues.domain.gateway import PauseKind


class Refusal(NamedTuple):
    """`is_ours`: a person must mend our request. `pause`: not now; `retry_after_s` if the venue is mum."""

    code: str
    text: re.Pattern[str]
    is_ours: bool = False
    pause: PauseKind | None = None
    retry_after_s: int | None = None


def _refusal(
    code: str,
    text: str,
    *,
    is_ours: bool = False,
    pause: PauseKind | None = None,
    retry_after_s: int | None = None,
) -> Refusal:
    return Refusal(code, re.compile(text, re.IGNORECASE), is_ours, pause, retry_after_s)


_INVALID = r"order( \S{1,80})? is invalid\. "
_ADDRESS = r"'?(0x[0-9a-f]{40}|\{[a-z]+\})'? "

# The venue has seen these bytes. In every spelling, also the old symbolic one.
DUPLICATED: Final = re.compile(
    r"(" + _INVALID + r"|invalid order: )?duplicated\b.*|INVALID_ORDER_DUPLICATED", re.IGNORECASE
)

# HTTP 400, and a 200 that says success false.
BAD_REQUEST: Final = (
    _refusal("invalid_order_payload", r"invalid order payload", is_ours=True),
    _refusal(
        "tick_size", _INVALID + r"price \(.{1,40}\) breaks minimum tick size rule: .{1,40}", is_ours=True
    ),
    _refusal("size_min", _INVALID + r"size \(.{1,40}\) lower than the minimum: .{1,40}", is_ours=True),
    _refusal("invalid_nonce", r"invalid nonce", is_ours=True),
    # We never send one too near: it became so on its way, while a venue rested or a process slept.
    _refusal("invalid_expiration", r"invalid expiration"),
    _refusal("invalid_amounts", r"invalid amounts, .{1,300}", is_ours=True),
    _refusal(
        "notional_min",
        r"invalid amount for a marketable BUY order \(.{1,40}\), min size: .{1,40}",
        is_ours=True,
    ),
    _refusal("too_many_orders", r"too many orders in payload: .{1,40}, max allowed: .{1,40}", is_ours=True),
    _refusal("post_only_would_cross", r"invalid post-only order: order crosses book"),
    _refusal("not_enough_balance", r"not enough balance / allowance(: .{1,400})?"),
    _refusal("fok_not_filled", r"order couldn't be fully filled\. FOK orders are fully filled or killed\.?"),
    _refusal(
        "fak_not_filled",
        r"no orders found to match with FAK order\. "
        r"FAK orders are partially filled or killed if no match is found\.?",
    ),
    _refusal("owner_not_key_owner", r"the order owner has to be the owner of the API KEY", is_ours=True),
    _refusal(
        "signer_not_key_address",
        r"the order signer address has to be the address of the API KEY",
        is_ours=True,
    ),
    # The next four as users report them (py-clob-client issues 335 and 337, py-clob-client-v2 issue 48).
    _refusal(
        "deposit_wallet_needed",
        r"maker address not allowed, please use the deposit wallet flow",
        is_ours=True,
    ),
    _refusal("order_version", r"order_version_mismatch", is_ours=True),
    _refusal("order_version", r"invalid order version, please use the latest clob-client", is_ours=True),
    _refusal("invalid_signature", r"invalid signature", is_ours=True),
    _refusal("address_banned", _ADDRESS + r"address banned", is_ours=True),
    _refusal("closed_only", _ADDRESS + r"address in closed only mode", is_ours=True),
    _refusal("cancelled_on_chain", r"order canceled in the CTF exchange contract"),
    # Symbolic codes of the venue's older documentation.
    _refusal("tick_size", r"INVALID_ORDER_MIN_TICK_SIZE", is_ours=True),
    _refusal("size_min", r"INVALID_ORDER_MIN_SIZE", is_ours=True),
    _refusal("not_enough_balance", r"INVALID_ORDER_NOT_ENOUGH_BALANCE"),
    _refusal("invalid_expiration", r"INVALID_ORDER_EXPIRATION"),
    _refusal("post_only_would_cross", r"INVALID_POST_ONLY_ORDER(_TYPE)?"),
    _refusal("fok_not_filled", r"FOK_ORDER_NOT_FILLED_ERROR"),
)
NOT_FOUND: Final = (
    _refusal("market_gone", r"market not found"),
    _refusal("market_gone", r"no orderbook exists for the requested token id"),
)
UNAVAILABLE: Final = (
    _refusal(
        "trading_disabled",
        r"trading is currently disabled\. check polymarket\.com for updates\.?",
        pause=PauseKind.DISABLED,
        retry_after_s=60,
    ),
    _refusal(
        "cancel_only",
        r"trading is currently cancel-only\. new orders are not accepted, but cancels are allowed\.?",
        pause=PauseKind.CANCEL_ONLY,
        retry_after_s=60,
    ),
    # Two minutes of post-only follow each restart of the engine (docs.polymarket.com).
    _refusal(
        "post_only_mode",
        r"post-only mode: only post-only orders and cancels are allowed\.?",
        pause=PauseKind.POST_ONLY,
        retry_after_s=120,
    ),
)
REFUSALS_BY_STATUS: Final[dict[int, tuple[Refusal, ...]]] = {
    400: BAD_REQUEST,
    404: NOT_FOUND,
    503: UNAVAILABLE,
}
# These statuses say no by themselves, once the body is the venue's own JSON and no page of something between.
REFUSAL_BY_STATUS: Final[dict[int, Refusal]] = {
    401: _refusal("unauthorized", r".+", is_ours=True),
    403: _refusal("forbidden", r".+", is_ours=True),
    425: _refusal("engine_restarting", r".+", pause=PauseKind.RESTART, retry_after_s=90),
    429: _refusal("too_many_requests", r".+", pause=PauseKind.RATE_LIMIT, retry_after_s=5),
}
# Said of a whole batch these hold for every order in it; any other refusal is about one of them.
WHOLE_BATCH_CODES: Final = frozenset(
    {
        "invalid_order_payload",
        "too_many_orders",
        "owner_not_key_owner",
        "signer_not_key_address",
        "deposit_wallet_needed",
        "order_version",
        "address_banned",
        "closed_only",
        "unauthorized",
        "forbidden",
    }
)


def leg_refusal_of(message: str) -> Refusal | None:
    """The listed refusal that one entry of a batch's answer spells, whatever status it would have alone."""
    for refusal in (*BAD_REQUEST, *NOT_FOUND, *UNAVAILABLE):
        if refusal.text.fullmatch(message):
            return refusal
    return None


def refusal_of(status: int, message: str) -> Refusal | None:
    """The listed refusal that an answer of this status with this text is, or None: then it proves nothing."""
    by_status = REFUSAL_BY_STATUS.get(status)
    if by_status is not None and message:
        return by_status
    for refusal in REFUSALS_BY_STATUS.get(status, ()):
        if refusal.text.fullmatch(message):
            return refusal
    return None
