"""Kept exposure equals the scan: by rule, in every order of events, and at every moment of a race."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.domain.exposure import ProductExposure
from policies.models import Exposure, ExposureDelta, Policy
from policies.selectors.exposure import exposure_by_product, exposure_scanned
from policies.services.due import policies_activate_due, policies_expire_due
from policies.services.exposure import exposure_fold
from policies.services.policies import policy_cancel, policy_record_sale
from policies.services.verification import verify_exposure
from tests.policies.conftest import NOW, sale_terms
from tonsurance.kernel.errors import Broken, Refused

pytestmark = pytest.mark.django_db
COINS = ("USDC", "USDT", "DAI")


def test_folding_moves_deltas_and_changes_no_sum(sell: Callable[..., Policy]) -> None:
    for number in range(5):
        sell(external_id=f"p-{number}", coverage_usd=Decimal("1000.000001"))
    before = exposure_by_product()

    assert exposure_fold(now=NOW, limit=3) == 3
    assert ExposureDelta.objects.count() == 2
    assert Exposure.objects.get(pk=0).coverage_usd == Decimal("3000.000003")
    assert exposure_by_product() == before
    assert exposure_fold(now=NOW) == 2
    assert exposure_fold(now=NOW) == 0
    assert (
        exposure_by_product()
        == before
        == {0: ProductExposure(coverage_usd=Decimal("5000.000005"), policies_count=5)}
    )


def test_exposure_of_chosen_products_only(sell: Callable[..., Policy]) -> None:
    for coin in COINS:
        sell(external_id=coin, stablecoin=coin)

    assert set(exposure_by_product([0, 2, 5])) == {0, 2}
    assert exposure_by_product([]) == {}


def test_a_difference_of_a_micro_dollar_is_told(sell: Callable[..., Policy]) -> None:
    sell()
    ExposureDelta.objects.update(coverage_usd=Decimal("100000.000001"))

    assert verify_exposure() == [
        "product 0: kept $100000.000001 over 1 policies, but its policies in force are $100000.000000 over 1"
    ]


def test_a_policy_without_a_delta_is_told(sell: Callable[..., Policy]) -> None:
    sell()
    ExposureDelta.objects.all().delete()

    assert verify_exposure() == [
        "product 0: kept $0.000000 over 0 policies, but its policies in force are $100000.000000 over 1"
    ]


_numbers = itertools.count()
_STEP = st.one_of(
    st.tuples(st.just("sell"), st.sampled_from(COINS), st.integers(100_000_000, 10**12)),
    st.tuples(st.just("schedule"), st.sampled_from(COINS), st.integers(100_000_000, 10**12)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("activate"), st.integers(1, 3)),
    st.tuples(st.just("expire"), st.integers(1, 3)),
    st.tuples(st.just("fold"), st.integers(1, 4)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, max_size=25))
def test_any_order_of_sales_ends_and_folds_keeps_exposure_equal_to_the_scan(
    steps: list[tuple[object, ...]], db: None
) -> None:
    with transaction.atomic():
        now = NOW
        for step in steps:
            now += timedelta(days=3)
            _take(step, now=now)
            assert verify_exposure() == []
            assert exposure_by_product() == exposure_scanned()
        transaction.set_rollback(True)


def _take(step: tuple[object, ...], *, now: datetime) -> None:
    verb, *details = step
    if verb in ("sell", "schedule"):
        coin, micro = details
        policy_record_sale(
            **sale_terms(
                external_id=f"h-{next(_numbers)}",
                stablecoin=coin,
                coverage_usd=Decimal(int(str(micro))).scaleb(-6),
                now=now,
                duration_days=7,
                starts_at=now + timedelta(days=4) if verb == "schedule" else None,
            )
        )
    elif verb == "cancel":
        chosen = Policy.objects.order_by("id")[int(str(details[0])) :].first()
        if chosen is not None:
            with suppress(Refused):  # over already
                policy_cancel(chosen.pk, reason="test", actor="t", now=now)
    else:
        service: dict[str, Callable[..., int]] = {
            "activate": policies_activate_due,
            "expire": policies_expire_due,
            "fold": exposure_fold,
        }
        service[str(verb)](now=now, limit=int(str(details[0])))


@pytest.mark.django_db(transaction=True)
def test_eight_writers_and_two_folders_never_make_kept_and_scanned_differ() -> None:
    """A reader compares both in one statement all the while, so a fold seen by halves would show."""
    writing_over = threading.Event()
    seen: list[list[str]] = []
    folded: list[int] = []
    failures: list[BaseException] = []

    def write(number: int) -> None:
        for turn in range(12):
            terms = sale_terms(external_id=f"w{number}-{turn}", stablecoin=COINS[turn % 3])
            policy, _ = policy_record_sale(**terms)
            if turn % 3 == 0:
                policy_cancel(policy.pk, reason="race", actor="t", now=NOW)

    def fold() -> None:
        while not writing_over.is_set():
            folded.append(exposure_fold(now=NOW, limit=7))

    def read() -> None:
        while not writing_over.is_set():
            seen.append(verify_exposure())

    writers = [_thread(lambda n=n: write(n), failures) for n in range(8)]  # type: ignore[misc]
    others = [_thread(work, failures) for work in (fold, fold, read)]
    for thread in writers:
        thread.join()
    writing_over.set()
    for thread in others:
        thread.join()

    assert failures == []
    assert sum(folded) > 0
    assert len(seen) > 3
    assert [told for told in seen if told] == []
    assert sum(exposure.policies_count for exposure in exposure_by_product().values()) == 8 * 8
    while exposure_fold(now=NOW):
        pass
    assert verify_exposure() == []
    assert ExposureDelta.objects.count() == 0


def test_a_batch_of_ends_alone_is_folded(sell: Callable[..., Policy]) -> None:
    first, second = sell(external_id="a"), sell(external_id="b")
    exposure_fold(now=NOW)
    policy_cancel(first.pk, reason="test", actor="t", now=NOW)

    assert exposure_fold(now=NOW) == 1
    assert Exposure.objects.get(pk=0).coverage_usd == second.coverage_usd


def test_a_missing_exposure_row_stops_the_fold_and_loses_nothing(sell: Callable[..., Policy]) -> None:
    sell()
    Exposure.objects.filter(pk=0).delete()

    with pytest.raises(Broken, match="1 products have deltas and no exposure row"):
        exposure_fold(now=NOW)
    assert ExposureDelta.objects.count() == 1
    assert verify_exposure() == []


def _thread(work: Callable[[], None], failures: list[BaseException]) -> threading.Thread:
    """A started thread whose failure is kept and whose connection is closed."""

    def run() -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread
