"""Each CHECK and UNIQUE of the book refuses by itself, with every trigger of its table switched off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.db import connection, models, transaction

from hedging.models import (
    Attribution,
    Cycle,
    Discrepancy,
    Fill,
    HedgePosition,
    HeldShare,
    IntentDemand,
    IntentSlice,
    Mapping,
    Order,
    OrderAttempt,
    OrderCancel,
    Position,
)
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db


def _order(state: str = "ACKED", **values: Any) -> Order:
    return make.order(make.intent(make.instrument()), state=state, **values)


def _fill() -> Fill:
    return _order(state="FILLED", fills=[{}]).fills.get()


def _attempt() -> OrderAttempt:
    return _order().attempt_rows.get()


def _cancel() -> OrderCancel:
    return OrderCancel.objects.create(
        order=_order(), requested_by="risk.officer", reason="enough", requested_at=make.NOW
    )


def _position() -> Position:
    return Position.objects.get(instrument_id=_fill().instrument_id)


def _hedge_position() -> HedgePosition:
    return make.hedge(make.policy(make.product()), make.instrument())


def _attribution() -> Attribution:
    row = _hedge_position().attribution
    connection.check_constraints()
    return row


def _attributed_fill() -> Fill:
    return _attribution().fills.get()


def _share() -> HeldShare:
    return HeldShare.objects.get(instrument_id=_hedge_position().instrument_id)


def _two_shares() -> list[models.Model]:
    return [_share(), _share()]


def _demand() -> IntentDemand:
    return make.intent(make.instrument(), demand={make.product().pk: "1000"}).demands.get()


def _slice() -> IntentSlice:
    held = _hedge_position()
    sale = make.intent(held.instrument, side="SELL", purpose="close")
    return IntentSlice.objects.create(intent=sale, hedge_position=held, size=held.size)


def _mapping() -> Mapping:
    return make.mapping(make.product(), make.instrument())


def _proposal() -> Mapping:
    return make.mapping(make.product(), make.instrument(), approved_by="")


def _suspended() -> Mapping:
    return make.mapping(
        make.product(),
        make.instrument(),
        state="suspended",
        suspended_kind="person",
        suspended_reason="the rules are doubtful",
        suspended_at=make.NOW,
    )


def _cycle() -> Cycle:
    return make.cycle()


class Attack(NamedTuple):
    """`change` is what a shell would SET on a sound row, which alone makes it unsound."""

    constraint: str
    row: Callable[[], models.Model]
    change: str


ATTACKS = [
    Attack("breaker_state_known", lambda: make.breaker(state="OPEN", opened_at=make.NOW), "state = 'AJAR'"),
    Attack("breaker_effect_known", make.breaker, "effect = 'SLOW'"),
    Attack("breaker_open_since", make.breaker, "state = 'OPEN'"),
    Attack("breaker_open_since", make.breaker, "opened_at = now()"),
    Attack("breaker_latched_is_open", make.breaker, "latched = true"),
    Attack("breaker_pause_ends", make.breaker, "pause = 'restart'"),
    Attack(
        "breaker_pause_ends",
        lambda: make.breaker(state="OPEN", opened_at=make.NOW, resume_at=make.NOW),
        "pause = 'lunch'",
    ),
    Attack("hedging_breaker_probe_budget_check", make.breaker, "probe_budget = -1"),
    Attack("riskbucket_cap_not_negative", make.risk_bucket, "cap_usd = -0.000001"),
    Attack("hedging_cycle_intents_count_check", _cycle, "intents_count = -1"),
    Attack("hedging_cycle_policies_count_check", _cycle, "policies_count = -1"),
    Attack("hedging_cycle_products_count_check", _cycle, "products_count = -1"),
    Attack("hedging_cycle_products_hedged_count_check", _cycle, "products_hedged_count = -1"),
    Attack("hedging_discrepancy_occurrences_check", make.discrepancy, "occurrences = -1"),
    Attack("hedging_reconciliationrun_differences_check", make.reconciliation_run, "differences = -1"),
    Attack("hedging_reconciliationrun_fills_compared_check", make.reconciliation_run, "fills_compared = -1"),
    Attack(
        "hedging_reconciliationrun_orders_compared_check", make.reconciliation_run, "orders_compared = -1"
    ),
    Attack(
        "hedging_reconciliationrun_positions_compared_check",
        make.reconciliation_run,
        "positions_compared = -1",
    ),
    Attack("config_change_has_an_actor", lambda: make.config("enabled", True), "changed_by = ''"),
    Attack("config_change_has_a_reason", lambda: make.config("enabled", True), "reason = ''"),
    Attack("mapping_approval_has_a_name", _mapping, "approved_by = ''"),
    Attack("mapping_approval_has_a_name", _mapping, "approved_at = NULL"),
    Attack("mapping_approval_has_a_name", _mapping, "approved_wording_hash = ''"),
    Attack("mapping_approved_is_a_hedge", _mapping, "grade = 'none'"),
    Attack("mapping_approved_is_a_hedge", _mapping, "basis_probability = 0"),
    Attack("mapping_basis_is_a_probability", _mapping, "basis_probability = 1.000001"),
    Attack("mapping_basis_is_a_probability", _proposal, "basis_probability = -0.000001"),
    Attack("mapping_state_known", _proposal, "state = 'wanted'"),
    Attack("mapping_suspension_has_a_reason", _mapping, "state = 'suspended'"),
    Attack("mapping_suspension_has_a_reason", _mapping, "suspended_reason = 'the rules are doubtful'"),
    Attack("mapping_suspension_has_a_reason", _suspended, "suspended_kind = 'mood'"),
    Attack("mapping_suspension_has_a_reason", _suspended, "suspended_reason = ''"),
    Attack("mapping_suspension_has_a_reason", _suspended, "suspended_at = NULL"),
    Attack("mapping_decline_has_a_reason", _proposal, "state = 'declined'"),
    Attack("mapping_decline_has_a_reason", _proposal, "state = 'declined', reason = 'no hedge'"),
    Attack("intent_side_known", lambda: make.intent(make.instrument()), "side = 'HOLD'"),
    Attack("intent_size_positive", lambda: make.intent(make.instrument()), "size = 0"),
    Attack("intent_notional_positive", lambda: make.intent(make.instrument()), "notional_usd = 0"),
    Attack("intent_price_positive", lambda: make.intent(make.instrument()), "price_limit = 0"),
    Attack("intent_redeems_by_transaction", lambda: make.intent(make.instrument()), "time_in_force = 'TX'"),
    Attack("intent_redeems_by_transaction", lambda: make.intent(make.instrument()), "purpose = 'redeem'"),
    Attack("intent_dispatch_bounded", lambda: make.intent(make.instrument()), "dispatch_count = 1001"),
    Attack(
        "hedging_intent_dispatch_count_check", lambda: make.intent(make.instrument()), "dispatch_count = -1"
    ),
    Attack("intent_finished_when_dead", lambda: make.intent(make.instrument()), "state = 'DONE'"),
    Attack("intent_finished_when_dead", lambda: make.intent(make.instrument()), "finished_at = now()"),
    Attack("intent_resting_ends", lambda: make.intent(make.instrument()), "time_in_force = 'GTD'"),
    Attack("intent_resting_ends", lambda: make.intent(make.instrument()), "rest_until = now()"),
    Attack("intentdemand_positive", _demand, "weight_usd = 0"),
    Attack("intentslice_positive", _slice, "size = 0"),
    Attack("order_state_known", _order, "state = 'LOST'"),
    Attack("order_side_known", _order, "side = 'HOLD'"),
    Attack("order_salt_json_safe", _order, "salt = 0"),
    Attack("order_salt_json_safe", _order, "salt = 9007199254740992"),
    Attack("order_size_positive", _order, "size = 0"),
    Attack("order_notional_positive", _order, "notional_usd = 0"),
    Attack("order_sent_has_attempt", lambda: _order("PREPARED"), "state = 'SENDING'"),
    Attack(
        "order_sent_once_unless_deduplicated",
        _order,
        "resend_allowed = false, fence_at = now(), attempts = 2",
    ),
    Attack("order_without_dedup_needs_fence", _order, "resend_allowed = false"),
    Attack(
        "order_absence_proven_twice", lambda: _order("UNKNOWN"), "state = 'NOT_PLACED', absent_proofs = 1"
    ),
    Attack("order_not_overfilled", _order, "filled_usd = notional_usd + 0.010001"),
    Attack("order_not_overfilled", _order, "spends_budget = false, filled_size = size + 0.01000001"),
    Attack("order_resting_expires", _order, "time_in_force = 'GTD'"),
    Attack("order_resting_expires", _order, "expires_at = now()"),
    Attack("order_resting_expires", _order, "post_only = true"),
    Attack("order_never_rests_for_ever", _order, "time_in_force = 'GTC'"),
    Attack("ordercancel_has_a_reason", _cancel, "reason = ''"),
    Attack("ordercancel_has_a_reason", _cancel, "requested_by = ''"),
    Attack(
        "order_dead_has_no_fill", lambda: _order("UNKNOWN"), "state = 'REJECTED', filled_size = 0.00000001"
    ),
    Attack(
        "order_dead_has_no_fill", lambda: _order("PREPARED"), "state = 'ABORTED', filled_size = 0.00000001"
    ),
    Attack(
        "order_dead_has_no_fill",
        lambda: _order("UNKNOWN"),
        "state = 'NOT_PLACED', absent_proofs = 2, filled_size = 0.00000001",
    ),
    Attack("hedging_order_generation_check", _order, "generation = -1"),
    Attack("hedging_order_attempts_check", lambda: _order("PREPARED"), "attempts = -1"),
    Attack("hedging_order_absent_proofs_check", _order, "absent_proofs = -1"),
    Attack("hedging_order_checks_check", _order, "checks = -1"),
    Attack("attempt_number_positive", _attempt, "attempt_no = 0"),
    Attack("hedging_orderattempt_http_status_check", _attempt, "http_status = -1"),
    Attack("fill_settlement_known", _fill, "settlement = 'maybe'"),
    Attack("fill_side_known", _fill, "side = 'HOLD'"),
    Attack("fill_size_positive", _fill, "size = 0"),
    Attack("fill_price_positive", _fill, "price = -0.0000000001"),
    Attack("fill_fee_not_negative", _fill, "fee_usd = -0.000001"),
    Attack("position_not_short", _position, "size = -0.00000001"),
    Attack("position_cost_not_negative", _position, "cost_usd = -0.000001"),
    Attack("fill_attributed_when_bought", _attributed_fill, "side = 'SELL'"),
    Attack("fill_attributed_when_bought", _attributed_fill, "settlement = 'failed'"),
    Attack("attribution_not_negative", _attribution, "size = -0.00000001"),
    Attack("attribution_not_negative", _attribution, "ownerless_size = -0.00000001"),
    Attack("attribution_not_negative", _attribution, "cost_usd = -0.000001"),
    Attack("attribution_of_some_fill", _attribution, "fills_count = 0"),
    Attack("hedging_attribution_slices_count_check", _attribution, "slices_count = -1"),
    Attack("heldshare_not_negative", _share, "open_size = -0.00000001"),
    Attack("heldshare_not_negative", _share, "open_cost_usd = -0.000001"),
    Attack("heldshare_not_negative", _share, "open_count = -1"),
    Attack("heldshare_not_negative", _share, "closed_count = -1"),
    Attack("hedgeposition_size_positive", _hedge_position, "size = 0"),
    Attack("hedgeposition_closed_within_size", _hedge_position, "closed_size = size + 0.00000001"),
    Attack("hedgeposition_closed_within_size", _hedge_position, "closed_size = -0.00000001"),
    Attack(
        "hedgeposition_released_within_closed", _hedge_position, "closed_size = 1, released_size = 1.00000001"
    ),
    Attack("hedgeposition_released_within_closed", _hedge_position, "released_size = -0.00000001"),
    Attack("hedgeposition_closed_when_all_sold", _hedge_position, "status = 'closed', close_time = now()"),
    Attack("hedgeposition_closed_when_all_sold", _hedge_position, "close_time = now()"),
]

# What breaks these breaks a stricter rule too, which PostgreSQL asks first; they must hold without it.
SHADOWED = [
    (
        Attack("hedging_attribution_fills_count_check", _attribution, "fills_count = -1"),
        "attribution_of_some_fill",
    ),
    (Attack("hedging_orderattempt_attempt_no_check", _attempt, "attempt_no = -1"), "attempt_number_positive"),
    (
        Attack("intent_state_known", lambda: make.intent(make.instrument()), "state = 'LOST'"),
        "intent_finished_when_dead",
    ),
    (
        Attack("hedgeposition_status_known", _hedge_position, "status = 'lost'"),
        "hedgeposition_closed_when_all_sold",
    ),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.constraint}: {attack.change}")
def test_the_constraint_refuses(attack: Attack) -> None:
    row = attack.row()
    table, key = row._meta.db_table, row._meta.pk.column
    _triggers_off(table)
    with refused(attack.constraint):
        sql(f"UPDATE {table} SET {attack.change} WHERE {key} = %s", row.pk)


@pytest.mark.parametrize(("attack", "stricter"), SHADOWED, ids=lambda value: getattr(value, "constraint", ""))
def test_the_weaker_constraint_refuses_by_itself(attack: Attack, stricter: str) -> None:
    row = attack.row()
    table, key = row._meta.db_table, row._meta.pk.column
    _triggers_off(table)
    statement = f"UPDATE {table} SET {attack.change} WHERE {key} = %s"
    with refused(stricter):
        sql(statement, row.pk)
    sql(f"ALTER TABLE {table} DROP CONSTRAINT {stricter}")
    with refused(attack.constraint):
        sql(statement, row.pk)


class Twin(NamedTuple):
    """`columns` of a second sound row are set to the first one's values."""

    constraint: str
    rows: Callable[[], list[models.Model]]
    columns: str


