"""The official client's own redemption and approvals, unmodified, on the practice chain; and what nodes refuse."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from polymarket import RelayerApiKey
from polymarket.errors import TransactionFailedError

from tests.venues.simulators.polymarket.rig import ALICE, ALICE_KEY, USDC, Exchange
from venues.simulators.polymarket import config

NEG_RISK = "largest-crypto-hack-of-2027-bridge"
FAST: dict[str, Any] = {"relayer_poll_frequency_ms": 20}


@pytest.fixture
def chain(exchange: Exchange) -> Iterator[Exchange]:
    """An exchange with quick blocks, and no fates left over."""
    exchange.admin("/settlement", mined_seconds=0.05, confirmed_seconds=0.05)
    yield exchange
    exchange.admin("/chain", fates=[])


def buy(exchange: Exchange, client: Any, slug: str, *, shares: str = "100") -> tuple[str, str]:
    """Buy YES of a market; return (condition id, token id)."""
    market = exchange.get("/admin/info")["markets"][slug]
    exchange.admin("/book", slug=slug, bids=[["0.020", "10000"]], asks=[["0.040", "10000"]])
    client.place_limit_order(token_id=market["token_ids"][0], price="0.04", size=shares, side="BUY")
    exchange.admin("/settlement/run")
    return market["condition_id"], market["token_ids"][0]


def shares(exchange: Exchange, token: str, *, wallet: str = ALICE) -> str:
    """Units that the exchange's truth gives a wallet."""
    held = exchange.truth()["accounts"][wallet]["positions"].get(token)
    return held["shares"] if held else "0"


def pusd(exchange: Exchange, *, wallet: str = ALICE) -> float:
    return float(exchange.truth()["accounts"][wallet]["pusd"])


@pytest.mark.parametrize(("payout", "paid"), [("YES", 100.0), ("NO", 0.0), ("50-50", 50.0)])
@pytest.mark.parametrize("slug", [USDC, NEG_RISK])
def test_the_official_client_redeems_what_it_bought(
    chain: Exchange, slug: str, payout: str, paid: float
) -> None:
    chain.admin("/reset")
    chain.admin("/settlement", mined_seconds=0.05, confirmed_seconds=0.05)
    chain.admin("/fund", address=ALICE, pusd="1000")
    client = chain.client(**FAST)
    condition, token = buy(chain, client, slug)
    chain.admin("/resolve", slug=slug, payout=payout)
    before = pusd(chain)

    outcome = client.redeem_positions(condition_id=condition).wait()

    assert outcome.transaction_hash.startswith("0x")
    assert shares(chain, token) == "0"
    assert pusd(chain) - before == pytest.approx(paid)
    assert chain.truth()["money"]["is_conserved"] is True


def test_redeeming_before_the_answer_is_refused_at_the_estimate(chain: Exchange) -> None:
    chain.admin("/reset")
    chain.admin("/fund", address=ALICE, pusd="1000")
    client = chain.client(**FAST)
    condition, _ = buy(chain, client, USDC)
    with pytest.raises(Exception, match=r"No market found|result for condition not received yet"):
        client.redeem_positions(condition_id=condition)


def test_the_official_client_sets_up_every_approval(chain: Exchange) -> None:
    chain.admin("/reset")
    chain.admin("/settlement", mined_seconds=0.02, confirmed_seconds=0.02)
    chain.admin("/fund", address=ALICE, pusd="1000")
    chain.admin("/account", address=ALICE, approved=False)
    client = chain.client(**FAST)

    client.setup_trading_approvals()

    kinds = [row["status"] for row in chain.get("/admin/chain")["transactions"]]
    assert kinds == ["mined"] * 17
    client.setup_trading_approvals()
    assert len(chain.get("/admin/chain")["transactions"]) == 17
    buy(chain, client, USDC)


