"""Each bench once on little work: its answers must be right, its ratios only not absurd.

The goals themselves are for a full run (docs/performance.md).
"""

from __future__ import annotations

import io
from importlib import import_module

import numpy as np
import pytest

from policies.services.intake import policies_import
from policies.services.policies import policy_record_sale
from tests.benches import attribution, exposure, rounds, sellers, signing
from tests.benches import list as listing
from tests.benches.result import WrongAnswer
from tests.policies.conftest import sale_terms

imports = import_module("tests.benches.import_")  # `import` is no name


def test_attribution_is_identical_and_several_times_faster() -> None:
    result = attribution.run(attribution.SMALL)

    assert result.ratios[attribution.ONE_FILL.name] > 5
    assert result.ratios[attribution.MANY_FILLS.name] > 2


def test_attribution_that_differs_is_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_equal_parts(total: int, weights: np.ndarray, ids: np.ndarray) -> np.ndarray:
        return np.full(len(ids), total // len(ids))

    monkeypatch.setattr(attribution, "attribute", in_equal_parts)

    with pytest.raises(WrongAnswer, match="fill 0 was divided in two different ways"):
        attribution.run(attribution.SMALL)


def test_signing_gives_the_official_clients_bytes_at_little_more_than_a_bare_signature() -> None:
    result = signing.run(signing.SMALL)

    assert result.ratios[signing.PLAIN.name] < 3
    assert result.ratios[signing.NESTED.name] < 3
    assert "300 requests" in result.notes[0]


def test_a_request_that_differs_by_a_byte_is_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "_by_the_client", lambda *_given, **_named: b"{}")

    with pytest.raises(WrongAnswer, match="order 0 for 0xE111"):
        signing.run(signing.SMALL)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_exposure_is_equal_and_cheap() -> None:
    result = exposure.run(exposure.SMALL)

    assert result.ratios[exposure.READING.name] > 1.5
    assert result.ratios[exposure.SALE_CPU.name] < 3
    assert result.ratios[exposure.HOT.name] > 0.4


@pytest.mark.django_db(transaction=True)
def test_a_sale_kept_in_no_exposure_is_found_by_the_bench() -> None:
    with sellers.exposure_kept("none"):
        policy_record_sale(**sale_terms(source="bench-none"))
    with pytest.raises(WrongAnswer, match="the exposure of 1 products differs"):
        exposure._check_equal()

    sellers.catch_up()

    exposure._check_equal()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_import_leaves_the_rows_of_the_copy_and_costs_a_few_times_as_much() -> None:
    result = imports.run(imports.SMALL)

    assert result.ratios[imports.IMPORT.name] < 8


@pytest.mark.django_db(transaction=True)
def test_an_import_that_changes_a_row_is_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_cent_more(file, **options):
        heading, first, rest = file.readline(), file.readline(), file.read()
        return policies_import(io.BytesIO(heading + first.replace(b".00,", b".01,", 1) + rest), **options)

    monkeypatch.setattr(imports, "policies_import", with_a_cent_more)

    with pytest.raises(WrongAnswer, match="2 rows differ"):
        imports.run(imports.BenchScale(policies=10, rounds=1))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_list_holds_the_newest_rows_and_costs_a_few_empty_views() -> None:
    result = listing.run(listing.SMALL)

    assert result.ratios[listing.VIEW.name] < 20
    assert result.ratios[listing.REQUEST.name] < 30


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    measured = rounds.Paired(ours=(1.0, 4.0, 10.0), baseline=(2.0, 4.0, 2.0))

    assert measured.cost == 1.0
    assert measured.speed_up == 1.0
    assert (measured.ours_s, measured.baseline_s) == (4.0, 2.0)


def test_who_goes_first_changes_from_round_to_round() -> None:
    turns: list[str] = []

    measured = rounds.paired(3, ours=lambda: turns.append("ours"), baseline=lambda: turns.append("baseline"))

    assert turns == ["baseline", "ours", "ours", "baseline", "baseline", "ours"]
    assert len(measured.ours) == len(measured.baseline) == 3