def _two_mappings() -> list[models.Model]:
    first, second = make.product(), make.product("depeg", "base", "USDC")
    token = make.instrument()
    return [make.mapping(first, token), make.mapping(second, token)]


def _two_orders(state: str = "ACKED") -> list[models.Model]:
    return [_order(state), _order(state)]


def _two_generations() -> list[models.Model]:
    wanted = make.intent(make.instrument())
    return [make.order(wanted, state="REJECTED"), make.order(wanted)]


def _two_attempts() -> list[models.Model]:
    row = _order("UNKNOWN")
    make.order_move(row, "SENDING")
    return list(row.attempt_rows.order_by("attempt_no"))


def _two_demands() -> list[models.Model]:
    pair = {make.product().pk: "1", make.product("depeg", "base", "USDC").pk: "2"}
    return list(make.intent(make.instrument(), demand=pair).demands.all())


def _two_slices() -> list[models.Model]:
    first, second = _slice(), _slice()
    return [
        first,
        IntentSlice.objects.create(intent=first.intent, hedge_position=second.hedge_position, size=1),
    ]


def _two_hedge_positions() -> list[models.Model]:
    first, second = _hedge_position(), _hedge_position()
    connection.check_constraints()
    sql("ALTER TABLE hedging_hedgeposition DISABLE TRIGGER USER")
    sql("UPDATE hedging_hedgeposition SET attribution_id = %s WHERE id = %s", first.attribution_id, second.pk)
    return [first, second]


