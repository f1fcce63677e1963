"""The live line to Polymarket: every question and order of `venues.domain.gateway`, each in a few lines."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from polymarket import PolymarketError

from tonsurance.kernel.clock import epoch_ms, utc_now
from venues.adapters.polymarket import batches, budgets, chain, fills, markets, translate, wire
from venues.adapters.polymarket.client import NoAnswer, PolymarketClient
from venues.adapters.polymarket.config import (
    BUY_SPENDS_BUDGET,
    CAN_RESEND,
    POLYGON_CHAIN_ID,
    VENUE_CODE,
    PolymarketConfig,
)
from venues.adapters.polymarket.credentials import Credentials
from venues.adapters.polymarket.environment import create_credentials, is_v2_position_id
from venues.adapters.polymarket.lifetimes import refuse_short_life
from venues.adapters.polymarket.limits import (
    BOOKS_MAX,
    CANCEL_BATCH_MAX,
    ORDER_BATCH_MAX,
    ORDER_TIMEOUTS,
    OWN_ORDERS_MAX,
    Timeouts,
)
from venues.adapters.polymarket.market_facts import MarketFacts
from venues.adapters.polymarket.questions import Questions, authoritative
from venues.adapters.polymarket.search import MarketSearch
from venues.adapters.polymarket.signers import account_of, signer_of
from venues.adapters.polymarket.signing import (
    ForeignPayload,
    Identity,
    identity_in,
    prepare_order,
)
from venues.adapters.polymarket.transactions import is_wallet_payload
from venues.adapters.polymarket.wallet_line import WalletLine
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.books import Book
from venues.domain.budgets import BudgetPlan, LimitReading
from venues.domain.exchanges import DomainFinding, ExchangeDomain
from venues.domain.gateway import (
    Absent,
    Accepted,
    BalanceReport,
    CancelReport,
    FillReport,
    LookupFailed,
    OrderReport,
    OrderRequest,
    Outcome,
    PositionReport,
    Prepared,
    Unknown,
)
from venues.domain.instruments import InstrumentTerms
from venues.domain.listings import MarketListing

# The venue filters trades by whole seconds; a second too many costs nothing, one too few could hide a fill.
_SINCE_MARGIN = timedelta(seconds=1)
_ORDER_ID = re.compile(r"0x[0-9a-fA-F]{64}")


class Gateway(WalletLine):
    """One account at Polymarket. Reads raise LookupFailed; nothing here touches our database."""

    venue_code = VENUE_CODE
    can_resend = CAN_RESEND
    buy_spends_budget = BUY_SPENDS_BUDGET
    batch_max = ORDER_BATCH_MAX

    def __init__(self, config: PolymarketConfig, *, order_timeouts: Timeouts = ORDER_TIMEOUTS) -> None:
        self._config = config
        self._signer = signer_of(config)
        self._client = PolymarketClient(config, order_timeouts=order_timeouts)
        self._ask = Questions(self._client, config)
        super().__init__(self._client, config, self._ask)
        self._search = MarketSearch(self._ask)
        self._us = fills.Us(wallet=config.wallet.lower(), api_key=config.api_key.lower())
        self._facts = MarketFacts(self._ask, config.domains)
        self._own: dict[bytes, Identity] = {}

    @property
    def is_real_money(self) -> bool:
        """Whether our signatures are worth money here: True on Polygon, False on a practice exchange."""
        return self._config.chain_id == POLYGON_CHAIN_ID

    @property
    def has_credentials(self) -> bool:
        """Whether we hold an API key, without which nothing of our account can be asked or sent."""
        return self._config.has_credentials

    @property
    def account_words(self) -> str:
        """Who we are at the venue, without secrets."""
        kind = "deposit wallet" if self._config.signature_type == 3 else "the key's own address"
        return f"{kind} {self._config.wallet}, signature type {self._config.signature_type}"

    def prepare(self, request: OrderRequest) -> Prepared:
        refuse_short_life(request, now=utc_now())
        prepared = prepare_order(request, config=self._config, signer=self._signer)
        if len(self._own) >= OWN_ORDERS_MAX:
            self._own.clear()
        self._own[prepared.payload] = Identity(prepared.client_order_id, request.side)
        return prepared

    def submit(self, payload: bytes) -> Outcome:
        if is_wallet_payload(payload):
            return self._without_secrets(self.wallet.submit(payload))
        identity = self._identity_or_unknown(payload)
        if isinstance(identity, Unknown):
            return identity
        try:
            answer = self._client.post_order(payload)
        except NoAnswer as silence:
            return Unknown(reason=silence.reason, message=silence.message, reached_wire=silence.reached_wire)
        outcome = translate.classify_order_response(
            answer.status, answer.headers, answer.body, order_id=identity.order_id, side=identity.side
        )
        return self._without_secrets(outcome)

    def submit_batch(self, payloads: Sequence[bytes]) -> list[Outcome]:
        """One outcome per payload. Bytes that are not an order of ours stay here; the others go in one request.

        The same order twice is sent once, and both places get its outcome.
        """
        apart = {payload: self.submit(payload) for payload in payloads if is_wallet_payload(payload)}
        if apart:
            others = [payload for payload in payloads if payload not in apart]
            rest = iter(self.submit_batch(others) if others else [])
            return [apart[payload] if payload in apart else next(rest) for payload in payloads]
        found = [self._identity_or_unknown(payload) for payload in payloads]
        sent = {
            identity: payload
            for identity, payload in zip(found, payloads, strict=True)
            if isinstance(identity, Identity)
        }
        outcomes = dict(zip(sent, self._post_batch(sent), strict=True)) if sent else {}
        return [outcomes[item] if isinstance(item, Identity) else item for item in found]

    def cancel(self, client_order_ids: Sequence[str]) -> CancelReport:
        cancelled: list[str] = []
        reasons: dict[str, str] = {}
        for start in range(0, len(client_order_ids), CANCEL_BATCH_MAX):
            batch = client_order_ids[start : start + CANCEL_BATCH_MAX]
            body = json.dumps(list(batch), separators=(",", ":")).encode()
            with authoritative("cancel"):
                answer = self._client.delete("/orders", body)
                if answer.status != 200:
                    raise Unreadable(f"HTTP {answer.status}")
                report = translate.cancel_report(wire.read_json(answer.body), client_order_ids=batch)
            cancelled += report.cancelled
            reasons |= report.not_cancelled
        return CancelReport(cancelled=tuple(cancelled), not_cancelled=reasons)

    def fetch_order(self, client_order_id: str) -> OrderReport | Absent:
        if not _ORDER_ID.fullmatch(client_order_id):
            raise LookupFailed(f"{client_order_id!r} is not an order id of this venue")
        with authoritative("order"):
            # The venue answers with nothing for an order that it lists no more.
            answer = self._ask.clob_or_none(
                f"/data/order/{client_order_id.lower()}", is_signed=True, is_none_when_empty=True
            )
            return translate.order_or_absent(answer, client_order_id=client_order_id)

    def fetch_open_orders(self) -> list[OrderReport]:
        with authoritative("open orders"):
            return [translate.order_report(order) for order in self._ask.pages("/data/orders", {})]

    def fetch_fills(self, *, since: datetime, instrument_id: str | None = None) -> list[FillReport]:
        """Our fills since then, at most of one token.

        They are asked for by market and not by token: a trade is filed under the token that its taking order traded,
        and an order of ours that rested may have been met by one for the market's other outcome.
        """
        params = {"after": str(epoch_ms(since - _SINCE_MARGIN) // 1000)}
        reports: list[FillReport] = []
        with authoritative("fills"):
            condition_id = self._facts.condition_of(instrument_id) if instrument_id is not None else ""
            if condition_id:
                params["market"] = condition_id
            for item in self._ask.pages("/data/trades", params):
                trade = wire.mapping(item, name="trade")
                fee_terms = self._facts.fee_terms_of(fills.condition_of(trade))
                reports += fills.fill_reports(trade, us=self._us, fee_terms=fee_terms)
        return [report for report in reports if instrument_id in (None, report.instrument_id)]

    def fetch_fills_of_order(
        self, client_order_id: str, *, since: datetime, instrument_id: str
    ) -> list[FillReport]:
        reports = self.fetch_fills(since=since, instrument_id=instrument_id)
        return [report for report in reports if report.client_order_id == client_order_id.lower()]

    def is_untouched(self, client_order_id: str) -> bool | None:
        return chain.is_untouched(self._client, self._config, order_id=client_order_id)

    @property
    def chain_id(self) -> int:
        return self._config.chain_id

    def check_domains(self, domains: Sequence[ExchangeDomain] | None = None) -> list[DomainFinding]:
        chosen = domains if domains is not None else [row for row in self._config.domains if row.is_active]
        return [chain.check_domain(self._client, self._config, domain) for domain in chosen]

    def fetch_positions(self, instrument_ids: Sequence[str]) -> list[PositionReport]:
        reports = []
        for instrument_id in instrument_ids:
            asset_type = "CONDITIONAL-V2" if is_v2_position_id(instrument_id) else "CONDITIONAL"
            with authoritative(f"position {instrument_id}"):
                answer = self._balance(asset_type=asset_type, token_id=instrument_id)
                reports.append(translate.position_report(answer, instrument_id=instrument_id))
        return reports

    def fetch_balances(self) -> list[BalanceReport]:
        with authoritative("balance"):
            return [translate.balance_report(self._balance(asset_type="COLLATERAL"))]

    def fetch_instruments(self, instrument_ids: Sequence[str]) -> list[InstrumentTerms]:
        """Terms of the tokens the venue knows; one it does not know, or states absurdly, is left out."""
        with authoritative("instruments"):
            return self._facts.terms(instrument_ids)

    def fetch_book(self, instrument_id: str) -> Book:
        with authoritative(f"book of {instrument_id}"):
            answer = self._ask.clob("/book", {"token_id": instrument_id})
            return markets.book_of(answer, instrument_id=instrument_id)

    def fetch_books(self, instrument_ids: Sequence[str]) -> dict[str, Book]:
        """Up to BOOKS_MAX books a request; a token that the venue does not know is left out of its answer."""
        found: dict[str, Book] = {}
        for start in range(0, len(instrument_ids), BOOKS_MAX):
            asked = instrument_ids[start : start + BOOKS_MAX]
            with authoritative("books"):
                found |= markets.books_of(
                    self._ask.clob_posted("/books", [{"token_id": token} for token in asked]),
                    instrument_ids=asked,
                )
        return found

    def fetch_time(self) -> datetime:
        with authoritative("time"):
            return wire.moment(self._ask.clob("/time"), name="time").astimezone(UTC)

    def search_markets(self, query: str) -> list[MarketListing]:
        """Markets whose event the catalogue finds by these words, for a person to choose from."""
        return self._search.listings(query)

    def list_markets(self, tag: str) -> list[MarketListing]:
        """Open markets that the catalogue keeps under `tag`."""
        return self._search.tagged(tag)

    def derive_credentials(self) -> Credentials:
        """The account's API key, secret and passphrase, made or derived again; store them as settings.

        Raises LookupFailed when the venue does not give them.
        """
        now_s = epoch_ms(utc_now()) // 1000
        try:
            return Credentials(
                *create_credentials(self._config, account=account_of(self._config), now_s=now_s)
            )
        except PolymarketError as error:
            raise LookupFailed(f"credentials: {type(error).__name__}") from None

    def budget_plan(self, tier: str = budgets.STANDARD) -> BudgetPlan:
        return budgets.budget_plan(tier)

    def take_limit_readings(self) -> list[LimitReading]:
        return self._client.take_limit_readings()

    def close(self) -> None:
        """Close this process's connections."""
        self._client.close()

    def _identity_or_unknown(self, payload: bytes) -> Identity | Unknown:
        # What this process has just signed needs no proof that it is ours; another process's bytes do.
        own = self._own.pop(payload, None)
        if own is not None:
            return own
        try:
            return identity_in(payload, config=self._config)
        except ForeignPayload as error:
            return Unknown(reason="payload_foreign", message=str(error), reached_wire=False)

    def _post_batch(self, sent: Mapping[Identity, bytes]) -> list[Outcome]:
        try:
            answer = self._client.post_orders(batches.batch_body(list(sent.values())))
        except NoAnswer as silence:
            unknown = Unknown(
                reason=silence.reason, message=silence.message, reached_wire=silence.reached_wire
            )
            return [unknown] * len(sent)
        outcomes = batches.classify_batch_response(
            answer.status, answer.headers, answer.body, orders=list(sent)
        )
        return [self._without_secrets(outcome) for outcome in outcomes]

    def _balance(self, *, asset_type: str, token_id: str = "") -> object:
        params = {"asset_type": asset_type, "signature_type": str(self._config.signature_type)}
        if token_id:
            params["token_id"] = token_id
        return self._ask.clob("/balance-allowance", params, is_signed=True)

    def _without_secrets(self, outcome: Outcome) -> Outcome:
        """The venue's words are stored and shown; should they ever quote a secret, it stops here."""
        if isinstance(outcome, Accepted):
            return outcome
        message = outcome.message
        for secret in self._config.secrets:
            message = message.replace(secret, "…")
        return dataclasses.replace(outcome, message=message)
