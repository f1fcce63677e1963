"""History is appended and the book is never deleted, whoever asks and however."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection, models

from hedging.models import (
    Attribution,
    BreakerEvent,
    CycleLeg,
    CycleTarget,
    FillEvent,
    HeldShare,
    Intent,
    IntentDemand,
    IntentSlice,
    MappingEvent,
    Order,
    OrderAttempt,
    OrderCancel,
    OrderEvent,
    Position,
)
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db


def _newest(model: type[models.Model]) -> models.Model:
    found = model._default_manager.order_by("-pk").first()
    assert found is not None
    return found


def _target() -> CycleTarget:
    return make.target(make.cycle(), make.instrument())


def _leg() -> CycleLeg:
    return make.leg(make.cycle(), make.product(), make.venue())


def _sent() -> OrderAttempt:
    return make.order(make.intent(make.instrument()), state="SENDING").attempt_rows.get()


def _held() -> Position:
    held = make.hedge(make.policy(make.product()), make.instrument())
    return Position.objects.get(instrument_id=held.instrument_id)


def _attribution() -> Attribution:
    row = make.hedge(make.policy(make.product()), make.instrument()).attribution
    connection.check_constraints()
    return row


def _cancel() -> OrderCancel:
    return OrderCancel.objects.create(
        order=make.order(make.intent(make.instrument()), state="ACKED"),
        requested_by="risk.officer",
        reason="enough",
        requested_at=make.NOW,
    )


def _attributed_fill() -> models.Model:
    return _attribution().fills.get()


def _share() -> HeldShare:
    held = make.hedge(make.policy(make.product()), make.instrument())
    return HeldShare.objects.get(instrument_id=held.instrument_id)


def _slice() -> IntentSlice:
    held = make.hedge(make.policy(make.product()), make.instrument())
    sale = make.intent(held.instrument, side="SELL", purpose="close")
    return IntentSlice.objects.create(intent=sale, hedge_position=held, size=held.size)


APPENDED: dict[type[models.Model], Callable[[], object]] = {
    OrderEvent: lambda: make.order(make.intent(make.instrument())),
    FillEvent: lambda: make.hedge(make.policy(make.product()), make.instrument()),
    BreakerEvent: make.breaker,
    IntentDemand: lambda: make.intent(make.instrument(), demand={make.product().pk: "1"}),
    IntentSlice: _slice,
    CycleLeg: _leg,
    CycleTarget: _target,
    Attribution: _attribution,
    MappingEvent: lambda: make.mapping(make.product(), make.instrument()),
}

KEPT: dict[str, Callable[[], models.Model]] = {
    "hedging_mapping": lambda: make.mapping(make.product(), make.instrument()),
    "hedging_order": lambda: make.order(make.intent(make.instrument())),
    "hedging_orderattempt": _sent,
    "hedging_ordercancel": _cancel,
    "hedging_intent": lambda: make.intent(make.instrument()),
    "hedging_fill": _attributed_fill,
    "hedging_position": _held,
    "hedging_hedgeposition": lambda: make.hedge(make.policy(make.product()), make.instrument()),
    "hedging_heldshare": _share,
    "hedging_cycle": make.cycle,
    "hedging_breaker": make.breaker,
    "hedging_riskbucket": make.risk_bucket,
}


@pytest.mark.parametrize("model", APPENDED, ids=lambda model: model.__name__)
def test_a_row_of_history_is_neither_changed_nor_deleted(model: type[models.Model]) -> None:
    APPENDED[model]()
    row = _newest(model)
    table = model._meta.db_table
    with refused("HB070", saying=f"{table} is append-only"):
        sql(f"UPDATE {table} SET id = id WHERE id = %s", row.pk)
    with refused("HB070", saying=f"{table} is append-only"):
        sql(f"DELETE FROM {table} WHERE id = %s", row.pk)


@pytest.mark.parametrize("table", KEPT)
def test_a_row_of_the_book_is_never_deleted(table: str) -> None:
    row = KEPT[table]()
    assert row._meta.pk is not None
    with refused("HB071", saying=f"rows of {table} are never deleted"):
        sql(f"DELETE FROM {table} WHERE {row._meta.pk.column} = %s", row.pk)


def test_djangos_delete_is_no_way_around_it() -> None:
    row = make.order(make.intent(make.instrument()))
    with refused("HB071"):
        Order.objects.filter(pk=row.pk)._raw_delete("default")
    with refused("HB071"):
        Intent.objects.filter(pk=make.intent(make.instrument()).pk)._raw_delete("default")


def test_every_table_with_such_a_rule_is_tried_here() -> None:
    found = sql(
        "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgname IN ('append_only', 'never_deleted')"
        " AND starts_with(tgrelid::regclass::text, 'hedging_')"
    )
    tried = {("append_only", model._meta.db_table) for model in APPENDED} | {
        ("never_deleted", table) for table in KEPT
    }
    assert set(found) == tried
