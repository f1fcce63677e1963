"""Who is calling: L1 login by EIP-712 signature, L2 calls by HMAC over the raw request.

Source: docs.polymarket.com/trading/wallets-auth. The path that is signed is the service's own path, without
the query string; the body is signed as sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from uuid import UUID

from venues.simulators.polymarket.records import ApiKey
from venues.simulators.polymarket.refusals import INVALID_L1, UNAUTHORIZED, Refusal
from venues.simulators.polymarket.signatures import recover_login
from venues.simulators.polymarket.state import State, checksummed

PRODUCTION_LOGIN = (
    "this is a practice exchange on chain {here}; the login was signed for chain {there}, a production "
    "chain. Use a practice key and the practice chain id"
)


def login(state: State, headers: Mapping[str, str], *, now_ms: int) -> tuple[str, int]:
    """Return (EOA, nonce) of an L1 request; refuse 401 for a wrong signature, address or clock."""
    try:
        address = checksummed(headers["POLY_ADDRESS"])
        timestamp = headers["POLY_TIMESTAMP"]
        nonce = int(headers.get("POLY_NONCE", "0"))
        signature = bytes.fromhex(headers["POLY_SIGNATURE"].removeprefix("0x"))
        moment = int(timestamp)
    except (KeyError, ValueError) as error:
        raise Refusal(401, INVALID_L1) from error
    if nonce < 0 or not _is_fresh(state, moment, now_ms=now_ms):
        raise Refusal(401, INVALID_L1)
    for chain_id in (state.config.chain_id, 137, 80002):
        signer = recover_login(
            address=address, timestamp=timestamp, nonce=nonce, signature=signature, chain_id=chain_id
        )
        if signer != address:
            continue
        if chain_id != state.config.chain_id:
            raise Refusal(401, PRODUCTION_LOGIN.format(here=state.config.chain_id, there=chain_id))
        return address, nonce
    raise Refusal(401, INVALID_L1)


def authenticate(
    state: State, headers: Mapping[str, str], *, method: str, path: str, body: bytes, now_ms: int
) -> ApiKey:
    """Return the API key of an L2 request; refuse 401 when any header or the HMAC is wrong."""
    key = state.keys.get(headers.get("POLY_API_KEY", ""))
    if key is None or not key.active:
        raise Refusal(401, UNAUTHORIZED)
    timestamp = headers.get("POLY_TIMESTAMP", "")
    expected = sign(key.secret, timestamp=timestamp, method=method, path=path, body=body)
    given = headers.get("POLY_SIGNATURE", "")
    try:
        matches = (
            checksummed(headers.get("POLY_ADDRESS", "")) == key.address
            and hmac.compare_digest(headers.get("POLY_PASSPHRASE", "").encode(), key.passphrase.encode())
            and hmac.compare_digest(given.encode(), expected.encode())
            and _is_fresh(state, int(timestamp), now_ms=now_ms)
        )
    except ValueError:
        matches = False
    if not matches:
        raise Refusal(401, UNAUTHORIZED)
    return key


def sign(secret: str, *, timestamp: str, method: str, path: str, body: bytes) -> str:
    """Return the L2 signature: urlsafe base64 of HMAC-SHA256 over timestamp, method, path and raw body."""
    try:
        raw = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    except binascii.Error as error:
        raise ValueError("the secret is not urlsafe base64") from error
    message = f"{timestamp}{method}{path}".encode() + body
    return base64.urlsafe_b64encode(hmac.new(raw, message, hashlib.sha256).digest()).decode()


def key_create(state: State, address: str, *, nonce: int) -> ApiKey:
    """Create the credentials of an EOA and nonce; 400 when they exist, so that a client derives them."""
    known = [key for key in state.keys.values() if key.address == address and key.nonce == nonce]
    if any(key.active for key in known):
        raise Refusal(400, "Could not create api key")
    generation = len(known)
    material = f"{state.config.seed}:{state.config.chain_id}:{address}:{nonce}:{generation}".encode()
    digest = hashlib.sha512(b"practice-credentials:" + material).digest()
    key = ApiKey(
        key=str(UUID(bytes=digest[:16], version=4)),
        secret=base64.urlsafe_b64encode(digest[16:48]).decode(),
        passphrase=hashlib.sha256(digest).hexdigest(),
        address=address,
        nonce=nonce,
        generation=generation,
    )
    state.keys[key.key] = key
    state.save(key)
    return key


def key_derive(state: State, address: str, *, nonce: int) -> ApiKey:
    """Return the existing credentials of an EOA and nonce; 400 when there are none."""
    for key in state.keys.values():
        if key.address == address and key.nonce == nonce and key.active:
            return key
    raise Refusal(400, "Could not derive api key!")


def _is_fresh(state: State, seconds: int, *, now_ms: int) -> bool:
    return abs(now_ms - seconds * 1000) <= state.config.clock_skew_seconds * 1000
