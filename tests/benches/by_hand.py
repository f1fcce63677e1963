"""The cycle's work by hand: SQL and NumPy with nothing that a book needs (no rules, no history, no second chance).

What the same exposure, prices, orders and division cost at the least, on the same database, venue and machine.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import time
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from coincurve import PrivateKey
from django.db import connection, transaction

from hedging.domain.purchases import Owners
from policies.selectors.exposure import exposure_by_product
from policies.selectors.policies import policies_in_force_weights
from tests.benches.loopback import ASK
from tonsurance.plumbing.copying import Int8, Numeric, copy_rows
from venues.adapters.polymarket.order_hash import (
    BYTES32_ZERO,
    OrderFields,
    address_word,
    digest_of,
    domain_separator,
    fields_hash,
)

BATCH = 15
PRICE_MICRO = 40_000

_TABLES = """
    DROP TABLE IF EXISTS hand_order, hand_fill, hand_slice;
    CREATE TABLE hand_order (name text, product int, token text, payload text, size numeric(28,8), usd numeric(24,6));
    CREATE TABLE hand_fill (id bigint, name text, size numeric(28,8), usd numeric(24,6));
    CREATE TABLE hand_slice (policy_id bigint, fill_id bigint, size numeric(28,8), usd numeric(24,6));
    CREATE INDEX hand_slice_policy ON hand_slice (policy_id)"""


class ByHand:
    """One account at the loopback venue: `markets` as (product, token), `ratios` the part of a cover to spend."""

    def __init__(
        self, account: dict[str, Any], markets: list[tuple[int, str]], ratios: dict[int, Decimal]
    ) -> None:
        self.markets = markets
        self._ratios = ratios
        self._account = account
        self._key = PrivateKey(bytes.fromhex(account["private_key"][2:]))
        self._secret = base64.urlsafe_b64decode(account["secret"])
        self._separator = domain_separator(
            chain_id=account["chain_id"], exchange=account["exchange"], version="2"
        )
        self._address = "0x" + _address_of(self._key)
        host = urlsplit(account["clob_url"])
        self._wire = http.client.HTTPConnection(str(host.hostname), host.port)
        with connection.cursor() as cursor:
            cursor.execute(_TABLES)

    def clear(self) -> None:
        """Forget the last run."""
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE hand_order, hand_fill, hand_slice")

    def run(self) -> dict[str, float]:
        """Read, decide, write, sign, send, divide, store; seconds until the last order was sent, and of all."""
        began = time.perf_counter()
        exposure = exposure_by_product()
        shares = np.bincount([product for product, _ in self.markets])
        orders = []
        for number, (product, token) in enumerate(self.markets):
            if product not in exposure:
                continue
            # What can be paid out is never more than the cover.
            coverage = exposure[product].coverage_usd / int(shares[product])
            cents = int(min(coverage * self._ratios[product], coverage * PRICE_MICRO / 1_000_000) * 100)
            size = cents * 1_000_000 // PRICE_MICRO * 10_000 // 10_000
            orders.append(self._order(number, product, token, cents * 10_000, size * 10_000))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO hand_order VALUES (%s, %s, %s, %s, %s, %s)",
                [
                    (name, product, token, payload, size / 1e6, usd / 1e6)
                    for name, product, token, payload, size, usd in orders
                ],
            )
        for start in range(0, len(orders), BATCH):
            self._post("[" + ",".join(row[3] for row in orders[start : start + BATCH]) + "]")
        sent = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO hand_fill VALUES (%s, %s, %s, %s)",
                [(number, row[0], row[4] / 1e6, row[5] / 1e6) for number, row in enumerate(orders)],
            )
            self._divide(orders)
        return {"sent": sent - began, "all": time.perf_counter() - began}

    def _order(self, number: int, product: int, token: str, usd: int, size: int) -> tuple[Any, ...]:
        moment = time.time_ns() // 1_000_000
        fields = OrderFields(
            salt=number + 1,
            maker=address_word(self._address),
            signer=address_word(self._address),
            token_id=int(token),
            maker_amount=usd,
            taker_amount=size,
            side=0,
            signature_type=0,
            timestamp_ms=moment,
        )
        digest = digest_of(self._separator, fields_hash(fields))
        raw = self._key.sign_recoverable(digest, hasher=None)
        payload = {
            "deferExec": False,
            "order": {
                "salt": number + 1,
                "maker": self._address,
                "signer": self._address,
                "tokenId": token,
                "makerAmount": str(usd),
                "takerAmount": str(size),
                "side": "BUY",
                "signatureType": 0,
                "timestamp": str(moment),
                "expiration": "0",
                "metadata": BYTES32_ZERO,
                "builder": BYTES32_ZERO,
                "signature": "0x" + (raw[:64] + bytes((raw[64] + 27,))).hex(),
            },
            "orderType": "FAK",
            "owner": self._account["api_key"],
        }
        return "0x" + digest.hex(), product, token, json.dumps(payload, separators=(",", ":")), size, usd

    def _post(self, body: str) -> None:
        stamp = str(int(time.time()))
        signature = hmac.new(self._secret, f"{stamp}POST/orders{body}".encode(), hashlib.sha256).digest()
        headers = {
            "POLY_ADDRESS": self._address,
            "POLY_SIGNATURE": base64.urlsafe_b64encode(signature).decode(),
            "POLY_TIMESTAMP": stamp,
            "POLY_API_KEY": self._account["api_key"],
            "POLY_PASSPHRASE": self._account["passphrase"],
            "Content-Type": "application/json",
        }
        self._wire.request("POST", "/clob/orders", body=body, headers=headers)
        answer = json.loads(self._wire.getresponse().read())
        if not all(item["success"] for item in answer):
            raise RuntimeError(f"the venue refused: {answer[:1]}")

    def _divide(self, orders: list[tuple[Any, ...]]) -> None:
        weights = policies_in_force_weights([row[1] for row in orders])
        owners = Owners.of(weights.ids, weights.product_ids, weights.coverage_micro).by_product
        ids, fills, sizes, costs = [], [], [], []
        for number, row in enumerate(orders):
            policies, coverage = owners[row[1]]
            size = _parts(row[4], coverage)
            ids.append(policies)
            fills.append(np.full(len(policies), number, dtype=np.int64))
            sizes.append(size)
            costs.append(_parts(row[5], size))
        every = np.concatenate(ids)
        copy_rows(
            "hand_slice",
            {
                "policy_id": Int8(every),
                "fill_id": Int8(np.concatenate(fills)),
                "size": Numeric(np.concatenate(sizes)),
                "usd": Numeric(np.concatenate(costs)),
            },
            count=len(every),
        )


def _parts(units: int, weights: np.ndarray) -> np.ndarray:
    """Largest remainder, exact in int64 (the remainders wrap around and stay right)."""
    whole = int(weights.sum())
    parts = np.floor(weights * (units / whole)).astype(np.int64)
    with np.errstate(over="ignore"):
        rest = weights * np.int64(units) - parts * np.int64(whole)
    parts += (rest >= whole).astype(np.int64) - (rest < 0).astype(np.int64)
    left = units - int(parts.sum())
    if left:
        parts[np.argpartition(-rest, left - 1)[:left]] += 1
    return parts


def _address_of(key: PrivateKey) -> str:
    import sha3

    return str(sha3.keccak_256(key.public_key.format(compressed=False)[1:]).hexdigest()[-40:])


assert float(ASK) * 1_000_000 == PRICE_MICRO, "the price by hand is the loopback venue's"
