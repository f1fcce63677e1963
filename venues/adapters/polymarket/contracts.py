"""The exchange contracts of the day this was written, from which the table starts.

Source: docs.polymarket.com/resources/contracts. The next ones are rows, not constants.
"""

from __future__ import annotations

from typing import Final

from venues.domain.exchanges import ExchangeDomain, PositionIds

DOMAIN_NAME: Final = "Polymarket CTF Exchange"
EXCHANGE: Final = "0xE111180000d2663C0091e4f400237545B87B996B"
NEG_RISK_EXCHANGE: Final = "0xe2222d279d744050d28e00520010520000310F59"
EXCHANGE_V3: Final = "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"
RETIRED: Final = (
    "0x4bFb41d5B3570DeFd03C39a9A4D8dE6Bd8B8982E",
    "0xC5d563A36AE78145C45a50134d48A1215220f80a",
)
# The practice exchange's own (venues/simulators/polymarket/config.py): no signature for them is worth anything.
PRACTICE_EXCHANGE: Final = "0x3133700000000000000000000000000000000002"
PRACTICE_NEG_RISK_EXCHANGE: Final = "0x3133700000000000000000000000000000000012"
PRACTICE_EXCHANGE_V3: Final = "0x3133700000000000000000000000000000000003"


def first_domains() -> dict[int, tuple[ExchangeDomain, ...]]:
    """Chain id -> the rows that the table starts from."""
    return {
        137: domains_from(exchange=EXCHANGE, neg_risk_exchange=NEG_RISK_EXCHANGE, exchange_v3=EXCHANGE_V3),
        31337: domains_from(
            exchange=PRACTICE_EXCHANGE,
            neg_risk_exchange=PRACTICE_NEG_RISK_EXCHANGE,
            exchange_v3=PRACTICE_EXCHANGE_V3,
        ),
    }


def domains_from(*, exchange: str, neg_risk_exchange: str, exchange_v3: str) -> tuple[ExchangeDomain, ...]:
    """The three domains of these contracts, as the venue has them since its Protocol V2."""
    rows = (
        (exchange, "2", False, PositionIds.CTF, "v1"),
        (neg_risk_exchange, "2", True, PositionIds.CTF, "v1"),
        (exchange_v3, "3", None, PositionIds.PROTOCOL_V2, "v2"),
    )
    return tuple(
        ExchangeDomain(
            version=version,
            neg_risk=neg_risk,
            contract=contract,
            name=DOMAIN_NAME,
            position_ids=position_ids,
            market_version=market_version,
        )
        for contract, version, neg_risk, position_ids, market_version in rows
    )
