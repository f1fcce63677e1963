"""The one file that reaches into the official client's private parts (polymarket-client 0.14.0).

The client has no public way to name another host, to build an order with a salt and time of our own, or to
sign without asking the network first. The private parts that can are pinned here by exact version and watched
by a smoke test (docs/adr/0002-polymarket-client.md).
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from eth_account.signers.local import LocalAccount
from polymarket._internal.actions.auth import create_or_derive_api_key_sync
from polymarket._internal.actions.orders.orders import create_signed_order
from polymarket._internal.actions.orders.post import build_post_order_request
from polymarket._internal.actions.orders.typed_data import build_order_signature, build_order_typed_data
from polymarket._internal.actions.orders.types import BYTES32_ZERO, OrderType, UnsignedOrder
from polymarket._internal.environment import PRODUCTION_CONFIG, create_environment
from polymarket._internal.hmac import build_hmac_signature
from polymarket._internal.l1_auth import sign_api_key_auth
from polymarket._internal.protocol import is_v2_position_id
from polymarket._internal.wallet import try_classify_wallet_type
from polymarket.clients._transport import SyncTransport
from polymarket.environments import Environment
from polymarket.models.types import ClobAssetId
from polymarket.types import EvmAddress, HexString

from venues.adapters.polymarket.config import POLYGON_CHAIN_ID, PolymarketConfig

PINNED_VERSION = "0.14.0"
_OTHER_URLS = ("rfq_url", "builder_gateway_url", "collateral_return_url", "perps_url")
_OTHER_WEBSOCKETS = ("rtds_ws_url", "sports_ws_url", "rfq_quoter_ws_url", "perps_ws_url", "realtime_ws_url")

__all__ = [
    "BYTES32_ZERO",
    "PINNED_VERSION",
    "build_hmac_signature",
    "create_credentials",
    "environment_for",
    "is_derived_wallet",
    "is_v2_position_id",
    "sign_order",
]


def environment_for(config: PolymarketConfig) -> Environment:
    """The official client's environment, pointed at our hosts, chain and exchanges and nowhere else."""
    replaced = dataclasses.replace(
        PRODUCTION_CONFIG,
        chain_id=config.chain_id,
        standard_exchange=config.exchange,
        neg_risk_exchange=config.neg_risk_exchange,
        exchange_v3=config.exchange_v3,
        clob_url=config.clob_url,
        gamma_url=config.gamma_url,
        data_url=config.data_url,
        relayer_url=config.relayer_url,
        rpc_url=config.rpc_url,
    )
    if config.chain_id == POLYGON_CHAIN_ID:
        return create_environment(name="production", config=replaced)
    # Away from production every other address points at the practice host too: a forgotten call ends there.
    host = urlsplit(config.clob_url)
    websocket = f"{host.scheme.replace('http', 'ws')}://{host.netloc}/ws"
    elsewhere = dict.fromkeys(_OTHER_URLS, config.clob_url) | dict.fromkeys(_OTHER_WEBSOCKETS, websocket)
    elsewhere |= {"clob_market_ws_url": f"{websocket}/market", "clob_user_ws_url": f"{websocket}/user"}
    return create_environment(name="practice", config=dataclasses.replace(replaced, **cast(Any, elsewhere)))


def is_derived_wallet(config: PolymarketConfig) -> bool | None:
    """Whether the wallet follows from the key as its signature type says; None where it may be a session key's."""
    kind = try_classify_wallet_type(
        signer=config.signer, wallet=config.wallet, config=PRODUCTION_CONFIG.wallet_derivation
    )
    if kind is None:
        return None
    return kind == {0: "EOA", 1: "POLY_PROXY", 2: "GNOSIS_SAFE", 3: "DEPOSIT_WALLET"}[config.signature_type]


def create_credentials(
    config: PolymarketConfig, *, account: LocalAccount, now_s: int
) -> tuple[str, str, str]:
    """(api key, secret, passphrase) of `account` at the venue, made or derived again. Uses the network.

    `POST /auth/api-key`, and `GET /auth/derive-api-key` when the venue answers 400 that it exists.
    """
    transport = SyncTransport(base_url=config.clob_url)
    try:
        signature = sign_api_key_auth(account, chain_id=config.chain_id, timestamp=now_s)
        credentials = create_or_derive_api_key_sync(transport, signature)
    finally:
        transport.close()
    return credentials.key, credentials.secret, credentials.passphrase


def sign_order(
    *,
    account: LocalAccount,
    chain_id: int,
    exchange: str,
    domain_version: str,
    wallet: str,
    signature_type: int,
    token_id: str,
    side: str,
    maker_amount: int,
    taker_amount: int,
    salt: int,
    timestamp_ms: int,
    order_type: str,
    owner: str,
    expiration: int = 0,
    post_only: bool = False,
) -> dict[str, Any]:
    """The body of `POST /order`, built and signed by the official client's code from our salt and time.

    Amounts are base units (six decimals), `expiration` epoch seconds (0: none). No network. ECDSA nonces follow
    RFC 6979: the same order gives the same bytes.
    """
    unsigned = UnsignedOrder(
        chain_id=chain_id,
        builder=BYTES32_ZERO,
        exchange_address=EvmAddress(exchange),
        expiration=expiration,
        maker=EvmAddress(wallet),
        maker_amount=maker_amount,
        metadata=BYTES32_ZERO,
        order_type=cast(OrderType, order_type),
        salt=salt,
        side=cast(Literal["BUY", "SELL"], side),
        signature_type=signature_type,
        signer=EvmAddress(wallet if signature_type == 3 else account.address),
        taker_amount=taker_amount,
        timestamp=timestamp_ms,
        token_id=cast(ClobAssetId, token_id),
        protocol_version=cast(Literal["2", "3"], domain_version),
    )
    signed = account.sign_typed_data(full_message=build_order_typed_data(unsigned))
    signature = build_order_signature(unsigned, HexString("0x" + signed.signature.hex().removeprefix("0x")))
    order = create_signed_order(unsigned, signature, post_only=post_only)
    _, body = build_post_order_request(order, owner_api_key=owner)
    return body
