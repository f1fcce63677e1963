"""Hashing and signing one order: our encoder against the bare ECDSA signature of 32 bytes that it cannot do without.

The baseline is libsecp256k1's `sign_recoverable` (coincurve) on digests that are already there; ours starts from the
order's fields and ends with the bytes that travel. A deposit wallet's order (type 3) is hashed twice and counts as the
worse of the two. `policies` is the number of orders of a round. Thread CPU time.

In the same run orders of both types for all three exchange contracts are signed by the official client too, and every
byte of the request must be equal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from coincurve import PrivateKey

from tests.benches.result import BenchResult, BenchScale, Figure, Goal, WrongAnswer
from tests.benches.rounds import Paired, cpu, paired
from tests.venues.adapters.polymarket.samples import (
    CREATED_AT,
    KEY,
    PRODUCTION,
    TOKEN,
    TOKEN_V3,
    WALLET,
    request,
    terms,
)
from venues.adapters.polymarket.config import PolymarketConfig, config_from
from venues.adapters.polymarket.environment import sign_order
from venues.adapters.polymarket.order_hash import OrderFields, address_word
from venues.adapters.polymarket.signers import ClientSigner, OwnSigner, account_of
from venues.adapters.polymarket.signing import prepare_order
from venues.domain.exchanges import ExchangeDomain
from venues.domain.gateway import OrderRequest, Side, TimeInForce

NEEDS_DATABASE = False
PLAIN = Goal(name="an order of the key's own address (type 0), cost of a bare signature", at_most=1.5)
NESTED = Goal(name="an order of a deposit wallet (type 3), cost of a bare signature", at_most=1.5)
GOALS = (PLAIN, NESTED)
FULL = BenchScale(policies=2_000, rounds=31)
SMALL = BenchScale(policies=200, rounds=5)

_COMPARED = 50


def run(scale: BenchScale) -> BenchResult:
    """Compare every byte with the official client's, then measure."""
    plain, nested = _config(signature_type=0, wallet=""), _config(signature_type=3, wallet=WALLET)
    compared = sum(_compare(config) for config in (plain, nested))
    first, second = (_measure(config, scale) for config in (plain, nested))
    client_s = _client_s(plain, orders=max(20, scale.policies // 20), rounds=scale.rounds)
    per_order = 1e6 / scale.policies
    return BenchResult(
        ratios={PLAIN.name: first.cost, NESTED.name: second.cost},
        figures=(
            Figure(name="bare signature", value=first.baseline_s * per_order, unit="µs"),
            Figure(name="ours, type 0", value=first.ours_s * per_order, unit="µs"),
            Figure(name="ours, type 3", value=second.ours_s * per_order, unit="µs"),
            Figure(name="official client, type 0", value=client_s * 1e6, unit="µs"),
        ),
        notes=(
            f"{compared} requests of two types for three contracts: every byte equal to the official client's",
        ),
    )


def _config(**account: object) -> PolymarketConfig:
    return config_from(PRODUCTION | account)


def _fields(config: PolymarketConfig, count: int) -> list[OrderFields]:
    signer = config.wallet if config.signature_type == 3 else config.signer
    return [
        OrderFields(
            salt=2**52 + number,
            maker=address_word(config.wallet),
            signer=address_word(signer),
            token_id=int(TOKEN),
            maker_amount=1_000_000 + number,
            taker_amount=50_000_000,
            side=0,
            signature_type=config.signature_type,
            timestamp_ms=1_700_000_000_000 + number,
        )
        for number in range(count)
    ]


def _measure(config: PolymarketConfig, scale: BenchScale) -> Paired:
    signer, domain = OwnSigner(config), config.domains[0]
    fields = _fields(config, scale.policies)
    digests = [signer.sign(item, domain).digest for item in fields]
    key = PrivateKey(bytes.fromhex(KEY[2:]))

    def ours() -> None:
        for item in fields:
            signer.sign(item, domain)

    def baseline() -> None:
        for digest in digests:
            key.sign_recoverable(digest, hasher=None)

    return paired(scale.rounds, ours=ours, baseline=baseline, clock=cpu)


def _client_s(config: PolymarketConfig, *, orders: int, rounds: int) -> float:
    """Seconds per order of the official client's signer, beside ours in the same rounds."""
    client, own, domain = ClientSigner(config), OwnSigner(config), config.domains[0]
    fields = _fields(config, orders)

    def sign_all(signer: ClientSigner | OwnSigner) -> None:
        for item in fields:
            signer.sign(item, domain)

    measured = paired(
        min(rounds, 5), ours=lambda: sign_all(own), baseline=lambda: sign_all(client), clock=cpu
    )
    return measured.baseline_s / orders


def _compare(config: PolymarketConfig) -> int:
    """How many requests were compared, for every contract. Raises WrongAnswer for one that differs by a byte."""
    ours = OwnSigner(config)
    compared = 0
    for domain in config.domains:
        for order in _orders(domain):
            found = prepare_order(order, config=config, signer=ours)
            expected = _by_the_client(order, json.loads(found.payload)["order"], config=config, domain=domain)
            if found.payload != expected:
                raise WrongAnswer(f"order {compared} for {domain.contract} differs: {found.payload!r}")
            compared += 1
    return compared


def _orders(domain: ExchangeDomain) -> Sequence[OrderRequest]:
    token = TOKEN_V3 if domain.version == "3" else TOKEN
    market = terms(instrument_id=token, exchange_domain=domain.version, neg_risk=domain.neg_risk is True)
    return [
        request(
            terms=market,
            side=(Side.BUY, Side.SELL)[number % 2],
            time_in_force=(TimeInForce.FAK, TimeInForce.FOK, TimeInForce.GTD)[number % 3],
            size=Decimal(100 + number),
            notional_usd=Decimal(10 + number),
            decision_key=f"bench:{number}",
            created_at=CREATED_AT + timedelta(milliseconds=number),
            post_only=number % 6 == 5,
            expires_at=datetime(2026, 12, 31, tzinfo=UTC) if number % 3 == 2 else None,
        )
        for number in range(_COMPARED)
    ]


def _by_the_client(
    order: OrderRequest, sent: dict[str, str], *, config: PolymarketConfig, domain: ExchangeDomain
) -> bytes:
    """The request as the official client builds and signs it from the same salt, time and amounts."""
    body = sign_order(
        account=account_of(config),
        chain_id=config.chain_id,
        exchange=domain.contract,
        domain_version=domain.version,
        wallet=config.wallet,
        signature_type=config.signature_type,
        token_id=order.terms.instrument_id,
        side=order.side.value,
        maker_amount=int(sent["makerAmount"]),
        taker_amount=int(sent["takerAmount"]),
        salt=int(sent["salt"]),
        timestamp_ms=int(sent["timestamp"]),
        order_type=order.time_in_force.value,
        owner=config.api_key,
        expiration=int(sent["expiration"]),
        post_only=order.post_only,
    )
    return json.dumps(body, separators=(",", ":")).encode()
