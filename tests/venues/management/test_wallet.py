"""`manage.py wallet` on the practice exchange: what it shows, what it asks, what it sends."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.desk import Desk
from venues.models import WalletJob

pytestmark = pytest.mark.django_db(transaction=True)


def said(*words: str, **options: object) -> str:
    out = StringIO()
    call_command("wallet", *words, stdout=out, **options)
    return out.getvalue()


def test_status_says_everything(desk: Desk) -> None:
    text = said("status")
    assert f"Wallet    {desk.address} (the key's own address)" in text
    assert "100000.000000 pUSD" in text.replace("100000 pUSD", "100000.000000 pUSD")
    assert text.count("ok     ") == 17
    assert "In order" in text


def test_missing_approvals_are_shown_asked_and_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.exchange.post("account", address=desk.address, approved=False)
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    refused = said("approve")
    assert refused.count("approve(spender, 2**256 - 1)") == 7
    assert "Nothing was sent" in refused
    assert not WalletJob.objects.exists()

    text = said("approve", yes=True, reason="the first day")

    assert "17 of 17 done" in text
    assert "Nothing is missing" in said("approve", yes=True)
    assert {row.reason for row in WalletJob.objects.all()} == {"the first day"}


def test_money_is_wrapped(desk: Desk) -> None:
    desk.exchange.post("tokens", address=desk.address, usdce="50")
    assert "2 of 2 done" in said("wrap", "20.5", yes=True)
    text = said("refresh")
    assert "29.500000 USDC.e" in text.replace("29.5 USDC.e", "29.500000 USDC.e")
    assert "100020.5 pUSD" in text


@pytest.mark.parametrize(("amount", "words"), [("much", "say how many"), ("7", "holds 0 USDC")])
def test_an_amount_that_cannot_be_is_refused(desk: Desk, amount: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        said("wrap", amount, yes=True)


def test_a_revert_is_an_error_for_machines(desk: Desk) -> None:
    desk.exchange.post("tokens", address=desk.address, usdce="50")
    desk.exchange.post("chain", fates=[{"fate": "revert"}])
    with pytest.raises(CommandError, match="not everything was done"):
        said("wrap", "20", yes=True)
    assert next(iter(WalletJob.objects.order_by("created_at").values_list("state", flat=True))) == "FAILED"