def _two_fills() -> list[models.Model]:
    row = _order("PARTIAL", fills=[{"size": "500"}, {"size": "500"}])
    return list(row.fills.order_by("pk"))


def _two_transactions() -> list[models.Model]:
    values: dict[str, Any] = {"purpose": "redeem", "side": "SELL", "time_in_force": "TX", "price_limit": 1}
    first = make.order(
        make.intent(make.instrument(), **values),
        time_in_force="TX",
        spends_budget=False,
        is_reducing=True,
    )
    return [first, _order("PREPARED")]


TWINS = [
    Twin("cycle_one_running", lambda: [make.cycle(state="running"), make.cycle()], "state"),
    Twin(
        "discrepancy_one_open_per_subject",
        lambda: [make.discrepancy(), make.discrepancy()],
        "venue_id, kind, subject",
    ),
    Twin("fill_one_per_venue_trade", _two_fills, "venue_trade_id"),
    Twin("hedgeposition_one_per_attribution_and_policy", _two_hedge_positions, "policy_id"),
    Twin("heldshare_one_per_pair", _two_shares, "instrument_id, product_id"),
    Twin(
        "intent_one_per_decision", lambda: [make.intent(make.instrument()) for _ in range(2)], "decision_key"
    ),
    Twin(
        "intent_one_live_per_lane",
        lambda: [make.intent(make.instrument()) for _ in range(2)],
        "venue_id, instrument_id, leg",
    ),
    Twin("intentdemand_one_per_product", _two_demands, "product_id"),
    Twin("intentslice_one_per_position", _two_slices, "hedge_position_id"),
    Twin("mapping_one_per_product_and_instrument", _two_mappings, "product_id"),
    Twin("order_wire_id_never_reused", _two_orders, "client_order_id"),
    Twin("order_salt_never_reused", _two_orders, "salt"),
    Twin("order_one_per_generation", _two_generations, "generation"),
    Twin("order_one_live_per_intent", _two_orders, "intent_id"),
    Twin("order_one_transaction_in_flight", _two_transactions, "time_in_force"),
    Twin("attempt_one_per_number", _two_attempts, "attempt_no"),
]


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.constraint)
def test_no_second_row_says_the_same(twin: Twin) -> None:
    first, second = twin.rows()
    table, key = first._meta.db_table, first._meta.pk.column
    _triggers_off(table)
    # The generations of two orders differ, so that only the rule under attack stands in the way.
    also = ", generation = generation + 1" if twin.constraint == "order_one_live_per_intent" else ""
    with refused(twin.constraint):
        sql(
            f"UPDATE {table} SET ({twin.columns}) = ROW(o.*){also}"
            f" FROM (SELECT {twin.columns} FROM {table} WHERE {key} = %s) o WHERE {key} = %s",
            first.pk,
            second.pk,
        )


