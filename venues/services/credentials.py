"""Asks a venue for the API credentials of the account in our settings, so that a person can store them.

They are returned under the names of the environment variables that hold them, and never kept in the database.
"""

from __future__ import annotations

from tonsurance.kernel.errors import Refused
from venues.registry import gateway_for, gateways_forget


def venue_credentials_derive(venue_code: str) -> dict[str, str]:
    """Environment variable -> value. Raises Refused for a venue that issues no credentials by signature."""
    derive = getattr(gateway_for(venue_code), "derive_credentials", None)
    if derive is None:
        raise Refused(
            f"{venue_code} issues its API credentials on its website, not by signature; copy them from there",
            code="no_derivation",
            field="venue",
        )
    found = derive()
    gateways_forget()  # the one just used was built without them
    prefix = venue_code.upper()
    return {
        f"{prefix}_API_KEY": found.api_key,
        f"{prefix}_SECRET": found.secret,
        f"{prefix}_PASSPHRASE": found.passphrase,
    }
