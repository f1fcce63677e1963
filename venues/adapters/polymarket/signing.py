"""From a request to the exact bytes we will send, and from bytes back to the name of the order in them.

Nothing here uses the network, a clock or a random number: the same request gives the same bytes, so that a
decision whose record was lost is made again with the same identity.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from tonsurance.kernel.clock import epoch_ms
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.ids import derived_salt
from tonsurance.kernel.money import from_micro
from venues.adapters.polymarket.amounts import amounts_of
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.environment import is_v2_position_id, sign_order
from venues.adapters.polymarket.lifetimes import expiration_of, fence_of
from venues.adapters.polymarket.order_hash import domain_separator, order_digest, order_hash
from venues.domain.gateway import OrderRequest, Prepared, Side

_ECDSA_BYTES = 65


class ForeignPayload(ValueError):
    """Stored bytes that are not an order of this account at this exchange, and therefore must not be sent."""


def account_of(config: PolymarketConfig) -> LocalAccount:
    """The signing key, as the official client takes it."""
    account: LocalAccount = Account.from_key(config.private_key)
    return account


def prepare_order(request: OrderRequest, *, config: PolymarketConfig, account: LocalAccount) -> Prepared:
    """The order's id and bytes. Raises Refused when the market's rules or missing credentials forbid it."""
    if not config.has_credentials:
        raise Refused(
            "POLYMARKET_API_KEY: an order names the API key it is sent with; derive the credentials first",
            code="credentials_missing",
            field="POLYMARKET_API_KEY",
        )
    amounts = amounts_of(request)
    expiration = expiration_of(request)
    exchange, version = exchange_for(request, config=config)
    salt = derived_salt(config.salt_secret, request.decision_key, request.generation)
    body = sign_order(
        account=account,
        chain_id=config.chain_id,
        exchange=exchange,
        domain_version=version,
        wallet=config.wallet,
        signature_type=config.signature_type,
        token_id=request.terms.instrument_id,
        side=request.side.value,
        maker_amount=amounts.maker,
        taker_amount=amounts.taker,
        salt=salt,
        timestamp_ms=epoch_ms(request.created_at),
        order_type=request.time_in_force.value,
        owner=config.api_key,
        expiration=expiration,
        post_only=request.post_only,
    )
    is_buy = request.side is Side.BUY
    return Prepared(
        client_order_id=order_hash(
            body["order"], chain_id=config.chain_id, exchange=exchange, version=version
        ),
        payload=json.dumps(body, separators=(",", ":"), ensure_ascii=True).encode("ascii"),
        salt=salt,
        size=from_micro(amounts.taker if is_buy else amounts.maker),
        notional_usd=from_micro(amounts.maker if is_buy else amounts.taker),
        price_limit=request.price_limit,
        fence_at=fence_of(expiration),
    )


def exchange_for(request: OrderRequest, *, config: PolymarketConfig) -> tuple[str, str]:
    """(contract, domain version) that the market's orders are signed for. Raises Refused for a new one."""
    terms = request.terms
    implied = "3" if is_v2_position_id(terms.instrument_id) else "2"
    if terms.exchange_domain not in ("2", "3"):
        raise Refused(
            f"exchange_domain: {terms.exchange_domain!r} is a signing domain this code does not know; "
            "upgrade before trading this market",
            code="exchange_domain",
            field="exchange_domain",
        )
    if terms.exchange_domain != implied:
        raise Refused(
            f"exchange_domain: the market says {terms.exchange_domain}, its token id belongs to {implied}; "
            "refresh the market's terms",
            code="exchange_domain",
            field="exchange_domain",
        )
    if implied == "3":
        return config.exchange_v3, "3"
    return (config.neg_risk_exchange if terms.neg_risk else config.exchange), "2"


class Identity(NamedTuple):
    """Which order a payload is."""

    order_id: str
    side: Side


def identity_in(payload: bytes, *, config: PolymarketConfig) -> Identity:
    """The order in bytes that `prepare_order` made for the same account.

    The body does not say which exchange it was signed for; the signature does. Raises ForeignPayload.
    """
    try:
        order: dict[str, Any] = json.loads(payload)["order"]
        signature = bytes.fromhex(order["signature"].removeprefix("0x"))
        for exchange, version in config.exchanges:
            if _is_signed_for(order, signature, config=config, exchange=exchange, version=version):
                order_id = order_hash(order, chain_id=config.chain_id, exchange=exchange, version=version)
                return Identity(order_id, Side(order["side"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ForeignPayload("the stored bytes are not an order") from error
    raise ForeignPayload("the stored bytes are not an order of this account at this exchange")


def _is_signed_for(
    order: dict[str, Any], signature: bytes, *, config: PolymarketConfig, exchange: str, version: str
) -> bool:
    if (
        str(order["maker"]).lower() != config.wallet.lower()
        or order["signatureType"] != config.signature_type
    ):
        return False
    if config.signature_type == 3:
        # ERC-7739: the wire signature carries the exchange's domain separator after the 65 bytes of ECDSA.
        separator = domain_separator(chain_id=config.chain_id, exchange=exchange, version=version)
        return signature[_ECDSA_BYTES : _ECDSA_BYTES + 32] == separator
    if len(signature) != _ECDSA_BYTES:
        return False
    digest = order_digest(order, chain_id=config.chain_id, exchange=exchange, version=version)
    vrs = (signature[64] - 27, int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"))
    try:
        signer = Signature(vrs=vrs).recover_public_key_from_msg_hash(digest).to_checksum_address()
    except (BadSignature, ValidationError):
        return False
    return signer == config.signer
