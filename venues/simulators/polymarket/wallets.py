"""Which deposit wallet belongs to an EOA: the factory's CREATE2 address, computed.

Source: docs.polymarket.com/trading/deposit-wallets and the ERC-1967 proxy code of Solady's LibClone.
"""

from __future__ import annotations

from functools import lru_cache

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from venues.simulators.polymarket import config

_UUPS_PREFIX = 0x61003D3D8160233D3973
_UUPS_TAIL = bytes.fromhex(
    "60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076"
    "cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
)
_BEACON_PREFIX = 0x6100523D8160233D3973
_BEACON_TAIL = bytes.fromhex(
    "60195155f3363d3d373d3d363d602036600436635c60da"
    "1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c"
    "b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3"
)


@lru_cache(maxsize=4096)
def deposit_wallets(owner: str) -> tuple[str, str]:
    """Return the two wallets an EOA may own, checksummed: behind the beacon (current) and UUPS (older)."""
    factory = bytes.fromhex(config.DEPOSIT_WALLET_FACTORY[2:])
    arguments = factory.rjust(32, b"\x00") + bytes.fromhex(owner[2:]).rjust(32, b"\x00")
    salt = keccak(arguments)
    found = []
    for prefix, target, tail in (
        (_BEACON_PREFIX, config.DEPOSIT_WALLET_BEACON, _BEACON_TAIL),
        (_UUPS_PREFIX, config.DEPOSIT_WALLET_IMPLEMENTATION, _UUPS_TAIL),
    ):
        head = (prefix + (len(arguments) << 56)).to_bytes(10, "big")
        code = head + bytes.fromhex(target[2:]) + tail + arguments
        found.append(to_checksum_address(keccak(b"\xff" + factory + salt + keccak(code))[12:]))
    return found[0], found[1]
