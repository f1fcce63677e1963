"""What the operators can set at run time: every key with its type, range, default, and what it does to whose money.

Names are the founding document's camelCase words. A value comes in as JSON; an unknown key or a bad value is
refused with the remedy, and nothing is ever guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from hedging.domain.views import PlanLimits, RestingLimits
from tonsurance.kernel.errors import Refused


class Kind(StrEnum):
    """The type of a setting's value. SHARES: an object of venue codes and shares that add up to 1."""

    SWITCH = "true or false"
    WHOLE = "a whole number"
    DECIMAL = "a number"
    SHARES = "an object of venue codes and shares that add up to 1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One key: `name` in the API and the database, `attribute` in `HedgeSettings`; `low` and `high` are allowed."""

    name: str
    attribute: str
    kind: Kind
    default: Any
    description: str
    low: Decimal | None = None
    high: Decimal | None = None

    def parse(self, value: Any) -> Any:
        """The typed value that `value` (JSON) means. Raises Refused (field = the key) with the remedy."""
        if self.kind is Kind.SWITCH:
            if not isinstance(value, bool):
                raise self._refused(value)
            return value
        if self.kind is Kind.SHARES:
            return self._shares(value)
        number = self._number(value)
        return int(number) if self.kind is Kind.WHOLE else number

    def as_json(self, value: Any) -> Any:
        """What is stored and shown for a typed value: decimals as strings, because JSON numbers are not exact."""
        if isinstance(value, Mapping):
            return {code: str(share) for code, share in value.items()}
        return str(value) if isinstance(value, Decimal) else value

    def _number(self, value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
            raise self._refused(value)
        try:
            # The shortest spelling of a JSON number is the number that was written.
            number = Decimal(repr(value) if isinstance(value, float) else value)
        except InvalidOperation:
            raise self._refused(value) from None
        if not number.is_finite() or (self.kind is Kind.WHOLE and number != number.to_integral_value()):
            raise self._refused(value)
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise self._refused(value)
        return number

    def _shares(self, value: Any) -> dict[str, Decimal]:
        if not isinstance(value, Mapping) or not value:
            raise self._refused(value)
        shares = {str(code): self._number(share) for code, share in value.items()}
        if sum(shares.values(), Decimal(0)) != 1:
            raise Refused(
                f"{self.name}: the shares must add up to 1, these add up to {sum(shares.values(), Decimal(0))}",
                code="invalid_value",
                field=self.name,
            )
        return shares

    def _refused(self, value: Any) -> Refused:
        span = f" from {self.low} to {self.high}" if self.low is not None else ""
        return Refused(
            f"{self.name}: give {self.kind.value}{span}, not {value!r}", code="invalid_value", field=self.name
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class HedgeSettings:
    """All settings of one moment, typed. Built by `settings_from`; the defaults are the registry's."""

    enabled: bool
    venue_shares: Mapping[str, Decimal]
    price_max: Decimal
    slippage_bps_max: int
    depth_participation: Decimal
    payout_cover_max: Decimal
    notional_usd_max_per_order: Decimal
    cost_usd_max_per_instrument: Decimal
    cycle_every_seconds: int
    intent_valid_seconds: int
    book_max_age_seconds: int
    resting_enabled: bool
    resting_seconds: int
    resting_notional_usd_max: Decimal
    resting_drift_ticks: int
    stream_book_max_age_seconds: int
    price_band_bps: int
    price_wake_seconds: int
    mapping_suspend_days_before_end: int
    balance_usd_min: Decimal
    attribution_every_seconds: int

    def as_json(self) -> dict[str, Any]:
        """Every key with its value, as stored with a cycle."""
        return {item.name: item.as_json(getattr(self, item.attribute)) for item in SETTINGS.values()}

    def plan_limits(self) -> PlanLimits:
        """The bounds of a plan. A parent order is not bounded by the size of its slices: they are cut when sent."""
        return PlanLimits(
            venue_shares=self.venue_shares,
            price_max=self.price_max,
            slippage_bps_max=Decimal(self.slippage_bps_max),
            participation=self.depth_participation,
            payout_cover_max=self.payout_cover_max,
            cost_usd_max_per_instrument=self.cost_usd_max_per_instrument,
            book_max_age=timedelta(seconds=self.book_max_age_seconds),
            resting=RestingLimits(
                notional_usd_max=self.resting_notional_usd_max, seconds=self.resting_seconds
            )
            if self.resting_enabled
            else None,
        )


_REGISTRY = (
    Setting(
        name="enabled",
        attribute="enabled",
        kind=Kind.SWITCH,
        default=False,
        description="Whether cycles send orders. Off: every cycle records what it would have done, and exposure stays "
        "unhedged, which the vault bears.",
    ),
    Setting(
        name="venueShares",
        attribute="venue_shares",
        kind=Kind.SHARES,
        default={"polymarket": Decimal("0.4"), "binance_futures": Decimal("0.4"), "allianz": Decimal("0.2")},
        low=Decimal(0),
        high=Decimal(1),
        description="How each product's required hedge is divided among venues. A venue without a gateway keeps its "
        "share, and that part is reported as unhedged.",
    ),
    Setting(
        name="priceMax",
        attribute="price_max",
        kind=Kind.DECIMAL,
        default=Decimal("0.60"),
        low=Decimal("0.001"),
        high=Decimal("0.999"),
        description="The most that is paid for a share that pays 1 USD. At 0.60 the market holds the event for likely, "
        "and a hedge is worth little more than it costs; above, the vault keeps the risk.",
    ),
    Setting(
        name="maxSlippageBps",
        attribute="slippage_bps_max",
        kind=Kind.WHOLE,
        default=100,
        low=Decimal(0),
        high=Decimal(10_000),
        description="How far the average price of an order may lie from the best price, in hundredths of a per cent. "
        "100 is the founding document's; on a share of 2 cents one tick is 500, so that thin books need more.",
    ),
    Setting(
        name="depthParticipation",
        attribute="depth_participation",
        kind=Kind.DECIMAL,
        default=Decimal("1"),
        low=Decimal("0.01"),
        high=Decimal("1"),
        description="The part of each level of the book that one order may take. Less leaves the market standing, and "
        "takes more cycles.",
    ),
    Setting(
        name="maxPayoutCover",
        attribute="payout_cover_max",
        kind=Kind.DECIMAL,
        default=Decimal("1"),
        low=Decimal(0),
        high=Decimal(1),
        description="The most payout per dollar of cover. 1 is the insurable interest: a hedge never pays more than "
        "the policies do.",
    ),
    Setting(
        name="maxNotionalPerOrder",
        attribute="notional_usd_max_per_order",
        kind=Kind.DECIMAL,
        default=Decimal("5000"),
        low=Decimal(1),
        high=Decimal(1_000_000),
        description="The most that one order may spend, USD before fees. A larger decision is sent in slices, each cut "
        "from the book as it then stands.",
    ),
    Setting(
        name="maxInstrumentCost",
        attribute="cost_usd_max_per_instrument",
        kind=Kind.DECIMAL,
        default=Decimal("250000"),
        low=Decimal(1),
        high=Decimal(100_000_000),
        description="The most that may be tied up in one market, USD at cost with fees. It bounds what a market that "
        "resolves against its wording can cost us.",
    ),
    Setting(
        name="cycleEverySeconds",
        attribute="cycle_every_seconds",
        kind=Kind.WHOLE,
        default=300,
        low=Decimal(30),
        high=Decimal(86_400),
        description="How often a cycle runs when no sale wakes it.",
    ),
    Setting(
        name="intentValidSeconds",
        attribute="intent_valid_seconds",
        kind=Kind.WHOLE,
        default=240,
        low=Decimal(10),
        high=Decimal(3_600),
        description="How long a decision may be acted on; afterwards the next cycle decides anew.",
    ),
    Setting(
        name="bookMaxAgeSeconds",
        attribute="book_max_age_seconds",
        kind=Kind.WHOLE,
        default=60,
        low=Decimal(1),
        high=Decimal(3_600),
        description="How old a book may be when it is traded on, counted from when we received it.",
    ),
    Setting(
        name="streamBookMaxAgeSeconds",
        attribute="stream_book_max_age_seconds",
        kind=Kind.WHOLE,
        default=15,
        low=Decimal(0),
        high=Decimal(60),
        description="How old a streamed book may be when a cycle plans with it, counted from the last moment at which "
        "the stream knew it to be true. Older ones, and all at 0, are asked for by REST. An order is always priced "
        "from a book fetched for it.",
    ),
    Setting(
        name="priceBandBps",
        attribute="price_band_bps",
        kind=Kind.WHOLE,
        default=1_000,
        low=Decimal(0),
        high=Decimal(1_000_000),
        description="How far the ask or the middle of a mapped market must move from where the last cycle saw it to "
        "wake a cycle, in hundredths of a per cent. 1000 is a tenth: two ticks of a share of 2 cents. 0: never.",
    ),
    Setting(
        name="priceWakeSeconds",
        attribute="price_wake_seconds",
        kind=Kind.WHOLE,
        default=30,
        low=Decimal(1),
        high=Decimal(86_400),
        description="The least time between two cycles that prices wake. A nervous market costs look-ups otherwise.",
    ),
    Setting(
        name="mappingSuspendDaysBeforeEnd",
        attribute="mapping_suspend_days_before_end",
        kind=Kind.WHOLE,
        default=7,
        low=Decimal(0),
        high=Decimal(365),
        description="A market that ends in fewer days is bought no more. 7 is the shortest term of a policy: below, "
        "the market ends before any policy sold now, and its price already says how it will.",
    ),
    Setting(
        name="balanceMinimum",
        attribute="balance_usd_min",
        kind=Kind.DECIMAL,
        default=Decimal("1000"),
        low=Decimal(0),
        high=Decimal(100_000_000),
        description="The least that should lie at each venue, USD. Below it the doctor warns; nothing is stopped.",
    ),
    Setting(
        name="attributionEverySeconds",
        attribute="attribution_every_seconds",
        kind=Kind.WHOLE,
        default=3600,
        low=Decimal(0),
        high=Decimal(86_400),
        description="How often the purchases on a market that more than 10,000 policies share are divided among them. "
        "Until then they are counted for their products, so plans, limits and sales see them; a claim's recovery "
        "waits for the division.",
    ),
    Setting(
        name="restingEnabled",
        attribute="resting_enabled",
        kind=Kind.SWITCH,
        default=False,
        description="Whether the part of a decision that the book does not offer within the slippage cap rests as a "
        "bid, one tick above the best one and never taking. It is cheaper (no taker fee) and uncertain: it is filled "
        "only when somebody sells, and until it ends that part is not bought otherwise.",
    ),
    Setting(
        name="restingSeconds",
        attribute="resting_seconds",
        kind=Kind.WHOLE,
        default=900,
        low=Decimal(300),
        high=Decimal(86_400),
        description="How long a bid rests before the venue itself ends it. At least 300: the venue takes none that end "
        "sooner than 180 seconds after they arrive.",
    ),
    Setting(
        name="restingMaxNotional",
        attribute="resting_notional_usd_max",
        kind=Kind.DECIMAL,
        default=Decimal("1000"),
        low=Decimal(1),
        high=Decimal(1_000_000),
        description="The most money in one bid that rests, USD. Whoever knows more than we do sells into it, so that "
        "it bounds what one piece of news can cost.",
    ),
    Setting(
        name="restingDriftTicks",
        attribute="resting_drift_ticks",
        kind=Kind.WHOLE,
        default=2,
        low=Decimal(0),
        high=Decimal(1_000),
        description="How many ticks the price that the rule gives may move away from a bid that rests before the bid "
        "is withdrawn.",
    ),
)

SETTINGS: Mapping[str, Setting] = {item.name: item for item in _REGISTRY}
"""Every setting by its name."""


def setting(name: str) -> Setting:
    """The setting of that name. Raises Refused (field `key`) with the list of valid keys."""
    found = SETTINGS.get(name)
    if found is None:
        raise Refused(
            f"key: there is no setting {name!r}; valid keys are {', '.join(sorted(SETTINGS))}",
            code="unknown_key",
            field="key",
        )
    return found


def parse_value(name: str, value: Any) -> Any:
    """The typed value of a setting. Raises Refused for an unknown key, a wrong type and a value out of range."""
    return setting(name).parse(value)


def settings_from(stored: Mapping[str, Any]) -> HedgeSettings:
    """The settings that rows of {key: JSON value} give; defaults for the rest. Raises Refused like `parse_value`."""
    values = {item.attribute: item.default for item in SETTINGS.values()}
    for name, value in stored.items():
        values[setting(name).attribute] = parse_value(name, value)
    return HedgeSettings(**values)


# A setting that nothing reads, or a field without a setting, is a mistake that must not wait for its first use.
if {item.attribute for item in _REGISTRY} != {item.name for item in fields(HedgeSettings)}:
    raise AssertionError("the registry and HedgeSettings name different settings")
