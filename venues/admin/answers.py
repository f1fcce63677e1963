"""How far a market's answer is, on its page: the judgement with its age, and each source's words."""

from __future__ import annotations

from django.utils.safestring import SafeString

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card
from venues.models import Instrument, Resolution, ResolutionWord

_WORDS_SHOWN = 30
_COLOURS = {"open": "grey", "proposed": "orange", "disputed": "red", "resolved": "blue"}


def answer_word(row: Instrument) -> SafeString:
    """The answer in a badge; a dash where nobody has asked yet."""
    found = _resolution(row)
    if found is None:
        return display.one_line(display.NOTHING)
    if found.conflict:
        return display.badge("Contradicted", "red", title=found.conflict)
    if found.payout is not None:
        return display.badge(f"Pays {display.price_text(found.payout)}", _COLOURS["resolved"])
    return display.badge(found.get_state_display(), _COLOURS[found.state], title=found.sentence)


def answer_cards(row: Instrument) -> list[Card]:
    """What was heard of the market's answer."""
    found = _resolution(row)
    if found is None:
        return []
    age = display.ago_text(found.checked_at, now=utc_now())
    facts: list[tuple[str, object]] = [("Answer", answer_word(row)), ("Judgement", found.sentence)]
    if found.conflict:
        facts.append(("Contradiction", found.conflict))
    if found.resolved_at is not None:
        facts += [("Agreed by", found.agreed_by), ("Since", display.moment(found.resolved_at))]
    words = [
        (display.moment(said.heard_at), said.source, display.word(said.state), said.words)
        for said in ResolutionWord.objects.filter(instrument=row)[:_WORDS_SHOWN]
    ]
    heard = display.table(["When", "Source", "Says", "In its words"], words)
    return [
        Card(f"The market's answer, asked {age}", display.facts(facts)),
        Card("What each source said, whenever it changed", heard),
    ]


def _resolution(row: Instrument) -> Resolution | None:
    # The row comes with its answer from the list's query; one that has none raises what getattr expects.
    found: Resolution | None = getattr(row, "resolution", None)
    return found
