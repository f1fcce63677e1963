"""How a hedge is divided among venues: exact to the micro-dollar, by largest remainder.

The shares are limits on what goes to each venue (40/40/20 in the founding document); a share that its venue
cannot use stays unhedged and is reported, it does not move to another venue.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from tonsurance.kernel.errors import Refused
from tonsurance.kernel.money import from_micro, to_micro


def split_venues(required_usd: Decimal, shares: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """`required_usd` divided by `shares`, in the order of `shares`; the parts add up to it exactly.

    Micro-dollars left over by rounding go to the largest remainders, ties to the first code by alphabet.
    Raises Refused (field `venueShares`) when the shares are negative or do not add up to 1.
    """
    if required_usd < 0:
        raise ValueError(f"a hedge cannot be negative: {required_usd}")
    if any(share < 0 for share in shares.values()):
        raise Refused("venueShares: no share may be negative", field="venueShares")
    if sum(shares.values(), Decimal(0)) != 1:
        raise Refused(
            f"venueShares: the shares must add up to 1, these add up to {sum(shares.values(), Decimal(0))}",
            field="venueShares",
        )
    total = to_micro(required_usd)
    quotas = {code: Fraction(share) * total for code, share in shares.items()}
    parts = {code: int(quota) for code, quota in quotas.items()}
    left = total - sum(parts.values())
    by_remainder = sorted(quotas, key=lambda code: (parts[code] - quotas[code], code))
    for code in by_remainder[:left]:
        parts[code] += 1
    return {code: from_micro(units) for code, units in parts.items()}
