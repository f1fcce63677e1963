"""The colour of each state: green is done, blue under way, orange worth a look, red needs a person."""

from __future__ import annotations

ORDER = {
    "PREPARED": "grey",
    "SENDING": "blue",
    "ACKED": "blue",
    "PARTIAL": "blue",
    "FILLED": "green",
    "REJECTED": "orange",
    "UNKNOWN": "red",
    "MANUAL": "red",
}
INTENT = {"OPEN": "blue", "DONE": "green", "PARKED": "red"}
CYCLE = {"running": "blue", "done": "green", "failed": "red"}
MODE = {"send": "green", "record": "orange"}
SETTLEMENT = {"matched": "blue", "mined": "blue", "retrying": "orange", "confirmed": "green", "failed": "red"}
SIDE = {"REDEEM": "blue", "BUY": "grey", "SELL": "orange"}
BREAKER = {"CLOSED": "green", "OPEN": "red", "HALF_OPEN": "orange"}
DISCREPANCY = {"open": "red", "healed": "green"}
SLICE = {"open": "green"}
OUTCOME = {"hedged": "green", "partly_hedged": "orange", "unhedged": "red"}


def side_of(side: str, time_in_force: str) -> str:
    """The word for a side: what goes to the chain for its payout is no sale."""
    return "REDEEM" if time_in_force == "TX" else side
