"""From a request to the exact bytes we will send, and from bytes back to the name of the order in them.

Nothing here uses the network, a clock or a random number: the same request gives the same bytes, so that a
decision whose record was lost is made again with the same identity.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tonsurance.kernel.clock import epoch_ms
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.ids import derived_salt
from tonsurance.kernel.money import from_micro
from venues.adapters.polymarket.amounts import amounts_of
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.domains import domain_of
from venues.adapters.polymarket.lifetimes import expiration_of, fence_of
from venues.adapters.polymarket.order_hash import (
    BYTES32_ZERO,
    SIDES,
    OrderFields,
    address_word,
    digest_of,
    struct_hash,
)
from venues.adapters.polymarket.signers import DEPOSIT_WALLET, OrderSigner, is_signed_by, separator_of
from venues.domain.gateway import OrderRequest, Prepared, Side


class ForeignPayload(ValueError):
    """Stored bytes that are not an order of this account at this exchange, and therefore must not be sent."""


def prepare_order(request: OrderRequest, *, config: PolymarketConfig, signer: OrderSigner) -> Prepared:
    """The order's id and bytes. Raises Refused when the market's rules or missing credentials forbid it."""
    if not config.has_credentials:
        raise Refused(
            "POLYMARKET_API_KEY: an order names the API key it is sent with; derive the credentials first",
            code="credentials_missing",
            field="POLYMARKET_API_KEY",
        )
    domain = domain_of(request.terms, domains=config.domains)
    amounts = amounts_of(request)
    expiration = expiration_of(request)
    fields = OrderFields(
        salt=derived_salt(config.salt_secret, request.decision_key, request.generation),
        maker=address_word(config.wallet),
        signer=address_word(_signer_field(config)),
        token_id=int(request.terms.instrument_id),
        maker_amount=amounts.maker,
        taker_amount=amounts.taker,
        side=SIDES[request.side.value],
        signature_type=config.signature_type,
        timestamp_ms=epoch_ms(request.created_at),
    )
    signed = signer.sign(fields, domain)
    body = _body(
        request, fields, config=config, expiration=expiration, signature="0x" + signed.signature.hex()
    )
    is_buy = request.side is Side.BUY
    return Prepared(
        client_order_id="0x" + signed.digest.hex(),
        payload=json.dumps(body, separators=(",", ":"), ensure_ascii=True).encode("ascii"),
        salt=fields.salt,
        size=from_micro(amounts.taker if is_buy else amounts.maker),
        notional_usd=from_micro(amounts.maker if is_buy else amounts.taker),
        price_limit=request.price_limit,
        fence_at=fence_of(expiration),
    )


def _signer_field(config: PolymarketConfig) -> str:
    """Whom the order names as its signer: a deposit wallet signs for itself."""
    return config.wallet if config.signature_type == DEPOSIT_WALLET else config.signer


def _body(
    request: OrderRequest, fields: OrderFields, *, config: PolymarketConfig, expiration: int, signature: str
) -> dict[str, Any]:
    """The body of `POST /order`, key by key as the official client writes it (a test compares the bytes)."""
    body: dict[str, Any] = {
        "deferExec": False,
        "order": {
            "builder": BYTES32_ZERO,
            "expiration": str(expiration),
            "maker": config.wallet,
            "makerAmount": str(fields.maker_amount),
            "metadata": BYTES32_ZERO,
            "salt": fields.salt,
            "side": request.side.value,
            "signature": signature,
            "signatureType": fields.signature_type,
            "signer": _signer_field(config),
            "takerAmount": str(fields.taker_amount),
            "timestamp": str(fields.timestamp_ms),
            "tokenId": request.terms.instrument_id,
        },
        "orderType": request.time_in_force.value,
        "owner": config.api_key,
    }
    if request.post_only:
        body["postOnly"] = True
    return body


class Identity(NamedTuple):
    """Which order a payload is."""

    order_id: str
    side: Side


def identity_in(payload: bytes, *, config: PolymarketConfig) -> Identity:
    """The order in bytes that `prepare_order` made for the same account.

    The body does not say which exchange it was signed for; the signature does, also for an exchange that is retired by
    now. Raises ForeignPayload.
    """
    try:
        order: dict[str, Any] = json.loads(payload)["order"]
        signature = bytes.fromhex(order["signature"].removeprefix("0x"))
        is_ours = (
            str(order["maker"]).lower() == config.wallet.lower()
            and order["signatureType"] == config.signature_type
        )
        hashed = struct_hash(order)
        for domain in config.domains if is_ours else ():
            separator = separator_of(domain, chain_id=config.chain_id)
            if is_signed_by(config, signature=signature, separator=separator, hashed=hashed):
                return Identity("0x" + digest_of(separator, hashed).hex(), Side(order["side"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ForeignPayload("the stored bytes are not an order") from error
    raise ForeignPayload("the stored bytes are not an order of this account at this exchange")
