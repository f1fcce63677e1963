"""The wallet's own acts on the practice exchange: ordered, signed, sent once, found again; and our standing read."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.desk import Desk
from tests.trading import VENUE, wait_for
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Refused
from venues.models import AccountStanding, WalletJob
from venues.selectors.accounts import account_standing
from venues.services.accounts import account_read
from venues.services.wallets import (
    wallet_acts_missing,
    wallet_acts_wrap,
    wallet_jobs_abort,
    wallet_jobs_advance,
    wallet_jobs_open,
)

pytestmark = pytest.mark.django_db(transaction=True)


def carry_out(*, seconds: float = 30) -> None:
    """Advance until no job is live; time passes quickly for what is sent again."""

    def over() -> bool:
        wallet_jobs_advance(VENUE, now=utc_now() + timedelta(seconds=40))
        return not WalletJob.objects.filter(state__in=["WAITING", "PREPARED", "SENDING", "UNKNOWN"]).exists()

    wait_for(over, seconds=seconds)


def standing() -> AccountStanding:
    found = account_standing(VENUE)
    assert found is not None
    return found


def approve() -> list[WalletJob]:
    acts = wallet_acts_missing(VENUE)
    return wallet_jobs_open(VENUE, acts, actor="treasurer", reason="first day", now=utc_now())


def test_missing_approvals_are_granted_one_after_the_other(desk: Desk) -> None:
    desk.exchange.post("account", address=desk.address, approved=False)
    assert len(account_read(VENUE, now=utc_now()).faults) == 1

    jobs = approve()
    assert len(jobs) == 17
    carry_out()

    assert {row.state for row in WalletJob.objects.all()} == {"DONE"}
    assert wallet_acts_missing(VENUE) == []
    assert standing().faults == []
    sent = [row for row in desk.exchange.get("chain")["transactions"] if row["kind"] == "eoa"]
    assert [row["nonce"] for row in sent] == list(range(16, -1, -1))


def test_usdc_is_wrapped_and_the_venue_sees_it(desk: Desk) -> None:
    desk.exchange.post("tokens", address=desk.address, usdce="500")
    before = account_read(VENUE, now=utc_now()).seen_usd

    wallet_jobs_open(
        VENUE, wallet_acts_wrap(VENUE, Decimal(200)), actor="treasurer", reason="float", now=utc_now()
    )
    carry_out()

    assert [row.title for row in WalletJob.objects.order_by("created_at")] == [
        "Let CollateralOnramp take 200 USDC.e",
        "Wrap 200 USDC.e into pUSD",
    ]
    assert standing().seen_usd == (before or 0) + 200
    assert Decimal(standing().balances["USDC.e"]) == 300


def test_more_than_the_wallet_has_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match=r"holds 0 USDC\.e"):
        wallet_acts_wrap(VENUE, Decimal(1))


@pytest.mark.parametrize(("fate", "state"), [("drop", "DONE"), ("revert", "FAILED"), ("replace", "VOID")])
def test_what_becomes_of_a_transaction_is_found_out(desk: Desk, fate: str, state: str) -> None:
    desk.exchange.post("account", address=desk.address, approved=False)
    desk.exchange.post("chain", fates=[{"fate": fate}])
    acts = wallet_acts_missing(VENUE)[:1]
    wallet_jobs_open(VENUE, acts, actor="treasurer", reason="first day", now=utc_now())

    carry_out()

    job = WalletJob.objects.get()
    assert (job.state, job.attempts) == (state, 2 if fate == "drop" else 1)
    assert [event.new for event in job.events.all()][:2] == ["PREPARED", "SENDING"]


def test_a_second_order_waits_for_the_first(desk: Desk) -> None:
    desk.exchange.post("account", address=desk.address, approved=False)
    approve()
    with pytest.raises(Refused, match="under way"):
        approve()
    assert wallet_jobs_abort(VENUE, actor="treasurer", now=utc_now()) == 17
    assert {row.state for row in WalletJob.objects.all()} == {"ABORTED"}


def test_no_order_without_a_reason(desk: Desk) -> None:
    with pytest.raises(Refused, match="say why"):
        wallet_jobs_open(VENUE, [], actor="treasurer", reason=" ", now=utc_now())


def test_our_standing_is_kept_while_nothing_changes(desk: Desk) -> None:
    first = account_read(VENUE, now=utc_now())
    again = account_read(VENUE, now=utc_now())

    assert (again.pk, again.unread, again.faults) == (first.pk, [], [])
    assert again.checked_at > first.first_read_at
    assert (again.wallet, again.signature_type, again.is_key_valid) == (desk.address, 0, True)
    assert again.balances["POL"] == "10.000000"
    assert len(again.approvals) == 17


@pytest.mark.parametrize(
    ("path", "values", "refusal"),
    [
        ("account", {"standing": "closed_only"}, "only close positions"),
        (
            "geoblock",
            {"blocked": True, "country": "US", "region": "NY"},
            "does not serve this machine's country (US NY)",
        ),
    ],
)
def test_what_forbids_opening_is_said(desk: Desk, path: str, values: dict[str, object], refusal: str) -> None:
    desk.exchange.post(path, **({"address": desk.address} if path == "account" else {}), **values)
    assert refusal in account_read(VENUE, now=utc_now()).opening_refusal
