"""A working desk for tests: the practice exchange as a process, an account on it, and settings that point there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import override_settings
from eth_account import Account

from tonsurance.launch.keeper import Keeper, environment_of_children
from tonsurance.launch.practice import URL_NAMES, PracticeExchange, practice_exchange_start
from venues.adapters.polymarket.config import config_from
from venues.adapters.polymarket.gateway import Gateway
from venues.registry import gateways_forget

FUNDS_USD = Decimal(100_000)


class Desk:
    """One exchange process and one funded account. `variables` is the environment of processes that trade with it."""

    def __init__(self, home: Path, keeper: Keeper) -> None:
        self.keeper = keeper
        self.home = home
        self.exchange: PracticeExchange = practice_exchange_start(
            keeper, home=home, log=home / "exchange.log", environment=environment_of_children()
        )
        self.variables = {
            **self.exchange.environment(),
            "TRADING_ENVIRONMENT": "PRACTICE",
            "POLYMARKET_SIGNATURE_TYPE": "0",
            "POLYMARKET_WALLET": "",
            "ORDER_SALT_SECRET": secrets.token_hex(32),
            "DJANGO_SECRET_KEY": secrets.token_hex(32),
            "DJANGO_INSECURE_HTTP": "true",
        }
        self.reopen()

    def reopen(self) -> None:
        """Empty the exchange, as on the first day, and open an account with a new key."""
        self.exchange.post("reset")
        self.private_key = f"0x{secrets.token_hex(32)}"
        self.address = str(Account.from_key(self.private_key).address)
        self.variables["POLYMARKET_PRIVATE_KEY"] = self.private_key
        self.exchange.post("settlement", mined_seconds=0.05, confirmed_seconds=0.05)
        self._open_account()

    def _open_account(self) -> None:
        self.exchange.post("fund", address=self.address, pusd=str(FUNDS_USD), signature_type=0)
        credentials = Gateway(config_from(self.polymarket())).derive_credentials()
        self.variables |= {
            "POLYMARKET_API_KEY": credentials.api_key,
            "POLYMARKET_SECRET": credentials.secret,
            "POLYMARKET_PASSPHRASE": credentials.passphrase,
        }

    def polymarket(self) -> dict[str, Any]:
        """The POLYMARKET setting that these variables give."""
        told = self.variables
        values: dict[str, Any] = dict(settings.POLYMARKET)
        values |= {setting: told[name] for name, setting in URL_NAMES.items()}
        values |= {
            "chain_id": int(told["POLYMARKET_CHAIN_ID"]),
            "exchange": told["POLYMARKET_EXCHANGE_ADDRESS"],
            "neg_risk_exchange": told["POLYMARKET_NEG_RISK_EXCHANGE_ADDRESS"],
            "exchange_v3": told["POLYMARKET_EXCHANGE_V3_ADDRESS"],
            "private_key": told["POLYMARKET_PRIVATE_KEY"],
            "api_key": told.get("POLYMARKET_API_KEY", ""),
            "secret": told.get("POLYMARKET_SECRET", ""),
            "passphrase": told.get("POLYMARKET_PASSPHRASE", ""),
            "wallet": "",
            "signature_type": 0,
            "salt_secret": told["ORDER_SALT_SECRET"],
            "live_allowed": False,
        }
        return values

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Point this process at the desk."""
        with override_settings(TRADING_ENVIRONMENT="PRACTICE", POLYMARKET=self.polymarket()):
            gateways_forget()
            yield
        gateways_forget()

    def truth(self) -> dict[str, Any]:
        """What the exchange knows: orders, trades, balances."""
        return self.exchange.get("truth")

    def market(self, slug: str) -> dict[str, Any]:
        """Condition id and token ids of a market, by slug."""
        found: dict[str, Any] = self.exchange.get("info")["markets"][slug]
        return found

    def book(self, slug: str, *, bids: list[list[str]], asks: list[list[str]]) -> None:
        """Set a market's whole book, [price, size] each."""
        self.exchange.post("book", slug=slug, bids=bids, asks=asks)