def test_every_constraint_of_the_book_is_attacked_here() -> None:
    found = sql(
        "SELECT conname FROM pg_constraint"
        " WHERE contype IN ('c', 'u', 'x') AND conrelid::regclass::text LIKE 'hedging%%'"
        " UNION SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indisunique AND NOT i.indisprimary AND i.indrelid::regclass::text LIKE 'hedging%%' AND %s",
        True,
    )
    attacked = {attack.constraint for attack in [*ATTACKS, *(attack for attack, _ in SHADOWED)]}
    attacked |= {twin.constraint for twin in TWINS}
    assert attacked == {name for (name,) in found}


# ------------------------------------------------------------------------------------------------ positive controls
@pytest.mark.parametrize(
    ("row", "change"),
    [
        (_order, "filled_usd = notional_usd + 0.01"),
        (_order, "spends_budget = false, filled_size = size + 0.01"),
        (_order, "salt = 9007199254740991"),
        (_order, "salt = NULL"),
        (_order, "resend_allowed = false, fence_at = now()"),
        (lambda: _order("ABORTED"), "state = 'MANUAL'"),
        (lambda: _order("UNKNOWN"), "state = 'NOT_PLACED', absent_proofs = 2"),
        (lambda: make.intent(make.instrument()), "dispatch_count = 1000"),
        (lambda: make.intent(make.instrument()), "state = 'DONE', finished_at = now()"),
        (_hedge_position, "status = 'closed', closed_size = size, close_time = now()"),
        (make.breaker, "state = 'OPEN', opened_at = now(), latched = true"),
        (make.risk_bucket, "cap_usd = 0"),
        (_proposal, "basis_probability = 0"),
    ],
    ids=str,
)
def test_what_is_allowed_passes(row: Callable[[], models.Model], change: str) -> None:
    made = row()
    table, key = made._meta.db_table, made._meta.pk.column
    _triggers_off(table)
    assert sql(f"UPDATE {table} SET {change} WHERE {key} = %s RETURNING 1", made.pk) == [(1,)]


def test_finished_intents_and_dead_orders_leave_room_for_new_ones() -> None:
    token = make.instrument()
    old = make.intent(token, leg="main")
    make.order(old, state="REJECTED")
    old.state, old.finished_at = "ABANDONED", make.NOW
    old.save()
    new = make.intent(token, leg="main")
    with transaction.atomic():
        make.order(new, state="REJECTED")
        make.order(new, state="CANCELLED")
        make.order(new)
    assert new.orders.count() == 3


def test_a_healed_discrepancy_may_open_again() -> None:
    old = make.discrepancy(state=Discrepancy.State.HEALED)
    assert make.discrepancy(venue=old.venue, kind=old.kind, subject=old.subject).state == "open"


def _triggers_off(table: str) -> None:
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
