"""Funded accounts of ours at a running practice exchange."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.venues.adapters.polymarket.samples import PRACTICE
from tests.venues.adapters.polymarket.trading import BOOK, SLUG, terms_of, tokens
from tonsurance.launch.practice import PracticeExchange
from venues.adapters.polymarket.config import SETTING_NAMES, PolymarketConfig, config_from
from venues.adapters.polymarket.gateway import Gateway
from venues.adapters.polymarket.limits import ORDER_TIMEOUTS
from venues.domain.instruments import InstrumentTerms

MakeAccount = Callable[..., PolymarketConfig]


def config_at(exchange: PracticeExchange, **changes: Any) -> PolymarketConfig:
    """Settings of a new key at `exchange`, without credentials."""
    environment = exchange.environment()
    known = {name: environment[setting] for name, setting in SETTING_NAMES.items() if setting in environment}
    nobody = {"api_key": "", "secret": "", "passphrase": "", "private_key": os.urandom(32).hex()}
    return config_from(PRACTICE | known | nobody | changes)


@pytest.fixture
def make_account(practice_exchange: PracticeExchange) -> MakeAccount:
    """Open an account with 1,000 pUSD, contracts approved, credentials derived."""

    def make(**changes: Any) -> PolymarketConfig:
        config = config_at(practice_exchange, **changes)
        opened = {"address": config.wallet, "owner": config.signer, "signature_type": config.signature_type}
        practice_exchange.post("fund", pusd="1000", **opened)
        practice_exchange.post("account", standing="open", approved=True, **opened)
        gateway = Gateway(config)
        given = gateway.derive_credentials()
        gateway.close()
        return replace(config, api_key=given.api_key, secret=given.secret, passphrase=given.passphrase)

    return make


@pytest.fixture
def account(make_account: MakeAccount) -> PolymarketConfig:
    """An account that signs for its key's own address."""
    return make_account()


@pytest.fixture
def gateway(account: PolymarketConfig) -> Iterator[Gateway]:
    made = Gateway(account)
    yield made
    made.close()


@pytest.fixture
def hasty_gateway(account: PolymarketConfig) -> Iterator[Gateway]:
    """The same account with half a second's patience, so that a test of silence is short."""
    made = Gateway(account, order_timeouts=ORDER_TIMEOUTS._replace(read_s=0.5))
    yield made
    made.close()


@pytest.fixture
def token(practice_exchange: PracticeExchange) -> str:
    """The YES token of a market with a book of two asks and one bid."""
    practice_exchange.post("book", slug=SLUG, **BOOK)
    return tokens(practice_exchange)[0]


@pytest.fixture
def terms(gateway: Gateway, token: str) -> InstrumentTerms:
    return terms_of(gateway, token)
