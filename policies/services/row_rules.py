"""The rules that a row of an import file must keep, each as SQL with the words for the person who broke
it.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.domain import coverage


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """`good` is SQL over the typed row (services/rows.py); a row for which it is not true has this fault."""

    column: str
    good: str
    message: str
    remedy: str


RULES = (
    Rule(
        column="external_id",
        # The pattern without its bound: counting repetitions makes it six times as slow. It leaves one byte a letter.
        good="external_id ~ '^[A-Za-z0-9][A-Za-z0-9._:-]*$' AND octet_length(external_id) <= 64",
        message="is missing or not a name we can keep",
        remedy="use 1 to 64 letters, digits and . _ : - beginning with a letter or digit",
    ),
    Rule(
        column="holder",
        # Something beside blanks, and nothing that cannot be printed; letters are counted only where bytes are many.
        good="holder ~ '^ *[^[:cntrl:] ][^[:cntrl:]]*$' "
        f"AND (octet_length(holder) <= {coverage.HOLDER_LENGTH_MAX} OR length(holder) <= {coverage.HOLDER_LENGTH_MAX})",
        message="is missing or cannot be printed",
        remedy=f"give 1 to {coverage.HOLDER_LENGTH_MAX} printable characters",
    ),
    Rule(
        column="coverage_type",
        good="product_id IS NOT NULL",
        message="with chain and stablecoin names no product",
        remedy="use the words of the catalogue, for instance depeg, ethereum, USDC",
    ),
    Rule(
        column="coverage_type",
        good="is_valid IS NOT FALSE",
        message="does not exist on this chain",
        remedy="choose another chain or coverage type; there are no contracts and no oracles on Bitcoin",
    ),
    Rule(
        column="coverage_type",
        good="life IS NULL OR life = 'active' OR is_valid IS FALSE",
        message="names a product that is not sold now",
        remedy="choose a product whose life is active",
    ),
    Rule(
        column="coverage_usd",
        good="coverage_usd IS NOT NULL AND scale(coverage_usd) <= 6",
        message="is not an amount",
        remedy="write US dollars with a point and at most six decimal places, for instance 100000.00",
    ),
    Rule(
        column="coverage_usd",
        good="coverage_usd IS NULL OR scale(coverage_usd) IS NULL OR coverage_usd_min IS NULL "
        "OR coverage_usd BETWEEN coverage_usd_min AND coverage_usd_max",
        message="is outside the product's limits",
        remedy="choose a coverage between the product's least and most coverage of one policy",
    ),
    Rule(
        column="premium_usd",
        good="premium_usd >= 0 AND scale(premium_usd) <= 6",
        message="is not an amount",
        remedy="write the premium paid in US dollars with at most six decimal places",
    ),
    Rule(
        column="premium_usd",
        good="premium_usd < coverage_usd OR scale(premium_usd) IS NULL OR scale(coverage_usd) IS NULL "
        "OR coverage_usd <= 0",
        message="is not less than the coverage",
        remedy="check whether the columns are swapped",
    ),
    Rule(
        column="starts_at",
        good="starts_at IS NOT NULL",
        message="is not a moment",
        remedy="write ISO 8601, for instance 2026-01-31T12:00:00Z; without a zone it is UTC",
    ),
    Rule(
        column="starts_at",
        good=f"starts_at IS NULL OR starts_at <= %(now)s + interval '{coverage.START_AHEAD_MAX.days} days'",
        message="is too far ahead",
        remedy=f"give a start within {coverage.START_AHEAD_MAX.days} days",
    ),
    Rule(
        column="expires_at",
        good="expires_at IS NOT NULL",
        message="is not a moment",
        remedy="write ISO 8601, for instance 2026-01-31T12:00:00Z; without a zone it is UTC",
    ),
    Rule(
        column="expires_at",
        good="starts_at IS NULL OR expires_at IS NULL OR expires_at > starts_at",
        message="is not after starts_at",
        remedy="give an expires_at that lies after starts_at",
    ),
    Rule(
        column="expires_at",
        good="starts_at IS NULL OR expires_at IS NULL OR expires_at <= starts_at OR expires_at - starts_at "
        f"BETWEEN interval '{coverage.DURATION_DAYS_MIN} days' AND interval '{coverage.DURATION_DAYS_MAX} days'",
        message=f"is not {coverage.DURATION_DAYS_MIN} to {coverage.DURATION_DAYS_MAX} days after starts_at",
        remedy=f"choose a term of {coverage.DURATION_DAYS_MIN} to {coverage.DURATION_DAYS_MAX} days",
    ),
    Rule(
        column="expires_at",
        good="expires_at IS NULL OR expires_at > %(now)s",
        message="is in the past",
        remedy="import only cover that is in force or to come",
    ),
    Rule(
        column="trigger_price",
        good="trigger_price IS NULL OR (trigger_price > 0 AND trigger_price < 1 AND scale(trigger_price) <= 10)",
        message="is not a price between 0 and 1",
        remedy=f"write US dollars per coin below 1, for instance {coverage.TRIGGER_PRICE_DEFAULT}, or leave it empty",
    ),
    Rule(
        column="trigger_window_s",
        good="trigger_window_s IS NULL OR trigger_window_s "
        f"BETWEEN {coverage.TRIGGER_WINDOW_S_MIN} AND {coverage.TRIGGER_WINDOW_S_MAX}",
        message=f"is not {coverage.TRIGGER_WINDOW_S_MIN} to {coverage.TRIGGER_WINDOW_S_MAX} seconds",
        remedy=f"write whole seconds, for instance {coverage.TRIGGER_WINDOW_S_DEFAULT}, or leave it empty",
    ),
    Rule(
        column="trigger_price",
        good="coverage_type = 'depeg' OR (trigger_price IS NULL AND trigger_window_s IS NULL)",
        message="is given, but only depeg cover has a price trigger",
        remedy="leave trigger_price and trigger_window_s empty",
    ),
)
# Faults that only show beside other rows; their bits follow those of RULES.
REPEATED = Rule(
    column="external_id",
    good="",
    message="stands in an earlier row of this file",
    remedy="give every policy a row and an id of its own",
)
TAKEN = Rule(
    column="external_id",
    good="",
    message="is in the book already, on other terms",
    remedy="choose a new id for a new policy, or make the row equal to the policy in the book",
)
OVER_LIMIT = Rule(
    column="coverage_usd",
    good="",
    message="would lift the product's exposure above its limit",
    remedy="leave the policy out, or raise the product's exposure limit",
)
ALL_RULES = (*RULES, REPEATED, TAKEN, OVER_LIMIT)


def rule_bit(rule: Rule) -> int:
    """The rule's bit in a row's `fault`."""
    return 1 << ALL_RULES.index(rule)
