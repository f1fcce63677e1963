"""What contracts must be allowed to take from our wallet, what they are allowed, and the calls that allow it.

The pairs are those of the official client's `setup_trading_approvals` (polymarket-client 0.14.0), without its
perpetuals and with the legacy neg-risk adapter, at which the order book still looks
(docs.polymarket.com/resources/contracts).
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tonsurance.kernel.errors import Refused
from tonsurance.kernel.money import from_micro, to_micro
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.node import Node, selector, word
from venues.adapters.polymarket.wallet_contracts import WalletContracts
from venues.domain.accounts import ActKind, Approval, WalletAct

UNLIMITED = (1 << 256) - 1
ENOUGH_MICRO = 10**12
"""A million dollars: more than a working float; below that an allowance may stop an order."""

_ALLOWANCE = selector("allowance(address,address)")
_IS_APPROVED = selector("isApprovedForAll(address,address)")
_BALANCE_OF = selector("balanceOf(address)")
_APPROVE = selector("approve(address,uint256)")
_SET_APPROVAL = selector("setApprovalForAll(address,bool)")
_WRAP = selector("wrap(address,address,uint256)")


class Pair(NamedTuple):
    """One permission: `is_money` is an allowance of an ERC-20 token, else an operator of an ERC-1155 ledger."""

    token: str
    token_address: str
    spender: str
    spender_address: str
    is_money: bool
    purpose: str


def pairs_of(config: PolymarketConfig, contracts: WalletContracts) -> tuple[Pair, ...]:
    """Every permission that trading and redeeming use."""
    money = [
        ("Exchange V2", config.exchange, "buying"),
        ("NegRisk Exchange V2", config.neg_risk_exchange, "buying in winner-takes-all groups"),
        ("NegRiskAdapter", contracts.neg_risk_adapter, "buying in winner-takes-all groups"),
        ("Exchange V3", config.exchange_v3, "buying on Protocol V2"),
        ("CollateralAdapter", contracts.collateral_adapter, "splitting and merging"),
        ("NegRiskCollateralAdapter", contracts.neg_risk_collateral_adapter, "splitting and merging"),
        ("Router", contracts.router, "splitting and merging on Protocol V2"),
    ]
    shares = [
        ("Exchange V2", config.exchange, "selling"),
        ("NegRisk Exchange V2", config.neg_risk_exchange, "selling in winner-takes-all groups"),
        ("CollateralAdapter", contracts.collateral_adapter, "redeeming"),
        (
            "NegRiskCollateralAdapter",
            contracts.neg_risk_collateral_adapter,
            "redeeming in winner-takes-all groups",
        ),
        ("AutoRedeemer", contracts.auto_redeemer, "redeeming by the venue"),
        ("BinaryModule", contracts.binary_module, "migrating to Protocol V2"),
        ("NegRiskModule", contracts.neg_risk_module, "migrating to Protocol V2"),
    ]
    positions = [
        ("Router", contracts.router, "redeeming on Protocol V2"),
        ("Exchange V3", config.exchange_v3, "selling on Protocol V2"),
        ("AutoRedeemer", contracts.auto_redeemer, "redeeming by the venue"),
    ]
    return (
        *(Pair("pUSD", contracts.collateral, name, address, True, why) for name, address, why in money),
        *(
            Pair("shares", contracts.conditional_tokens, name, address, False, why)
            for name, address, why in shares
        ),
        *(
            Pair("positions", contracts.position_manager, name, address, False, why)
            for name, address, why in positions
        ),
    )


def approvals_read(node: Node, config: PolymarketConfig, contracts: WalletContracts) -> tuple[Approval, ...]:
    """Every permission as the chain has it now. Raises NoAnswer, Unreadable."""
    return tuple(_read(node, pair, owner=config.wallet) for pair in pairs_of(config, contracts))


def _read(node: Node, pair: Pair, *, owner: str) -> Approval:
    data = (_ALLOWANCE if pair.is_money else _IS_APPROVED) + word(owner) + word(pair.spender_address)
    granted = node.call(pair.token_address, data)
    have = _amount(granted) if pair.is_money else ("yes" if granted else "no")
    return Approval(
        token=pair.token,
        token_address=pair.token_address,
        spender=pair.spender,
        spender_address=pair.spender_address,
        function="approve(spender, 2**256 - 1)" if pair.is_money else "setApprovalForAll(operator, true)",
        have=have,
        is_granted=granted >= ENOUGH_MICRO if pair.is_money else bool(granted),
        purpose=pair.purpose,
    )


def _amount(micro: int) -> str:
    if micro >= 1 << 128:
        return "unlimited"
    return f"{from_micro(micro).normalize():f}" if micro else "0"


def approve_acts(approvals: tuple[Approval, ...], *, is_relayed: bool) -> list[WalletAct]:
    """The acts that grant what is missing: one transaction each, or one batch of a deposit wallet."""
    missing = [item for item in approvals if not item.is_granted]
    acts = [
        WalletAct(
            kind=ActKind.APPROVE,
            title=f"Let {item.spender} take {item.token}",
            lines=(
                f"{item.token} {item.token_address}: {item.function} with {item.spender} {item.spender_address}",
            ),
            calls=(_approve_call(item),),
        )
        for item in missing
    ]
    if not is_relayed or not acts:
        return acts
    return [
        WalletAct(
            kind=ActKind.APPROVE,
            title=f"Grant {len(acts)} approvals",
            lines=tuple(line for act in acts for line in act.lines),
            calls=tuple(call for act in acts for call in act.calls),
        )
    ]


def _approve_call(item: Approval) -> tuple[str, str]:
    if item.function.startswith("approve"):
        return item.token_address, _APPROVE + word(item.spender_address) + word(UNLIMITED)
    return item.token_address, _SET_APPROVAL + word(item.spender_address) + word(1)


def wrap_acts(
    node: Node, config: PolymarketConfig, contracts: WalletContracts, *, amount_usd: Decimal, is_relayed: bool
) -> list[WalletAct]:
    """The acts that turn USDC.e into pUSD one to one: an allowance of exactly that much, then the wrap.

    Raises Refused for more than the wallet has, NoAnswer and Unreadable when the chain could not be asked.
    """
    wallet, micro = config.wallet, to_micro(amount_usd)
    held = node.call(contracts.bridged_usdc, _BALANCE_OF + word(wallet))
    if not 0 < micro <= held:
        raise Refused(
            f"amount: the wallet holds {from_micro(held).normalize():f} USDC.e; wrap some of it, at most all",
            code="amount",
            field="amount",
        )
    allowed = node.call(contracts.bridged_usdc, _ALLOWANCE + word(wallet) + word(contracts.onramp))
    text = f"{amount_usd.normalize():f}"
    wrap = WalletAct(
        kind=ActKind.WRAP,
        title=f"Wrap {text} USDC.e into pUSD",
        lines=(f"CollateralOnramp {contracts.onramp}: wrap({contracts.bridged_usdc}, {wallet}, {micro})",),
        calls=((contracts.onramp, _WRAP + word(contracts.bridged_usdc) + word(wallet) + word(micro)),),
        amount_usd=amount_usd,
    )
    if allowed >= micro:
        return [wrap]
    allow = WalletAct(
        kind=ActKind.APPROVE,
        title=f"Let CollateralOnramp take {text} USDC.e",
        lines=(f"USDC.e {contracts.bridged_usdc}: approve({contracts.onramp}, {micro})",),
        calls=((contracts.bridged_usdc, _APPROVE + word(contracts.onramp) + word(micro)),),
    )
    if not is_relayed:
        return [allow, wrap]
    both = WalletAct(
        kind=ActKind.WRAP,
        title=wrap.title,
        lines=allow.lines + wrap.lines,
        calls=allow.calls + wrap.calls,
        amount_usd=amount_usd,
    )
    return [both]