def test_a_deposit_wallet_redeems_through_the_relayer(chain: Exchange) -> None:
    chain.admin("/reset")
    chain.admin("/settlement", mined_seconds=0.05, confirmed_seconds=0.05)
    api_key = RelayerApiKey(key="relayer-key", address=ALICE)
    client = chain.client(wallet=None, api_key=api_key, **FAST)
    wallet = str(client.wallet)
    chain.admin("/fund", address=wallet, pusd="1000", owner=ALICE, signature_type=3)
    condition, token = buy(chain, client, USDC)
    chain.admin("/resolve", slug=USDC, payout="YES")

    client.redeem_positions(condition_id=condition).wait()

    assert shares(chain, token, wallet=wallet) == "0"


@pytest.mark.parametrize("fate", ["revert"])
def test_a_reverted_transaction_moves_nothing(chain: Exchange, fate: str) -> None:
    chain.admin("/reset")
    chain.admin("/settlement", mined_seconds=0.05, confirmed_seconds=0.05)
    chain.admin("/fund", address=ALICE, pusd="1000")
    client = chain.client(**FAST)
    condition, token = buy(chain, client, USDC)
    chain.admin("/resolve", slug=USDC, payout="YES")
    chain.admin("/chain", fates=[{"fate": fate}])
    with pytest.raises(TransactionFailedError):
        client.redeem_positions(condition_id=condition).wait()
    assert shares(chain, token) == "100"


def rpc(exchange: Exchange, method: str, *params: Any) -> dict[str, Any]:
    return exchange.call(
        "POST", "/rpc", {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    )[1]


def signed(to: str, data: str, *, nonce: int = 0, chain_id: int = 31337, value: int = 0) -> str:
    sent = Account.sign_transaction(
        {"to": to, "value": value, "data": data, "gas": 300_000, "gasPrice": 30 * 10**9, "nonce": nonce,
         "chainId": chain_id},
        ALICE_KEY,
    )  # fmt: skip
    return "0x" + sent.raw_transaction.hex().removeprefix("0x")


APPROVE = "0x095ea7b3" + config.ROUTER[2:].lower().rjust(64, "0") + "ff" * 32


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (signed(config.COLLATERAL_TOKEN, APPROVE, chain_id=137), "invalid chain id"),
        (signed(config.COLLATERAL_TOKEN, "0xa9059cbb" + "00" * 64), "refuses transfers"),
        (signed(config.COLLATERAL_TOKEN, "0x", value=1), "refuses transfers"),
        ("0x" + "00" * 40, "invalid transaction"),
    ],
)
def test_what_the_node_does_not_take(chain: Exchange, raw: str, words: str) -> None:
    assert words in rpc(chain, "eth_sendRawTransaction", raw)["error"]["message"]


def test_the_same_bytes_are_mined_once(chain: Exchange) -> None:
    chain.admin("/reset")
    chain.admin("/settlement", mined_seconds=0.2, confirmed_seconds=0.05)
    raw = signed(config.COLLATERAL_TOKEN, APPROVE)
    name = rpc(chain, "eth_sendRawTransaction", raw)["result"]
    assert rpc(chain, "eth_sendRawTransaction", raw)["error"]["message"] == "already known"
    deadline = time.monotonic() + 5
    while rpc(chain, "eth_getTransactionReceipt", name)["result"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "nonce too low" in rpc(chain, "eth_sendRawTransaction", raw)["error"]["message"]
    assert rpc(chain, "eth_getTransactionCount", ALICE, "latest")["result"] == "0x1"


def test_a_dropped_transaction_is_taken_again(chain: Exchange) -> None:
    chain.admin("/reset")
    chain.admin("/settlement", mined_seconds=0.05, confirmed_seconds=0.05)
    chain.admin("/chain", fates=[{"fate": "drop"}])
    raw = signed(config.COLLATERAL_TOKEN, APPROVE)
    name = rpc(chain, "eth_sendRawTransaction", raw)["result"]
    assert rpc(chain, "eth_getTransactionByHash", name)["result"] is None
    assert rpc(chain, "eth_sendRawTransaction", raw)["result"] == name
    deadline = time.monotonic() + 5
    while rpc(chain, "eth_getTransactionReceipt", name)["result"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
