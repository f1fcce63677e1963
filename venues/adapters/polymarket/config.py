"""Where Polymarket is and who we are there; refused at start when the pieces do not fit.

A practice exchange and the real one differ in chain and exchange addresses, so that no signature made for
practice is worth anything on Polygon; `config_from` refuses every mixture of the two.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from eth_account import Account
from eth_utils.address import is_hex_address, to_checksum_address

from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.contracts import (
    EXCHANGE,
    EXCHANGE_V3,
    NEG_RISK_EXCHANGE,
    RETIRED,
    domains_from,
)
from venues.domain.exchanges import ExchangeDomain

VENUE_CODE: Final = "polymarket"
CAN_RESEND: Final = True
BUY_SPENDS_BUDGET: Final = True
OWN_SIGNER: Final = "own"
CLIENT_SIGNER: Final = "client"

POLYGON_CHAIN_ID: Final = 137
PRACTICE_CHAIN_ID: Final = 31337
MUMBAI_CHAIN_ID: Final = 80001
PRODUCTION_DOMAIN: Final = "polymarket.com"
POLYGON_RPC_URL: Final = "https://polygon.drpc.org"

PRODUCTION_ADDRESSES: Final = frozenset(
    address.lower() for address in (EXCHANGE, NEG_RISK_EXCHANGE, EXCHANGE_V3, *RETIRED)
)
# Field of the configuration -> the environment variable that a person sets, for messages.
SETTING_NAMES: Final = {
    "clob_url": "POLYMARKET_CLOB_API_URL",
    "gamma_url": "POLYMARKET_GAMMA_API_URL",
    "data_url": "POLYMARKET_DATA_API_URL",
    "relayer_url": "POLYMARKET_RELAYER_URL",
    "rpc_url": "POLYMARKET_RPC_URL",
    "geoblock_url": "POLYMARKET_GEOBLOCK_URL",
    "relayer_api_key": "POLYMARKET_RELAYER_API_KEY",
    "chain_id": "POLYMARKET_CHAIN_ID",
    "private_key": "POLYMARKET_PRIVATE_KEY",
    "api_key": "POLYMARKET_API_KEY",
    "secret": "POLYMARKET_SECRET",
    "passphrase": "POLYMARKET_PASSPHRASE",
    "wallet": "POLYMARKET_WALLET",
    "signature_type": "POLYMARKET_SIGNATURE_TYPE",
    "exchange": "POLYMARKET_EXCHANGE_ADDRESS",
    "neg_risk_exchange": "POLYMARKET_NEG_RISK_EXCHANGE_ADDRESS",
    "exchange_v3": "POLYMARKET_EXCHANGE_V3_ADDRESS",
    "salt_secret": "ORDER_SALT_SECRET",
    "order_signer": "POLYMARKET_ORDER_SIGNER",
}
_URL_FIELDS: Final = ("clob_url", "gamma_url", "data_url", "relayer_url", "rpc_url", "geoblock_url")


@dataclass(frozen=True, kw_only=True, slots=True)
class PolymarketConfig:
    """One account at one exchange. `signature_type` 0 signs for the key's address, 3 for a deposit wallet.

    The three credentials are empty until somebody has made them with `Gateway.derive_credentials`.
    """

    clob_url: str
    gamma_url: str
    data_url: str
    relayer_url: str
    rpc_url: str = field(repr=False)
    geoblock_url: str
    chain_id: int
    signer: str
    wallet: str
    signature_type: int
    exchange: str
    neg_risk_exchange: str
    exchange_v3: str
    private_key: str = field(repr=False)
    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)
    salt_secret: bytes = field(repr=False)
    relayer_api_key: str = field(repr=False, default="")
    order_signer: str = OWN_SIGNER
    contracts: tuple[ExchangeDomain, ...] = ()
    """The table of exchange contracts; empty where there is none: then the three addresses above are all."""

    @property
    def has_credentials(self) -> bool:
        return bool(self.api_key)

    @property
    def domains(self) -> tuple[ExchangeDomain, ...]:
        """Every signing domain that an order of ours can name or has ever named."""
        return self.contracts or domains_from(
            exchange=self.exchange, neg_risk_exchange=self.neg_risk_exchange, exchange_v3=self.exchange_v3
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never appear in a log, a message or an exception."""
        words = (
            self.private_key.removeprefix("0x"),
            self.secret,
            self.passphrase,
            self.api_key,
            self.relayer_api_key,
        )
        return tuple(word for word in words if word)


