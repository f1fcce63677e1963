"""Points this process at the loopback venue, with an account of a new key, and maps products to its markets."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
from django.conf import settings
from django.db import connection
from django.test import override_settings
from eth_utils.crypto import keccak

from hedging.models import Mapping, RiskBucket
from hedging.services.config import config_set
from hedging.services.seeding import book_ensure
from policies.models import Product
from policies.selectors.exposure import exposure_by_product
from tonsurance.plumbing.buckets import bucket_ensure
from venues.models import Instrument
from venues.registry import gateway_for, gateways_forget
from venues.services.budgets import bucket_name
from venues.simulators.polymarket.config import contracts

VENUE = "polymarket"
CONTRACTS = contracts()
"""The practice chain's, so that no signature of a bench is worth anything elsewhere."""
ORDERS = 560
HEDGE_USD = Decimal(20_000)


@contextmanager
def loopback_desk() -> Iterator[str]:
    """Settings that trade with a loopback venue of its own process; gives its address."""
    environment = os.environ | {
        "POLYMARKET_CHAIN_ID": str(CONTRACTS["chain_id"]),
        "POLYMARKET_EXCHANGE_ADDRESS": str(CONTRACTS["standard_exchange"]),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benches.loopback"], stdout=subprocess.PIPE, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            base = f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
            with override_settings(TRADING_ENVIRONMENT="PRACTICE", POLYMARKET=_account(base)):
                gateways_forget()
                yield base
            gateways_forget()
        finally:
            process.kill()


def _account(base: str) -> dict[str, Any]:
    values: dict[str, Any] = dict(settings.POLYMARKET)
    return values | {
        "clob_url": f"{base}/clob",
        "gamma_url": f"{base}/gamma",
        "data_url": f"{base}/data",
        "relayer_url": f"{base}/relayer",
        "rpc_url": f"{base}/rpc",
        "geoblock_url": f"{base}/geo/api/geoblock",
        "chain_id": CONTRACTS["chain_id"],
        "exchange": CONTRACTS["standard_exchange"],
        "neg_risk_exchange": CONTRACTS["neg_risk_exchange"],
        "exchange_v3": CONTRACTS["exchange_v3"],
        "private_key": "0x" + secrets.token_hex(32),
        "api_key": str(uuid.uuid4()),
        "secret": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "passphrase": secrets.token_hex(16),
        "wallet": "",
        "signature_type": 0,
        "salt_secret": secrets.token_hex(32),
        "live_allowed": False,
    }


def book_open(*, now: datetime, markets: int = ORDERS) -> None:
    """Limits that never bind, budgets that always grant, and `markets` markets mapped to the valid products in turn."""
    book_ensure()
    RiskBucket.objects.update(cap_usd=Decimal(10**12))
    for key, value in {
        "enabled": True,
        "venueShares": {VENUE: "1", "binance_futures": "0", "allianz": "0"},
        "maxNotionalPerOrder": 1_000_000,
    }.items():
        config_set(key, value, actor="bench", reason="the bench", now=now)
    ratios_set()
    _markets(markets, now=now)
    budgets_open()


def ratios_set() -> None:
    """Hedge about $20,000 a product, so that each market's decision is one order within the venue's largest."""
    kept = exposure_by_product()
    products = list(Product.objects.all())
    for product in products:
        coverage = kept[product.pk].coverage_usd if product.pk in kept else Decimal(0)
        ratio = min(Decimal("0.2"), HEDGE_USD / coverage) if coverage else Decimal("0.2")
        product.hedge_ratio = ratio.quantize(Decimal("0.000001"))
    Product.objects.bulk_update(products, ["hedge_ratio"])


def budgets_open() -> None:
    """The venue's own limit is what we compare with, so it must not slow us here."""
    for charges in gateway_for(VENUE).budget_plan().values():
        for charge in charges:
            bucket_ensure(
                bucket_name(VENUE, charge.bucket.name), capacity=Decimal(10**6), rate=Decimal(10**5)
            )


def _markets(count: int, *, now: datetime) -> None:
    rows = Instrument.objects.bulk_create([_instrument(number, now=now) for number in range(count)])
    products = list(Product.objects.filter(is_valid=True).order_by("pk"))
    Mapping.objects.bulk_create(
        [
            Mapping(
                product=products[number % len(products)],
                instrument=row,
                grade=Mapping.Grade.DIRECT,
                pays_on="the insured event",
                state=Mapping.State.APPROVED,
                approved_by="bench",
                approved_at=now,
                approved_wording_hash=row.wording_hash,
                changed_by="bench",
            )
            for number, row in enumerate(rows)
        ]
    )


def _instrument(number: int, *, now: datetime) -> Instrument:
    # Outcome tokens are hashes: a small number would be taken for one of the venue's newer kind.
    token = str(int.from_bytes(keccak(text=f"token {number}"), "big"))
    return Instrument(
        venue_id=VENUE,
        instrument_id=token,
        condition_id=f"0x{number:064x}",
        market_id=str(number),
        slug=f"bench-{number}",
        question=f"Will event {number} happen?",
        wording_hash=f"{number:064x}",
        outcome="Yes",
        tick_size=Decimal("0.001"),
        size_min=Decimal(5),
        notional_usd_min=Decimal(1),
        fee_rate=Decimal(0),
        exchange_domain="2",
        accepting_orders=True,
        end_at=now + timedelta(days=365),
        refreshed_at=now,
    )


def book_clear(base: str) -> None:
    """Forget every decision and trade on both sides; the policies and mappings stay."""
    httpx.post(f"{base}/forget").raise_for_status()
    with connection.cursor() as cursor:
        cursor.execute(
            """TRUNCATE hedging_cycle, hedging_cycleleg, hedging_cycletarget, hedging_intent, hedging_intentdemand,
               hedging_intentslice, hedging_order, hedging_orderattempt, hedging_orderevent, hedging_fill,
               hedging_fillevent, hedging_position, hedging_attribution, hedging_hedgeposition, hedging_heldshare,
               hedging_endedpolicy, venues_booksnapshot CASCADE"""
        )
