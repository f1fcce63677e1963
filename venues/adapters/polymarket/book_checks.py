"""When the books of a line are compared with REST, and what the answers say about the line. No network, no clock.

Asked for: every book in doubt, at once; all of them after connecting, every minute, and whenever the line has said
nothing for ten seconds, because a silent line looks exactly like a quiet market.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from venues.adapters.polymarket.book_stream import BookMessage, Doubt, KeptBook, KeptBooks, Verdict, stamp
from venues.domain.live_books import Misread

ASK_S_FIRST, ASK_S_MAX = 1.0, 30.0
LAGS_MAX: Final = 5
FALSE_ALARMS_MAX: Final = 3
HASH_OFF_S: Final = 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Seconds. `silent_s` without data before REST is asked, `audit_s` between comparisons of everything.

    `grace_s`: how long a snapshot, or a message that REST has overtaken, may be under way. `taken_s`: after so long a
    subscription on an open line has not been taken, and only a new line helps.
    """

    silent_s: float = 10.0
    audit_s: float = 60.0
    grace_s: float = 1.5
    taken_s: float = 5.0


class Checks:
    """The comparisons of one line. `now_s` is a monotonic clock throughout, `heard_s` when the line last had data."""

    def __init__(self, kept: KeptBooks, *, pace: Pace) -> None:
        self._pace = pace
        self.resyncs = 0
        self.gaps = 0
        self.false_alarms = 0
        self.confirmed_s = 0.0
        self._kept = kept
        self._audited_s = 0.0
        self._ask_s: dict[str, float] = {}
        self._waits: dict[str, float] = {}
        self._lags: dict[str, int] = {}
        self._overtaken: dict[str, tuple[int, float]] = {}
        self._asked_for: dict[str, float] = {}
        self._hash_alarms = 0
        self._hash_off_until_s = 0.0

    def opened(self, *, now_s: float) -> None:
        """A new line: every snapshot is on its way, and all of them are compared soon."""
        self._audited_s = now_s - self._pace.audit_s + self._pace.grace_s
        self._ask_s = dict.fromkeys(self._kept.books, now_s + self._pace.grace_s)
        self._waits, self._lags, self._overtaken, self._asked_for = {}, {}, {}, {}

    def added(self, tokens: Iterable[str], *, now_s: float) -> None:
        """More was subscribed to on an open line."""
        for token in tokens:
            self._ask_s[token] = now_s + self._pace.grace_s
            self._asked_for[token] = now_s

    def trusts_hash(self, now_s: float) -> bool:
        """Whether a hash that does not fit is worth a question: not for a while after several false alarms."""
        return now_s >= self._hash_off_until_s

    def due(self, *, now_s: float, heard_s: float) -> list[str]:
        """Tokens to ask REST for now."""
        books = self._kept.books
        silent_s = now_s - max(heard_s, self.confirmed_s, self._audited_s)
        if now_s - self._audited_s >= self._pace.audit_s or silent_s >= self._pace.silent_s:
            self._audited_s = now_s
            return sorted(books)
        return sorted(
            token for token, book in books.items() if book.doubt and self._ask_s.get(token, 0.0) <= now_s
        )

    def answered(self, asked: Sequence[str], told: Mapping[str, BookMessage], *, now_s: float) -> None:
        """Take REST's answer: it clears doubts, replaces books, and shows what the line has lost."""
        for token in asked:
            book = self._kept.books.get(token)
            if book is None:
                continue
            try:
                verdict = self._judge(book, told.get(token), now_s=now_s)
            except Misread:
                book.doubt = book.doubt or Doubt.UNREADABLE
                verdict = Verdict.ABSENT
            self._next(book, verdict, now_s=now_s)
        if asked and self._kept.books.keys() <= set(asked):
            self.confirmed_s = now_s

    def failed(self, asked: Sequence[str], *, now_s: float) -> None:
        """REST did not answer: ask again later, and later still the next time."""
        for token in asked:
            if token in self._kept.books:
                self._next(self._kept.books[token], Verdict.ABSENT, now_s=now_s)

    def fault(self, *, now_s: float, heard_s: float) -> str:
        """Why the line must be opened anew; "" while it need not be."""
        for token, (version, since_s) in list(self._overtaken.items()):
            book = self._kept.books.get(token)
            if book is not None and book.version == version and now_s - since_s < self._pace.grace_s:
                continue
            del self._overtaken[token]
            if book is None or book.version != version:
                continue
            self.gaps += 1
            if heard_s <= since_s:
                return "REST has news and the line is silent"
        for token, since_s in list(self._asked_for.items()):
            book = self._kept.books.get(token)
            if book is None or book.is_told:
                del self._asked_for[token]
            elif now_s - since_s >= self._pace.taken_s and book.has_snapshot:
                return "a subscription on the open line was not taken"
        if any(count >= LAGS_MAX for count in self._lags.values()):
            return "REST stays behind the line"
        return ""

    def _judge(self, book: KeptBook, told: BookMessage | None, *, now_s: float) -> Verdict:
        doubt, at_ms, had = book.doubt, book.at_ms, book.has_snapshot
        verdict = self._kept.judge(book.instrument_id, told)
        if verdict is Verdict.ABSENT:
            book.has_snapshot, book.doubt = False, Doubt.NO_BOOK
        elif verdict is Verdict.AGREES and doubt not in (Doubt.NONE, Doubt.NO_BOOK):
            self.false_alarms += 1
            self._alarm(doubt, now_s=now_s)
        elif verdict is Verdict.REPLACED:
            self.resyncs += 1
            if not had:
                return verdict
            if doubt is Doubt.NONE:
                # Perhaps the line is only slower than REST: it has a moment to catch up.
                self._overtaken[book.instrument_id] = (book.version, now_s)
            elif doubt is not Doubt.HASH or (told is not None and stamp(told.timestamp) == at_ms):
                self.gaps += 1
                self._hash_alarms = 0
        return verdict

    def _alarm(self, doubt: Doubt, *, now_s: float) -> None:
        if doubt is not Doubt.HASH:
            return
        self._hash_alarms += 1
        if self._hash_alarms >= FALSE_ALARMS_MAX:
            self._hash_alarms = 0
            self._hash_off_until_s = now_s + HASH_OFF_S

    def _next(self, book: KeptBook, verdict: Verdict, *, now_s: float) -> None:
        token = book.instrument_id
        # REST behind a line that nothing speaks against is only slower.
        if not book.doubt:
            self._waits.pop(token, None)
            self._lags.pop(token, None)
            self._ask_s[token] = now_s
            return
        if verdict is Verdict.LAGS:
            self._lags[token] = self._lags.get(token, 0) + 1
        wait_s = self._waits.get(token, ASK_S_FIRST)
        self._waits[token] = min(ASK_S_MAX, wait_s * 2)
        self._ask_s[token] = now_s + wait_s
