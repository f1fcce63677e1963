"""What a question is about: which insured event, on which coins and chains, and whether it asks for it or its absence.

Words are matched, not understood: what fits no pattern is about nothing of ours, and a person may still map it by hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hedging.domain.wordings import PriceTrigger, plain
from policies.domain.catalogue import Chain, CoverageType, Stablecoin

# Other names under which markets speak of a coin. Tickers are matched in any case, and never inside a longer word.
_COIN_NAMES: dict[Stablecoin, tuple[str, ...]] = {
    Stablecoin.USDC: ("USD Coin",),
    Stablecoin.USDT: ("Tether",),
    Stablecoin.BUSD: ("Binance USD",),
    Stablecoin.USDY: ("Ondo US Dollar Yield",),
    Stablecoin.PYUSD: ("PayPal USD",),
    Stablecoin.LUSD: ("Liquity USD",),
    Stablecoin.USDP: ("Pax Dollar",),
}
# In the right spelling only: "base", "ton" and "optimism" are ordinary words too.
_CHAIN_NAMES: dict[Chain, str] = {
    Chain.ETHEREUM: r"[Ee]thereum",
    Chain.ARBITRUM: r"[Aa]rbitrum",
    Chain.BASE: r"(?:the )?Base(?= (?:bridge|chain|network|mainnet|L2)\b)|\bon Base",
    Chain.POLYGON: r"[Pp]olygon",
    Chain.OPTIMISM: r"Optimism|OP Mainnet",
    Chain.BITCOIN: r"[Bb]itcoin|WBTC",
    Chain.SOLANA: r"[Ss]olana|Wormhole",
    Chain.TON: r"TON|Toncoin",
}
_EXCHANGES = (
    r"binance|coinbase|okx|bybit|kraken|kucoin|gate(?:\.io)?|crypto\.com|bitget|htx|huobi|upbit"
    r"|bitfinex|bitstamp|gemini"
)
_QUOTE_LEG = re.compile(r"(?<=[A-Za-z])\s?[/-]\s?(?:USDT|USDC|USD)\b(?!\.e)")

_THEFT = r"hack(?:s|ed)?|exploit(?:s|ed)?|stolen|theft|drain(?:s|ed)?|attack(?:s|ed)?|breach(?:ed)?"
_DEPEG = re.compile(
    r"\bde-?peg(?:s|ged|ging)?\b|\blos(?:e|es|ing) (?:its|their|the) (?:\w+ )?peg\b", re.IGNORECASE
)
_PEG_KEPT = re.compile(
    r"\b(?:keep|keeps|hold|holds|maintain|maintains|retain|retains) (?:its|their|the) (?:\w+ )?peg\b",
    re.IGNORECASE,
)
_ORACLE = re.compile(r"\boracles?\b", re.IGNORECASE)
_BRIDGE = re.compile(r"\bbridge[sd]?\b|\bwormhole\b|\bcustody of wrapped\b", re.IGNORECASE)
_EXCHANGE = re.compile(
    rf"\bCEX(?:es)?\b|\b(?:centrali[sz]ed|crypto) exchanges?\b|\b(?:{_EXCHANGES})\b", re.IGNORECASE
)
_FAILURE = re.compile(
    r"\binsolven\w*|\bbankrupt\w*|\bliquidat\w*|\bcollapse\w*"
    r"|\bhalts?\b[^.]{0,30}\bwithdrawals?\b|\bwithdrawals? (?:halt|pause|suspen)\w*",
    re.IGNORECASE,
)
_THEFT_AT_ALL = re.compile(rf"\b(?:{_THEFT})\b", re.IGNORECASE)
_CRYPTO = re.compile(r"\bcrypto\w*|\bprotocols?\b|\bsmart contracts?\b|\bDeFi\b|\bon-?chain\b", re.IGNORECASE)

_NOT = re.compile(
    r"\b(?:no|not|never|without|avoid|avoids|none|nobody|survive|survives)\b|n't\b"
    r"|\b(?:stay|stays|remain|remains) solvent\b",
    re.IGNORECASE,
)
_LASTING = re.compile(
    r"\b(?:stay|stays|remain|remains|hold|holds|keep|keeps)\b(?: \w+){0,3} (?:above|over|at or above|at least)\b"
    r"|\bat all times\b|\bthroughout\b",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"\bmarket[ -]?caps?\b|\bcapitali[sz]ation\b|\b(?:circulating |total )?supply\b"
    r"|\bdominance\b|\bTVL\b|\bFDV\b|\bflip(?:s|pen)?\b",
    re.IGNORECASE,
)
_SUPERLATIVE = re.compile(
    r"\b(?:largest|biggest|most)\b[^.?]{0,40}\b(?:hack|exploit|theft|breach)\b", re.IGNORECASE
)
_RECOVERY = re.compile(
    r"\bre-?peg(?:s|ged)?\b|\b(?:regain|recover|restore|return)s?\b[^.?]{0,30}(?:\bpeg\b|\$\s?1\b)",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"\bstablecoins\b[^.?]{0,20}\b(?:hit|reach|exceed|surpass)\w*\s+\$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What a question asks about. `why_not` says why it is no hedge ("" when it may be one)."""

    coverage_type: CoverageType | None = None
    coins: tuple[Stablecoin, ...] = ()
    chains: tuple[Chain, ...] = ()
    why_not: str = ""