def config_from(
    settings: Mapping[str, object], *, contracts: Sequence[ExchangeDomain] = ()
) -> PolymarketConfig:
    """The account that `settings` describe. Raises Refused naming the environment variable and the remedy.

    Keys are those of SETTING_NAMES, and `live_allowed`: the operator's explicit yes to real money, without
    which the production exchange is refused. `contracts` is the table of exchange contracts for the account's chain.
    """
    chain_id = _chain_id(settings)
    urls = {name: _url(settings, name) for name in _URL_FIELDS}
    _refuse_mixture(urls, chain_id=chain_id, live_allowed=settings.get("live_allowed") is True)
    private_key, signer = _private_key(settings)
    signature_type = _signature_type(settings)
    api_key, secret, passphrase = _credentials(settings)
    return PolymarketConfig(
        **urls,
        chain_id=chain_id,
        signer=signer,
        wallet=_wallet(settings, signer=signer, signature_type=signature_type),
        signature_type=signature_type,
        exchange=_exchange(settings, "exchange", chain_id=chain_id),
        neg_risk_exchange=_exchange(settings, "neg_risk_exchange", chain_id=chain_id),
        exchange_v3=_exchange(settings, "exchange_v3", chain_id=chain_id),
        private_key=private_key,
        api_key=api_key,
        secret=secret,
        passphrase=passphrase,
        salt_secret=_salt_secret(settings, private_key=private_key),
        relayer_api_key=_text(settings, "relayer_api_key"),
        order_signer=_order_signer(settings),
        contracts=tuple(_contract(domain, chain_id=chain_id) for domain in contracts),
    )


def _text(settings: Mapping[str, object], name: str) -> str:
    value = settings.get(name)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value).strip()


def _refused(name: str, message: str) -> Refused:
    setting = SETTING_NAMES[name]
    return Refused(f"{setting}: {message}", code="polymarket_settings", field=setting)


def _chain_id(settings: Mapping[str, object]) -> int:
    text = _text(settings, "chain_id")
    choice = f"use {POLYGON_CHAIN_ID} (Polygon) or {PRACTICE_CHAIN_ID} (practice exchange)"
    if text == str(MUMBAI_CHAIN_ID):
        raise _refused(
            "chain_id",
            "80001 is Mumbai, which no longer exists: Polygon shut it down in April 2024. "
            f"Use the practice exchange (chain {PRACTICE_CHAIN_ID}, `manage.py simulate polymarket`)",
        )
    if text not in (str(POLYGON_CHAIN_ID), str(PRACTICE_CHAIN_ID)):
        raise _refused("chain_id", f"{text or 'nothing'} is no chain that Polymarket trades on; {choice}")
    return int(text)


def _url(settings: Mapping[str, object], name: str) -> str:
    text = _text(settings, name).rstrip("/")
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise _refused(name, "must be an http(s) address such as http://127.0.0.1:8081")
    return text


def is_production_host(url: str) -> bool:
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    return host == PRODUCTION_DOMAIN or host.endswith(f".{PRODUCTION_DOMAIN}")


def _refuse_mixture(urls: Mapping[str, str], *, chain_id: int, live_allowed: bool) -> None:
    is_live = chain_id == POLYGON_CHAIN_ID
    for name, url in urls.items():
        if is_production_host(url) and not is_live:
            raise _refused(name, f"is Polymarket's own host, which trades on chain 137, not {chain_id}")
        if url == POLYGON_RPC_URL and not is_live:
            raise _refused(name, f"is a Polygon node; name the practice exchange's own for chain {chain_id}")
        if is_live and urlsplit(url).scheme != "https":
            raise _refused(name, "must be https on chain 137")
        if is_live and name != "rpc_url" and not is_production_host(url):
            raise _refused(
                name,
                "is not Polymarket's host, but chain 137 makes signatures that are worth money; "
                f"use chain {PRACTICE_CHAIN_ID} with a practice exchange",
            )
    if is_live and not live_allowed:
        raise _refused(
            "clob_url",
            "is the live exchange; real money needs TRADING_ENVIRONMENT=LIVE and LIVE_TRADING_ALLOWED",
        )


