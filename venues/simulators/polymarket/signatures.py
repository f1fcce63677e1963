"""Who signed an order or a login: EIP-712 hashes and recovery, written from the standards.

Sources: EIP-712; ERC-7739 (nested TypedDataSign of deposit wallets); docs.polymarket.com/v2-migration for
the Order struct and docs.polymarket.com/trading/wallets-auth for ClobAuth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

ORDER_TYPE = (
    "Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,uint256 takerAmount,"
    "uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)"
)
TYPED_DATA_SIGN_TYPE = (
    "TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,"
    "bytes32 salt)" + ORDER_TYPE
)
CLOB_AUTH_TYPE = "ClobAuth(address address,string timestamp,uint256 nonce,string message)"
CLOB_AUTH_MESSAGE = "This message attests that I control the given wallet"
SESSION_MAGIC = bytes.fromhex("6492" * 16)

_ORDER_TYPEHASH = keccak(text=ORDER_TYPE)
_TYPED_DATA_SIGN_TYPEHASH = keccak(text=TYPED_DATA_SIGN_TYPE)
_CLOB_AUTH_TYPEHASH = keccak(text=CLOB_AUTH_TYPE)
_DOMAIN_TYPEHASH = keccak(
    text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_AUTH_DOMAIN_TYPEHASH = keccak(text="EIP712Domain(string name,string version,uint256 chainId)")
_EXCHANGE_NAME_HASH = keccak(text="Polymarket CTF Exchange")
_WALLET_NAME_HASH = keccak(text="DepositWallet")
_ONE_HASH = keccak(text="1")
_CURVE_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedFields:
    """The eleven signed fields of an order; amounts in base units, timestamp in milliseconds."""

    salt: int
    maker: str
    signer: str
    token_id: int
    maker_amount: int
    taker_amount: int
    side: int
    signature_type: int
    timestamp: int
    metadata: bytes
    builder: bytes


@lru_cache(maxsize=64)
def exchange_domain(*, version: str, chain_id: int, exchange: str) -> bytes:
    """Return the domain separator of an exchange contract."""
    return keccak(
        _DOMAIN_TYPEHASH + _EXCHANGE_NAME_HASH + keccak(text=version) + _word(chain_id) + _address(exchange)
    )


def order_struct_hash(fields: SignedFields) -> bytes:
    """Return hashStruct(Order)."""
    return keccak(
        _ORDER_TYPEHASH
        + _word(fields.salt)
        + _address(fields.maker)
        + _address(fields.signer)
        + _word(fields.token_id)
        + _word(fields.maker_amount)
        + _word(fields.taker_amount)
        + _word(fields.side)
        + _word(fields.signature_type)
        + _word(fields.timestamp)
        + fields.metadata
        + fields.builder
    )


def order_hash(fields: SignedFields, *, domain: bytes) -> bytes:
    """Return the EIP-712 digest of an order: the venue's order id, for every signature type."""
    return keccak(b"\x19\x01" + domain + order_struct_hash(fields))


def recover_order_signer(
    fields: SignedFields, signature: bytes, *, domain: bytes, chain_id: int
) -> str | None:
    """Return the checksummed EOA that signed an order, or None when the signature is not one.

    Types 0 to 2 sign the order's digest; type 3 signs it nested for the deposit wallet in `signer`.
    """
    if fields.signature_type != 3:
        return _recover(order_hash(fields, domain=domain), signature)
    return _recover_nested(fields, signature, domain=domain, chain_id=chain_id)


def recover_login(*, address: str, timestamp: str, nonce: int, signature: bytes, chain_id: int) -> str | None:
    """Return the EOA that signed a ClobAuth login for `address`, or None."""
    domain = keccak(_AUTH_DOMAIN_TYPEHASH + keccak(text="ClobAuthDomain") + _ONE_HASH + _word(chain_id))
    struct = keccak(
        _CLOB_AUTH_TYPEHASH
        + _address(address)
        + keccak(text=timestamp)
        + _word(nonce)
        + keccak(text=CLOB_AUTH_MESSAGE)
    )
    return _recover(keccak(b"\x19\x01" + domain + struct), signature)


def _recover_nested(fields: SignedFields, signature: bytes, *, domain: bytes, chain_id: int) -> str | None:
    claimed: str | None = None
    if signature.endswith(SESSION_MAGIC):
        claimed, signature = _unwrap_session(signature)
        if claimed is None:
            return None
    contents_hash = order_struct_hash(fields)
    type_text = ORDER_TYPE.encode()
    trailer = domain + contents_hash + type_text + len(type_text).to_bytes(2, "big")
    if len(signature) != 65 + len(trailer) or signature[65:] != trailer:
        return None
    nested = keccak(
        _TYPED_DATA_SIGN_TYPEHASH
        + contents_hash
        + _WALLET_NAME_HASH
        + _ONE_HASH
        + _word(chain_id)
        + _address(fields.signer)
        + bytes(32)
    )
    signer = _recover(keccak(b"\x19\x01" + domain + nested), signature[:65])
    return signer if claimed is None or signer == claimed else None


def _unwrap_session(signature: bytes) -> tuple[str | None, bytes]:
    """Split abi(bytes32 signer, bytes32 0, bytes signature) with its 6492 tail into claim and inner bytes."""
    body = signature[: -len(SESSION_MAGIC)]
    if len(body) < 128 or int.from_bytes(body[64:96], "big") != 96:
        return None, b""
    length = int.from_bytes(body[96:128], "big")
    if length > len(body) - 128 or any(body[:12]):
        return None, b""
    return to_checksum_address(body[12:32]), body[128 : 128 + length]


def _recover(digest: bytes, signature: bytes) -> str | None:
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    if int.from_bytes(signature[32:64], "big") > _CURVE_HALF_ORDER:
        return None
    try:
        parsed = Signature(signature[:64] + bytes([signature[64] - 27]))
        return parsed.recover_public_key_from_msg_hash(digest).to_checksum_address()
    except (BadSignature, ValidationError):
        return None


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _address(value: str) -> bytes:
    return bytes.fromhex(value[2:]).rjust(32, b"\x00")
