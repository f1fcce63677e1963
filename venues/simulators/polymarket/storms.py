"""A bad day in one number: a share of all requests struck, by every kind of fault that fits them.

The rows are ordinary rules, so the log, the seed and the replay are those of any plan.
"""

from __future__ import annotations

from typing import Any

WRITE_KINDS: tuple[dict[str, Any], ...] = (
    {"kind": "timeout_before"},
    {"kind": "timeout_after"},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "late_accept"},
    {"kind": "twice"},
    {"kind": "slow"},
    {"kind": "rate_limit"},
    {"kind": "rate_limit", "headers": False},
    {"kind": "server_error"},
    {"kind": "server_error_after"},
    {"kind": "cloudflare"},
    {"kind": "broken_json"},
    {"kind": "empty"},
)
READ_KINDS: tuple[dict[str, Any], ...] = (
    {"kind": "timeout_before"},
    {"kind": "reset_before"},
    {"kind": "slow"},
    {"kind": "rate_limit"},
    {"kind": "rate_limit", "headers": False},
    {"kind": "server_error"},
    {"kind": "cloudflare"},
    {"kind": "broken_json"},
    {"kind": "empty"},
)
WRITES = (("POST", "/clob/order*"), ("DELETE", "/clob/*"))
READS = (("GET", "/[!a]*"), ("POST", "/clob/books"), ("POST", "/clob/auth/*"), ("POST", "/rpc*"))


def storm_rules(share: float, *, seconds: float) -> list[dict[str, Any]]:
    """Return rules that strike a share of all requests; `seconds` is how long a silent or slow one lasts.

    ValueError for a share that is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError("a storm strikes a share between 0 and 1 of the requests")
    rules = []
    for places, kinds in ((WRITES, WRITE_KINDS), (READS, READ_KINDS)):
        chance = 1 - (1 - share) ** (1 / len(kinds))
        for method, path in places:
            for kind in kinds:
                rules.append(
                    {
                        **kind,
                        "method": method,
                        "path": path,
                        "count": None,
                        "probability": chance,
                        "seconds": seconds,
                    }
                )
    return rules
