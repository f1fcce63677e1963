"""Nothing is bought without an approved mapping; a mapping is approved by a person, on what its market says now."""

from __future__ import annotations

import pytest

from hedging.models import Mapping, MappingEvent
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db

MOVES = {
    ("proposed", "approved"), ("proposed", "declined"), ("approved", "suspended"), ("approved", "declined"),
    ("suspended", "approved"), ("suspended", "declined"), ("declined", "proposed"), ("declined", "approved"),
}  # fmt: skip
STATES = ["proposed", "approved", "suspended", "declined"]
SUSPEND = "suspended_kind = 'person', suspended_reason = 'doubts', suspended_at = now()"
CLEAR = "suspended_kind = '', suspended_reason = '', suspended_at = NULL"


def in_state(state: str) -> Mapping:
    """A mapping that was approved and then moved to `state` by hand, or was never approved."""
    row = make.mapping(
        make.product(), make.instrument(), approved_by="" if state == "proposed" else "risk.officer"
    )
    if state == "suspended":
        move(row, "suspended", SUSPEND)
    if state == "declined":
        move(row, "declined", "reason = 'no hedge', read_wording_hash = approved_wording_hash")
    return row


def move(row: Mapping, to: str, extra: str = "") -> None:
    """As a shell would."""
    changes = f"state = '{to}'{', ' + extra if extra else ''}"
    sql(f"UPDATE hedging_mapping SET {changes} WHERE id = %s", row.pk)
    row.refresh_from_db()


def approval(row: Mapping, *, by: str = "risk.officer", worded: str | None = None) -> str:
    worded = row.instrument.wording_hash if worded is None else worded
    return (
        f"changed_by = '{by}', approved_by = '{by}', approved_at = now(), "
        f"approved_wording_hash = '{worded}', {CLEAR}"
    )


# ------------------------------------------------------------------------------------------- the gates
def test_a_purchase_of_what_nobody_mapped_is_refused() -> None:
    token = make.instrument()
    with refused("HB053", saying="nothing is bought without an approved mapping"):
        buy(token.pk)


@pytest.mark.parametrize("state", ["proposed", "suspended", "declined"])
def test_a_purchase_through_a_mapping_that_is_not_approved_is_refused(state: str) -> None:
    row = in_state(state)
    with refused("HB053"):
        buy(row.instrument_id)


def test_a_purchase_through_an_approved_mapping_passes_until_the_market_is_worded_anew() -> None:
    row = in_state("approved")
    buy(row.instrument_id)
    sql("UPDATE venues_instrument SET wording_hash = 'other' WHERE id = %s", row.instrument_id)
    with refused("HB053"):
        buy(row.instrument_id)


@pytest.mark.parametrize("state", ["proposed", "suspended", "declined"])
def test_a_sale_needs_no_mapping(state: str) -> None:
    row = in_state(state)
    sale = make.intent(row.instrument, side="SELL", purpose="close")
    make.order(sale, state="SENDING")


def test_a_decision_made_before_the_suspension_is_not_sent_after_it() -> None:
    row = in_state("approved")
    order = make.order(make.intent(row.instrument))
    move(row, "suspended", SUSPEND)
    with refused("HB001", saying="no approved mapping of this market"):
        make.order_move(order, "SENDING")


def test_a_sale_prepared_before_the_suspension_is_sent_after_it() -> None:
    row = in_state("approved")
    order = make.order(make.intent(row.instrument, side="SELL", purpose="close"))
    move(row, "suspended", SUSPEND)
    make.order_move(order, "SENDING")
    assert order.state == "SENDING"


def test_what_was_sent_may_be_sent_again_after_the_suspension() -> None:
    """A re-send finds out about the first send; it risks nothing new."""
    row = in_state("approved")
    order = make.order(make.intent(row.instrument), state="UNKNOWN")
    move(row, "suspended", SUSPEND)
    make.order_move(order, "SENDING")
    assert order.state == "SENDING"


# ------------------------------------------------------------------------------------------- its life
@pytest.mark.parametrize("old", STATES)
@pytest.mark.parametrize("new", STATES)
def test_only_listed_moves_pass(old: str, new: str) -> None:
    row = in_state(old)
    extra = {
        "approved": approval(row),
        "suspended": SUSPEND,
        "declined": f"reason = 'no hedge', changed_by = 'risk.officer', {CLEAR}",
        "proposed": f"read_wording_hash = 'anew', {CLEAR}",
    }[new]
    if old == new or (old, new) in MOVES:
        move(row, new, extra)
        assert row.state == new
    else:
        with refused("HB091"):
            move(row, new, extra)