def _private_key(settings: Mapping[str, object]) -> tuple[str, str]:
    text = _text(settings, "private_key")
    if not re.fullmatch(r"(0x)?[0-9a-fA-F]{64}", text):
        raise _refused("private_key", "must be 64 hexadecimal digits (32 bytes), with or without 0x")
    key = "0x" + text.removeprefix("0x")
    try:
        return key, str(Account.from_key(key).address)
    except Exception:  # noqa: BLE001  the library's own errors repeat the key, so nothing of them may travel on
        raise _refused("private_key", "is not a number that secp256k1 accepts as a private key") from None


def _signature_type(settings: Mapping[str, object]) -> int:
    text = _text(settings, "signature_type")
    if text not in ("0", "3"):
        raise _refused("signature_type", "must be 0 (the key's own address) or 3 (a deposit wallet)")
    return int(text)


def _wallet(settings: Mapping[str, object], *, signer: str, signature_type: int) -> str:
    text = _text(settings, "wallet")
    if text and not is_hex_address(text):
        raise _refused("wallet", "must be an address: 0x and 40 hexadecimal digits")
    wallet = str(to_checksum_address(text)) if text else signer
    if signature_type == 0 and wallet != signer:
        raise _refused("wallet", f"must be empty or the key's own address {signer} for signature type 0")
    if signature_type == 3 and wallet == signer:
        raise _refused("wallet", "must name the deposit wallet, not the key's address, for signature type 3")
    return wallet


def _credentials(settings: Mapping[str, object]) -> tuple[str, str, str]:
    values = {name: _text(settings, name) for name in ("api_key", "secret", "passphrase")}
    if not any(values.values()):
        return "", "", ""
    for name, value in values.items():
        if not value:
            raise _refused(name, "is missing; the API key, secret and passphrase belong together")
    try:
        uuid.UUID(values["api_key"])
    except ValueError:
        raise _refused("api_key", "must be a UUID as the venue issues it") from None
    secret = values["secret"]
    try:
        base64.b64decode(secret + "=" * (-len(secret) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refused("secret", "must be URL-safe base64 as the venue issues it") from None
    return values["api_key"], secret, values["passphrase"]


def _exchange(settings: Mapping[str, object], name: str, *, chain_id: int) -> str:
    text = _text(settings, name)
    if not is_hex_address(text):
        raise _refused(name, "must be the exchange contract's address: 0x and 40 hexadecimal digits")
    if chain_id != POLYGON_CHAIN_ID and text.lower() in PRODUCTION_ADDRESSES:
        raise _refused(name, "is an exchange on Polygon; a practice exchange needs an address of its own")
    return str(to_checksum_address(text))


def _contract(domain: ExchangeDomain, *, chain_id: int) -> ExchangeDomain:
    """A row of the table, refused when it would make a practice signature worth money."""
    if not is_hex_address(domain.contract):
        raise _refused_contract(f"{domain.contract!r} must be an address: 0x and 40 hexadecimal digits")
    if chain_id != POLYGON_CHAIN_ID and domain.contract.lower() in PRODUCTION_ADDRESSES:
        raise _refused_contract(f"{domain.contract} is an exchange on Polygon, not on chain {chain_id}")
    return replace(domain, contract=str(to_checksum_address(domain.contract)))


def _refused_contract(message: str) -> Refused:
    return Refused(
        f"exchange contracts: {message}; retire the row in admin",
        code="exchange_contract",
        field="exchange contracts",
    )


def _order_signer(settings: Mapping[str, object]) -> str:
    text = _text(settings, "order_signer") or OWN_SIGNER
    if text not in (OWN_SIGNER, CLIENT_SIGNER):
        raise _refused(
            "order_signer", f"must be {OWN_SIGNER} or {CLIENT_SIGNER} (the official client's), not {text!r}"
        )
    return text


def _salt_secret(settings: Mapping[str, object], *, private_key: str) -> bytes:
    """The key of order salts; from the private key when none is set, so that a restored backup keeps it."""
    text = _text(settings, "salt_secret")
    if not text:
        return hmac.digest(bytes.fromhex(private_key[2:]), b"tonsurance order salt", "sha256")
    if len(text) < 32:
        raise _refused("salt_secret", "must have at least 32 characters")
    return text.encode()