def subject_of(question: str, clause: str, *, price: PriceTrigger | None) -> Subject:
    """What the market is about. The question decides; its condition (`clause`) fills in the rest."""
    asked, told = plain(question), plain(clause)
    for pattern, why in _NO_HEDGES:
        if pattern.search(asked):
            return Subject(why_not=why)
    both = f"{asked}\n{told}"
    coins, chains = coins_in(asked) or coins_in(told), chains_in(asked) or chains_in(told)
    if (
        _DEPEG.search(asked)
        or _PEG_KEPT.search(asked)
        or (price is not None and coins and not _THEFT_AT_ALL.search(asked))
    ):
        return _depeg(coins, asked, price=price)
    if _EXCHANGE.search(asked) and _FAILURE.search(both) and not _THEFT_AT_ALL.search(asked):
        return Subject(coverage_type=CoverageType.CEX_LIQUIDATION)
    if not _THEFT_AT_ALL.search(both):
        return Subject(why_not="its words are about none of the events that we insure")
    if _ORACLE.search(asked):
        return Subject(coverage_type=CoverageType.ORACLE, chains=chains)
    if _BRIDGE.search(asked):
        return Subject(coverage_type=CoverageType.BRIDGE, chains=chains)
    if _EXCHANGE.search(asked):
        return Subject(why_not="it pays on a theft from an exchange, which no product insures")
    if _CRYPTO.search(asked) or chains_in(asked):
        return Subject(coverage_type=CoverageType.SMART_CONTRACT, chains=chains)
    return Subject(why_not="its words are about none of the events that we insure")


_NO_HEDGES = (
    (_SIZE, "it is about size (market cap, supply, value locked): that moves without anybody's insured event"),
    (_TOTAL, "it is about the sum of all stablecoins, which moves without anybody's insured event"),
    (_SUPERLATIVE, "it names the largest theft of a period, whatever its size: it pays by comparison, not by event"),
    (_RECOVERY, "it pays when the peg comes back, which is the end of the insured event"),
)  # fmt: skip


def _depeg(coins: tuple[Stablecoin, ...], asked: str, *, price: PriceTrigger | None) -> Subject:
    if price is not None and price.price >= 1 and not price.is_below:
        return Subject(why_not=f"it pays on a price above ${price.price}, and we insure a fall")
    if not coins:
        return Subject(why_not="it names no coin of ours")
    if len(coins) > 1 and not re.search(r"\b(?:any|either|or)\b", asked, re.IGNORECASE):
        return Subject(why_not=f"it needs several coins at once ({', '.join(coins)})")
    return Subject(coverage_type=CoverageType.DEPEG, coins=coins)


def coins_in(text: str) -> tuple[Stablecoin, ...]:
    """Our coins that `text` names, in our order. A pair (USDC/USDT) names its first coin; USDC.e is not USDC."""
    words = _QUOTE_LEG.sub(" ", plain(text))
    return tuple(
        coin
        for coin in Stablecoin
        if any(
            re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9]|\.e\b)", words, re.IGNORECASE)
            for name in (coin.value, *_COIN_NAMES.get(coin, ()))
        )
    )


def chains_in(text: str) -> tuple[Chain, ...]:
    """Our chains that `text` names, in our order."""
    words = plain(text)
    return tuple(
        chain for chain, pattern in _CHAIN_NAMES.items() if re.search(rf"(?<!\w)(?:{pattern})(?!\w)", words)
    )


def is_event(coverage_type: CoverageType, text: str, *, price: PriceTrigger | None) -> bool | None:
    """True: `text` says that the insured event happens; False: that it does not; None: it cannot be told.

    A price above a threshold at one moment is neither: only one that lasts denies the fall.
    """
    words = plain(text)
    negated = _NOT.search(words) is not None
    if coverage_type is not CoverageType.DEPEG:
        return not negated
    if _PEG_KEPT.search(words):
        return negated
    if price is None:
        return not negated if _DEPEG.search(words) else None
    if price.is_below:
        return not negated
    return False if _LASTING.search(words) and not negated else None