@pytest.mark.parametrize("change", ["product_id = product_id + 1", "instrument_id = instrument_id + 1"])
def test_a_mapping_keeps_its_product_and_instrument(change: str) -> None:
    row = in_state("proposed")
    with refused("HB090"):
        sql(f"UPDATE hedging_mapping SET {change} WHERE id = %s", row.pk)


@pytest.mark.parametrize("nobody", ["", "system"])
@pytest.mark.parametrize("state", ["proposed", "suspended", "declined"])
def test_the_machine_approves_nothing(state: str, nobody: str) -> None:
    row = in_state(state)
    change = approval(row).replace("changed_by = 'risk.officer'", f"changed_by = '{nobody}'")
    with refused("HB092", saying="approved by a person"):
        move(row, "approved", change)


@pytest.mark.parametrize("change", ["grade = 'proxy'", "basis_probability = 0.5", "approved_by = 'another'"])
def test_the_machine_judges_nothing_that_is_approved(change: str) -> None:
    row = in_state("approved")
    with refused("HB092"):
        sql(f"UPDATE hedging_mapping SET changed_by = 'system', {change} WHERE id = %s", row.pk)


def test_nobody_approves_another_wording_than_the_markets() -> None:
    row = in_state("proposed")
    with refused("HB093"):
        move(row, "approved", approval(row, worded="what it said yesterday"))


def test_a_mapping_is_not_born_approved_by_the_machine() -> None:
    with refused("HB092"):
        make.mapping(make.product(), make.instrument(), changed_by="system")


@pytest.mark.parametrize("kind", ["paused", "unlisted"])
def test_the_machine_lifts_what_passes_by_itself(kind: str) -> None:
    row = in_state("approved")
    move(row, "suspended", SUSPEND.replace("person", kind))
    move(row, "approved", f"changed_by = 'system', {CLEAR}")
    assert row.is_active is True


@pytest.mark.parametrize("kind", ["wording", "closed", "settling", "ending", "person"])
def test_the_machine_lifts_nothing_else(kind: str) -> None:
    row = in_state("approved")
    move(row, "suspended", SUSPEND.replace("person", kind))
    with refused("HB092"):
        move(row, "approved", f"changed_by = 'system', {CLEAR}")


def test_the_machine_lifts_nothing_on_another_wording() -> None:
    row = in_state("approved")
    move(row, "suspended", SUSPEND.replace("person", "paused"))
    sql("UPDATE venues_instrument SET wording_hash = 'other' WHERE id = %s", row.instrument_id)
    with refused("HB093"):
        move(row, "approved", f"changed_by = 'system', {CLEAR}")


def test_a_declined_market_is_not_proposed_again_as_it_is_worded() -> None:
    row = in_state("declined")
    with refused("HB094"):
        move(row, "proposed")


def test_its_history_is_written_by_the_database_and_only_grows() -> None:
    row = in_state("approved")
    move(row, "suspended", SUSPEND)
    move(row, "approved", approval(row))
    told = MappingEvent.objects.filter(mapping=row).order_by("id").values_list("old", "new", "reason")
    assert list(told) == [
        ("", "approved", ""),
        ("approved", "suspended", "doubts"),
        ("suspended", "approved", ""),
    ]
    with refused("HB070"):
        sql("UPDATE hedging_mappingevent SET who = 'nobody'")
    with refused("HB070"):
        sql("DELETE FROM hedging_mappingevent")


def test_a_change_that_is_no_event_leaves_no_trace() -> None:
    row = in_state("approved")
    sql("UPDATE hedging_mapping SET pays_on = 'better words' WHERE id = %s", row.pk)
    assert MappingEvent.objects.filter(mapping=row).count() == 1


def test_active_is_what_the_state_says_and_nobody_writes_it() -> None:
    assert [in_state(state).is_active for state in STATES] == [False, True, False, False]


def buy(instrument_id: int) -> None:
    """A decision to buy, made past every layer of ours."""
    serial = make.number()
    sql(
        "INSERT INTO hedging_intent (id, decision_key, venue_id, instrument_id, leg, purpose, side, time_in_force,"
        " size, notional_usd, price_limit, state, outcome, dispatch_count, next_attempt_at, valid_until, created_at,"
        " requested_by)"
        " SELECT gen_random_uuid(), %s, venue_id, id, %s, 'open', 'BUY', 'FAK', 100, 5, 0.05, 'OPEN', '', 0, now(),"
        " now() + interval '5 minutes', now(), 'shell' FROM venues_instrument WHERE id = %s",
        f"shell-{serial}",
        f"lane-{serial}",
        instrument_id,
    )
