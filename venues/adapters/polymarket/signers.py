"""Who makes the signature of an order: our own encoder, or the official client's. Both give the same bytes.

Ours packs the fixed type by hand and keeps the key where libsecp256k1 wants it, for the whole life of the process;
the official client's builds a description of the type for each order first, and takes several times as long
(docs/adr/0009-own-order-signing.md).
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from coincurve import PrivateKey, PublicKey
from eth_account import Account
from eth_account.signers.local import LocalAccount

from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.config import OWN_SIGNER, PolymarketConfig
from venues.adapters.polymarket.contracts import DOMAIN_NAME
from venues.adapters.polymarket.environment import sign_order
from venues.adapters.polymarket.order_hash import (
    ORDER_TYPE,
    OrderFields,
    address_word,
    digest_of,
    domain_separator,
    fields_hash,
    keccak,
    word,
)
from venues.domain.exchanges import ExchangeDomain

DEPOSIT_WALLET: Final = 3
_ECDSA_BYTES = 65
_V_OFFSET = 27
# ERC-7739: the wallet's own domain is nested around the order (docs.polymarket.com/trading/deposit-wallets).
_NESTED_TYPE_HASH = keccak(
    b"TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
    + ORDER_TYPE
)
_WALLET_NAME_AND_VERSION = keccak(b"DepositWallet") + keccak(b"1")
_NESTED_TRAILER = ORDER_TYPE + len(ORDER_TYPE).to_bytes(2, "big")


class SignedOrder(NamedTuple):
    """`digest` names the order at the venue; `signature` is what travels: 65 bytes, or more for a deposit wallet."""

    digest: bytes
    signature: bytes


class OrderSigner(Protocol):
    """Signs the orders of one account. The same fields give the same bytes (RFC 6979)."""

    def sign(self, fields: OrderFields, domain: ExchangeDomain) -> SignedOrder: ...


def account_of(config: PolymarketConfig) -> LocalAccount:
    """The signing key, as the official client takes it."""
    account: LocalAccount = Account.from_key(config.private_key)
    return account


def signer_of(config: PolymarketConfig) -> OrderSigner:
    """The signer that the settings choose. Keep it: making one costs more than an order."""
    return OwnSigner(config) if config.order_signer == OWN_SIGNER else ClientSigner(config)


class OwnSigner:
    """Our encoder, and the key in libsecp256k1's hands."""

    def __init__(self, config: PolymarketConfig) -> None:
        self._key = PrivateKey(bytes.fromhex(config.private_key.removeprefix("0x")))
        self._chain_id = config.chain_id
        self._wallet_domain = wallet_domain(config) if config.signature_type == DEPOSIT_WALLET else b""

    def sign(self, fields: OrderFields, domain: ExchangeDomain) -> SignedOrder:
        separator = separator_of(domain, chain_id=self._chain_id)
        hashed = fields_hash(fields)
        digest = digest_of(separator, hashed)
        if not self._wallet_domain:
            return SignedOrder(digest, self._ecdsa(digest))
        nested = nested_digest(separator, hashed, wallet_domain=self._wallet_domain)
        return SignedOrder(digest, self._ecdsa(nested) + separator + hashed + _NESTED_TRAILER)

    def _ecdsa(self, digest: bytes) -> bytes:
        raw = self._key.sign_recoverable(digest, hasher=None)
        return raw[:64] + bytes((raw[64] + _V_OFFSET,))


class ClientSigner:
    """The official client's encoder and signature, for when ours is in doubt."""

    def __init__(self, config: PolymarketConfig) -> None:
        self._account = account_of(config)
        self._config = config

    def sign(self, fields: OrderFields, domain: ExchangeDomain) -> SignedOrder:
        """Raises Refused for a domain whose name the official client cannot say."""
        if domain.name != DOMAIN_NAME:
            raise Refused(
                f"POLYMARKET_ORDER_SIGNER: the official client signs for {DOMAIN_NAME!r} only, not {domain.name!r}; "
                "set it to own",
                code="order_signer",
                field="POLYMARKET_ORDER_SIGNER",
            )
        body = sign_order(
            account=self._account,
            chain_id=self._config.chain_id,
            exchange=domain.contract,
            domain_version=domain.version,
            wallet=self._config.wallet,
            signature_type=fields.signature_type,
            token_id=str(fields.token_id),
            side="SELL" if fields.side else "BUY",
            maker_amount=fields.maker_amount,
            taker_amount=fields.taker_amount,
            salt=fields.salt,
            timestamp_ms=fields.timestamp_ms,
            order_type="FAK",
            owner="",
        )
        separator = separator_of(domain, chain_id=self._config.chain_id)
        signature = bytes.fromhex(body["order"]["signature"].removeprefix("0x"))
        return SignedOrder(digest_of(separator, fields_hash(fields)), signature)


def separator_of(domain: ExchangeDomain, *, chain_id: int) -> bytes:
    """The EIP-712 domain separator of a contract on the account's chain."""
    return domain_separator(
        chain_id=chain_id, exchange=domain.contract, version=domain.version, name=domain.name
    )


def wallet_domain(config: PolymarketConfig) -> bytes:
    """The five words of a deposit wallet's own domain, as they are nested around each of its orders."""
    return _WALLET_NAME_AND_VERSION + word(config.chain_id) + address_word(config.wallet) + bytes(32)


def nested_digest(separator: bytes, hashed: bytes, *, wallet_domain: bytes) -> bytes:
    """The 32 bytes that a deposit wallet's key signs for an order whose struct hash is `hashed`."""
    return digest_of(separator, keccak(_NESTED_TYPE_HASH + hashed + wallet_domain))


def is_signed_by(config: PolymarketConfig, *, signature: bytes, separator: bytes, hashed: bytes) -> bool:
    """Whether this account signed the order with struct hash `hashed` for the domain of `separator`."""
    if config.signature_type == DEPOSIT_WALLET:
        if signature[_ECDSA_BYTES:] != separator + hashed + _NESTED_TRAILER:
            return False
        digest = nested_digest(separator, hashed, wallet_domain=wallet_domain(config))
    elif len(signature) != _ECDSA_BYTES:
        return False
    else:
        digest = digest_of(separator, hashed)
    return _address_that_signed(signature[:_ECDSA_BYTES], digest) == config.signer.lower()


def _address_that_signed(signature: bytes, digest: bytes) -> str:
    """Empty for bytes that are no signature of anybody."""
    raw = signature[:64] + bytes(((signature[64] - _V_OFFSET) % 256,))
    try:
        key = PublicKey.from_signature_and_message(raw, digest, hasher=None)
    except (ValueError, IndexError):
        return ""
    except Exception as error:
        if type(error) is not Exception:
            raise
        return ""
    return "0x" + keccak(key.format(compressed=False)[1:])[-20:].hex()
