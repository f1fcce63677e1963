"""What goes wrong, on purpose: a plan of faults that is seeded, logged and therefore replayable.

A *rule* strikes single requests (by method and path, so many times, after so many passes); a *mode* changes
how the venue behaves for a while. What a probability strikes depends on the seed and the count alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from venues.simulators.polymarket import refusals
from venues.simulators.polymarket.delays import NO_DELAY, Delay
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import TICKS_E4, exact_e4, text_e4

RULE_KINDS = frozenset(
    {
        "timeout_before",
        "timeout_after",
        "reset_before",
        "reset_after",
        "late_accept",
        "slow",
        "rate_limit",
        "server_error",
        "server_error_after",
        "cloudflare",
        "broken_json",
        "empty",
        "twice",
        "tick_change",
    }
)
SOCKET_KINDS = frozenset(
    {
        "socket_drop",
        "socket_silence",
        "socket_dead",
        "socket_gap",
        "socket_duplicate",
        "socket_reorder",
        "socket_stale",
    }
)
"""Rules for single messages of a WebSocket; their method is WS, their path `/ws/<channel>/<event type>`."""
MODE_KINDS = frozenset(
    {
        "restart",
        "post_only",
        "cancel_only",
        "disabled",
        "order_null",
        "lookup_lag",
        "duplicate_trades",
        "reorder_trades",
        "batch_empty_id",
        "stale_book",
        "delayed",
        "ghost_fills",
        "retrying_fills",
    }
)
LOG_MAX = 1000
RULES_MAX = 200
POST_ONLY_SECONDS = 120


@dataclass(kw_only=True, slots=True)
class Rule:
    """One fault for matching requests: `count` strikes after `skip` passes; no count means every time.

    `tick` is the new tick of a `tick_change`; without one it is ten times as coarse.
    """

    kind: str
    method: str = "*"
    path: str = "/clob/order"
    count: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seconds: float = 30.0
    text: str = "order timed out"
    headers: bool = True
    tick: str = ""
    seen: int = 0
    fired: int = 0


@dataclass(kw_only=True, slots=True)
class Mode:
    """One standing change until `until_ms` (0: until cleared).

    `lag_seconds` is for `lookup_lag` and `delayed`; `fails` makes delayed orders end unmatched; `probability` is
    the share of trades that `ghost_fills` lets fail and `retrying_fills` lets retry.
    """

    kind: str
    until_ms: int = 0
    lag_seconds: float = 0.0
    fails: bool = False
    probability: float = 1.0
    post_only_until_ms: int = 0


@dataclass(kw_only=True, slots=True)
class FaultPlan:
    """The rules and modes in force, kept with the exchange's state."""

    state: State
    seed: int = 1
    rules: list[Rule] = field(default_factory=list)
    modes: dict[str, Mode] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    frozen_books: dict[str, dict[str, Any]] = field(default_factory=dict)

    def load(self) -> None:
        """Take up the plan that was in force when the exchange last stopped."""
        kept = self.state.settings.get("faults") or {}
        self.seed = int(kept.get("seed", 1))
        self.rules = [Rule(**row) for row in kept.get("rules", [])]
        self.modes = {row["kind"]: Mode(**row) for row in kept.get("modes", [])}
        self.log = list(kept.get("log", []))
        self.frozen_books = {}

    def save(self) -> None:
        """Keep the plan with the exchange's state; the caller commits."""
        self.state.settings["faults"] = self.body()
        self.state.save_settings()

    def body(self) -> dict[str, Any]:
        """Return the plan and its log as JSON-able values."""
        return {
            "seed": self.seed,
            "rules": [asdict(rule) for rule in self.rules],
            "modes": [asdict(mode) for mode in self.modes.values()],
            "log": self.log,
        }

    def add(self, row: dict[str, Any], *, now_ms: int) -> None:
        """Add one rule or mode; ValueError names what is wrong with it."""
        kind = row.get("kind")
        if kind in MODE_KINDS:
            self._add_mode(str(kind), row, now_ms=now_ms)
            return
        if kind not in RULE_KINDS | SOCKET_KINDS:
            known = ", ".join(sorted(RULE_KINDS | SOCKET_KINDS | MODE_KINDS))
            raise ValueError(f"unknown fault {kind!r}; known: {known}")
        if len(self.rules) >= RULES_MAX:
            raise ValueError(f"at most {RULES_MAX} rules")
        allowed = set(Rule.__dataclass_fields__) - {"seen", "fired"}
        unknown = set(row) - allowed
        if unknown:
            raise ValueError(f"unknown field {', '.join(sorted(unknown))} in fault {kind}")
        of_sockets = {"method": "WS", "path": "/ws/*"} if kind in SOCKET_KINDS else {}
        rule = Rule(**of_sockets | row)
        if rule.tick and exact_e4(rule.tick) not in TICKS_E4:
            raise ValueError(f"tick must be one of {', '.join(text_e4(tick) for tick in TICKS_E4)}")
        self.rules.append(rule)

    def clear(self) -> None:
        """Forget every rule, mode and the log."""
        self.rules, self.modes, self.log, self.frozen_books = [], {}, [], {}

    def strike(
        self, method: str, path: str, *, now_ms: int, kinds: frozenset[str] = RULE_KINDS
    ) -> Rule | None:
        """Return the rule of `kinds` that strikes this request, counting it; None when it goes through."""
        for position, rule in enumerate(self.rules):
            if rule.kind not in kinds or rule.method not in ("*", method) or not fnmatchcase(path, rule.path):
                continue
            if rule.count is not None and rule.fired >= rule.count:
                continue
            rule.seen += 1
            if rule.seen <= rule.skip:
                continue
            chance = _dice(f"{self.seed}:{position}:{rule.seen}").random()
            if chance >= rule.probability:
                continue
            rule.fired += 1
            strike = {
                "n": self.log[-1]["n"] + 1 if self.log else 1,
                "at": now_ms,
                "kind": rule.kind,
                "method": method,
                "path": path,
            }
            self.log = [*self.log[-LOG_MAX + 1 :], strike]
            self.save()
            return rule
        return None

    def is_on(self, kind: str) -> bool:
        """Whether a mode is in force."""
        mode = self.modes.get(kind)
        return mode is not None and (not mode.until_ms or self.state.clock.now_ms() < mode.until_ms)

    def is_hidden(self, happened_ms: int, *, now_ms: int) -> bool:
        """Whether a look-up does not see an event yet."""
        if not self.is_on("lookup_lag"):
            return False
        return happened_ms > now_ms - round(self.modes["lookup_lag"].lag_seconds * 1000)

    def require_engine(self) -> None:
        """Refuse 425 while the matching engine restarts, and everything while trading is disabled."""
        if self.is_on("restart"):
            raise Refusal(425, refusals.RESTARTING)
        if self.is_on("disabled"):
            raise Refusal(503, refusals.TRADING_DISABLED)

    def delay(self) -> Delay:
        """Return what the `delayed` mode adds to a marketable order."""
        if not self.is_on("delayed"):
            return NO_DELAY
        mode = self.modes["delayed"]
        return Delay(seconds=mode.lag_seconds, fails=mode.fails)

    def require_trading(self, bodies: list[Any], *, now_ms: int) -> None:
        """Refuse new orders in a mode that takes none of them."""
        if self.is_on("cancel_only"):
            raise Refusal(503, refusals.CANCEL_ONLY)
        left_ms = self._post_only_left_ms(now_ms)
        quiet = any(isinstance(body, dict) and body.get("postOnly") is True for body in bodies)
        if left_ms > 0 and not quiet:
            seconds = -(-left_ms // 1000)
            raise Refusal(503, refusals.POST_ONLY_MODE, code="post_only_mode", retry_after_seconds=seconds)

    def stale_book(self, token_id: str, fresh: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return a token's book, or while books are stale the first one shown since they were."""
        if not self.is_on("stale_book"):
            self.frozen_books.clear()
            return fresh()
        if token_id not in self.frozen_books:
            self.frozen_books[token_id] = fresh()
        return self.frozen_books[token_id]

    def shuffled_trades(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return trade rows doubled or out of order when those modes are on."""
        if self.is_on("duplicate_trades"):
            rows = [row for row in rows for _ in range(2)]
        if self.is_on("reorder_trades"):
            rows = rows[:]
            _dice(f"{self.seed}:{len(rows)}").shuffle(rows)
        return rows

    def _add_mode(self, kind: str, row: dict[str, Any], *, now_ms: int) -> None:
        seconds = float(row.get("seconds", 0))
        until = now_ms + round(seconds * 1000) if seconds else 0
        mode = Mode(kind=kind, until_ms=until, probability=float(row.get("probability", 1.0)))
        if kind in ("lookup_lag", "delayed"):
            mode.lag_seconds = float(row.get("lag_seconds", 5))
            mode.fails = bool(row.get("fails", False))
        if kind == "restart":
            mode.until_ms = until or now_ms + 90_000
            after = float(row.get("post_only_seconds", POST_ONLY_SECONDS))
            mode.post_only_until_ms = mode.until_ms + round(after * 1000)
        if kind == "post_only":
            mode.until_ms = until or now_ms + POST_ONLY_SECONDS * 1000
        self.modes[kind] = mode

    def _post_only_left_ms(self, now_ms: int) -> int:
        restart, post_only = self.modes.get("restart"), self.modes.get("post_only")
        ends = [restart.post_only_until_ms if restart else 0, post_only.until_ms if post_only else 0]
        return max(ends) - now_ms


def _dice(name: str) -> random.Random:
    return random.Random(name)  # noqa: S311 - replayable on purpose
