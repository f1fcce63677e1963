"""Importing a file: what a clean file adds, what each kind of bad row is told, and that nothing happens by
halves.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections

from policies.domain.exposure import ProductExposure
from policies.domain.intake import COLUMNS, ImportReport
from policies.domain.sample import sample_lines
from policies.models import ExposureDelta, Policy, PolicyEvent, PolicyImport, Product
from policies.selectors.exposure import exposure_by_product
from policies.selectors.history import policy_history
from policies.services.intake import import_confirm, import_discard, import_preview, policies_import
from policies.services.policies import policy_record_sale
from policies.services.row_rules import ALL_RULES
from policies.services.verification import verify_exposure
from tests.policies.conftest import NOW, sale_terms
from tonsurance.kernel.errors import Refused

pytestmark = pytest.mark.django_db

GOOD = {
    "external_id": "p-1",
    "holder": "0xholder",
    "coverage_type": "depeg",
    "chain": "ethereum",
    "stablecoin": "USDC",
    "coverage_usd": "100000.00",
    "premium_usd": "65.75",
    "starts_at": "2026-11-20T12:00:00Z",
    "expires_at": "2026-12-20T12:00:00Z",
    "trigger_price": "",
    "trigger_window_s": "",
}


def _line(**changes: str) -> str:
    return ",".join((GOOD | changes)[column] for column in COLUMNS)


def _file(*lines: str, heading: str = ",".join(COLUMNS)) -> io.BytesIO:
    return io.BytesIO("\n".join([heading, *lines, ""]).encode())


def _import(file: io.BytesIO, **options: Any) -> ImportReport:
    return policies_import(file, file_name="book.csv", actor="ada", now=NOW, **options)


def _nothing_written() -> bool:
    written = (Policy, PolicyEvent, ExposureDelta, PolicyImport)
    return not any(model._default_manager.exists() for model in written)


def test_a_clean_file_becomes_policies_and_one_delta_per_product() -> None:
    report = _import(
        _file(
            _line(),
            _line(external_id="p-2", coverage_usd="50000"),
            _line(external_id="p-3", coverage_type="bridge", chain="solana", stablecoin="GHO"),
            _line(external_id="p-4", starts_at="2026-12-01", expires_at="2027-01-01"),
            _line(external_id="p-5", trigger_price="0.95", trigger_window_s="3600", holder='"Doe, Jane"'),
        )
    )

    assert (report.rows, report.added, report.already_there, report.bad) == (5, 5, 0, 0)
    assert report.coverage_usd_added == Decimal(450_000)
    assert report.committed
    assert list(Policy.objects.order_by("id").values_list("external_id", "status", "product_id")) == [
        ("p-1", "active", 0),
        ("p-2", "active", 0),
        ("p-3", "active", 2 * 112 + 6 * 14 + 9),
        ("p-4", "scheduled", 0),
        ("p-5", "active", 0),
    ]
    first, last = Policy.objects.get(external_id="p-1"), Policy.objects.get(external_id="p-5")
    assert (first.trigger_price, first.trigger_window_s) == (Decimal("0.98"), 86_400)
    assert (last.trigger_price, last.trigger_window_s, last.holder) == (Decimal("0.95"), 3600, "Doe, Jane")
    assert first.source == f"import:{report.import_id}"
    assert [(step.kind, step.actor, step.detail) for step in policy_history(first)] == [
        ("imported", "ada", {"import": report.import_id, "file": "book.csv"})
    ]
    assert sorted(ExposureDelta.objects.values_list("product_id", "coverage_usd", "policies_count")) == [
        (0, Decimal(250_000), 3),
        (317, Decimal(100_000), 1),
    ]
    assert verify_exposure() == []
    record = PolicyImport.objects.get()
    assert (record.status, record.file_name, record.actor) == ("imported", "book.csv", "ada")
    assert record.report["added"] == 5


def test_policies_are_numbered_in_the_order_of_the_file() -> None:
    content = "".join(sample_lines(500, seed=11, now=NOW)).encode()
    _import(io.BytesIO(content))

    names = list(Policy.objects.order_by("id").values_list("external_id", flat=True))
    assert names == sorted(names)


def test_the_same_file_again_adds_nothing() -> None:
    lines = [_line(), _line(external_id="p-2")]
    _import(_file(*lines))

    report = _import(_file(*lines, _line(external_id="p-3")))

    assert (report.added, report.already_there, report.bad) == (1, 2, 0)
    assert Policy.objects.count() == 3
    assert exposure_by_product() == {0: ProductExposure(coverage_usd=Decimal(300_000), policies_count=3)}


def test_an_imported_policy_and_its_sale_by_api_are_the_same_sale() -> None:
    policy, _ = policy_record_sale(**sale_terms(starts_at=NOW, premium_usd=Decimal("65.75")))
    row = _line(
        external_id="sale-1",
        starts_at=NOW.isoformat(),
        expires_at=(NOW + timedelta(days=30)).isoformat(),
    )

    assert _import(_file(row)).already_there == 1
    assert Policy.objects.get().pk == policy.pk


@pytest.mark.parametrize(
    ("changes", "column", "message"),
    [
        ({"external_id": ""}, "external_id", "is missing or not a name we can keep"),
        ({"external_id": "a b"}, "external_id", "is missing or not a name we can keep"),
        ({"external_id": "é"}, "external_id", "is missing or not a name we can keep"),
        ({"holder": ""}, "holder", "is missing or cannot be printed"),
        ({"holder": "   "}, "holder", "is missing or cannot be printed"),
        ({"holder": "a\tb"}, "holder", "is missing or cannot be printed"),
        ({"holder": "a\t"}, "holder", "is missing or cannot be printed"),
        ({"holder": '"a\nb"'}, "holder", "is missing or cannot be printed"),
        ({"holder": "ä" * 129}, "holder", "is missing or cannot be printed"),
        ({"external_id": "a" * 65}, "external_id", "is missing or not a name we can keep"),
        ({"coverage_type": "quake"}, "coverage_type", "with chain and stablecoin names no product"),
        ({"chain": "Ethereum"}, "coverage_type", "with chain and stablecoin names no product"),
        ({"stablecoin": ""}, "coverage_type", "with chain and stablecoin names no product"),
        ({"coverage_type": "oracle", "chain": "bitcoin"}, "coverage_type", "does not exist on this chain"),
        ({"stablecoin": "USDT"}, "coverage_type", "names a product that is not sold now"),
        ({"coverage_usd": ""}, "coverage_usd", "is not an amount"),
        ({"coverage_usd": "Infinity"}, "coverage_usd", "is not an amount"),
        ({"coverage_usd": "NaN"}, "coverage_usd", "is not an amount"),
        ({"coverage_usd": "-5"}, "coverage_usd", "is outside the product's limits"),
        ({"coverage_usd": '"100,000"'}, "coverage_usd", "is not an amount"),
        ({"coverage_usd": "1000.0000001"}, "coverage_usd", "is not an amount"),
        ({"coverage_usd": "0"}, "coverage_usd", "is outside the product's limits"),
        ({"coverage_usd": "99999999999"}, "coverage_usd", "is outside the product's limits"),
        ({"premium_usd": "free"}, "premium_usd", "is not an amount"),
        ({"premium_usd": "-1"}, "premium_usd", "is not an amount"),
        ({"premium_usd": "NaN"}, "premium_usd", "is not an amount"),
        ({"premium_usd": ""}, "premium_usd", "is not an amount"),
        ({"premium_usd": "100000"}, "premium_usd", "is not less than the coverage"),
        ({"starts_at": "yesterday"}, "starts_at", "is not a moment"),
        ({"starts_at": "20/11/2026"}, "starts_at", "is not a moment"),
        ({"starts_at": "11/20/2026"}, "starts_at", "is not a moment"),
        ({"starts_at": "now"}, "starts_at", "is not a moment"),
        ({"starts_at": "2026-11-20 25:00"}, "starts_at", "is not a moment"),
        ({"starts_at": "2026-02-30"}, "starts_at", "is not a moment"),
        ({"starts_at": "2028-01-01", "expires_at": "2028-02-01"}, "starts_at", "is too far ahead"),
        ({"expires_at": "infinity"}, "expires_at", "is not a moment"),
        ({"starts_at": "2026-11-25", "expires_at": "2026-11-25"}, "expires_at", "is not after starts_at"),
        ({"expires_at": "2026-11-26T12:00:00Z"}, "expires_at", "is not 7 to 365 days after starts_at"),
        ({"starts_at": "2026-10-01", "expires_at": "2026-11-21"}, "expires_at", "is in the past"),
        ({"trigger_price": "1.5"}, "trigger_price", "is not a price between 0 and 1"),
        ({"trigger_price": "-1"}, "trigger_price", "is not a price between 0 and 1"),
        ({"trigger_price": "0.98000000001"}, "trigger_price", "is not a price between 0 and 1"),
        ({"trigger_window_s": "1e3"}, "trigger_window_s", "is not 60 to 604800 seconds"),
        ({"trigger_price": "low"}, "trigger_price", "is not a price between 0 and 1"),
        ({"trigger_window_s": "5"}, "trigger_window_s", "is not 60 to 604800 seconds"),
        (
            {"coverage_type": "bridge", "trigger_price": "0.9"},
            "trigger_price",
            "is given, but only depeg cover has a price trigger",
        ),
    ],
)
def test_a_bad_row_is_told_its_fault_and_the_file_changes_nothing(
    changes: dict[str, str], column: str, message: str
) -> None:
    Product.objects.filter(stablecoin="USDT").update(life="paused")

    report = _import(_file(_line(), _line(**({"external_id": "p-2"} | changes))))

    assert [(fault.row, fault.column, fault.message) for fault in report.faults] == [
        (3, column, f"{column} {message}")
    ]
    assert report.faults[0].remedy
    assert (report.rows, report.added, report.bad, report.committed) == (2, 1, 1, False)
    assert _nothing_written()


def test_every_rule_is_broken_by_some_test() -> None:
    told = {mark.args[1][index][2] for mark in _marks() for index in range(len(mark.args[1]))}
    beside_others = {rule.message for rule in ALL_RULES if not rule.good}

    assert {rule.message for rule in ALL_RULES} - told == beside_others


def _marks() -> list[pytest.Mark]:
    return list(test_a_bad_row_is_told_its_fault_and_the_file_changes_nothing.pytestmark)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "changes",
    [
        {"coverage_usd": "1e5"},
        {"coverage_usd": " 100000 "},
        {"starts_at": "2026-11-20"},
        {"starts_at": "2026-11-20 12:00"},
        {"starts_at": "2026-11-20T12:00:00.123456+02:00"},
    ],
)
def test_spellings_are_the_same_in_a_clean_file_and_beside_a_bad_row(changes: dict[str, str]) -> None:
    """A clean file is read by COPY, one with a malformed row by its careful twin; both must accept the
    same.
    """
    assert _import(_file(_line(**changes)), dry_run=True).bad == 0
    beside = _import(_file(_line(**changes), "mal,formed"), skip_bad=True)

    assert (beside.added, beside.bad) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "bad"),
    [({"starts_at": "yesterday"}, 2), ({"coverage_usd": "lots"}, 2), ({"trigger_window_s": "5.5"}, 2)],
)
def test_faults_are_the_same_in_a_readable_file_and_beside_a_malformed_row(
    changes: dict[str, str], bad: int
) -> None:
    alone = _import(_file(_line(**changes)))
    beside = _import(_file(_line(**changes), "mal,formed"))

    assert beside.bad == bad
    assert [fault for fault in beside.faults if fault.row == 2] == list(alone.faults)


def test_skip_bad_imports_the_good_rows_and_tells_the_others() -> None:
    report = _import(
        _file(_line(), _line(external_id="p-2", coverage_usd="0"), _line(external_id="p-3")), skip_bad=True
    )

    assert (report.rows, report.added, report.bad, report.committed) == (3, 2, 1, True)
    assert sorted(Policy.objects.values_list("external_id", flat=True)) == ["p-1", "p-3"]
    assert verify_exposure() == []


def test_a_dry_run_tells_what_would_happen_and_changes_nothing() -> None:
    report = _import(_file(_line(), _line(external_id="p-2", coverage_usd="0")), dry_run=True)

    assert (report.added, report.bad, report.committed) == (1, 1, False)
    assert [asdict(row)["verdict"] for row in report.sample] == ["new", "bad"]
    assert _nothing_written()


def test_an_id_that_stands_twice_in_a_file_is_told_at_its_second_row() -> None:
    report = _import(_file(_line(), _line(external_id="p-2"), _line()))

    assert [(fault.row, fault.message) for fault in report.faults] == [
        (4, "external_id stands in an earlier row of this file")
    ]
    assert _nothing_written()


def test_an_id_that_is_in_the_book_on_other_terms_is_a_fault() -> None:
    _import(_file(_line()))

    report = _import(_file(_line(premium_usd="66.00"), _line(external_id="p-2")))

    assert [(fault.row, fault.column, fault.message) for fault in report.faults] == [
        (2, "external_id", "external_id is in the book already, on other terms")
    ]
    assert Policy.objects.count() == 1


def test_rows_beyond_an_exposure_limit_are_faults_in_the_order_of_the_file() -> None:
    _import(_file(_line(external_id="p-0", starts_at="2026-11-25", expires_at="2026-12-25")))
    Product.objects.filter(pk=0).update(exposure_usd_max=Decimal(250_000))

    report = _import(
        _file(
            _line(),
            _line(external_id="p-2"),
            _line(external_id="p-3", coverage_usd="1000"),
            _line(external_id="p-4", stablecoin="DAI"),
        ),
        skip_bad=True,
    )

    assert [(fault.row, fault.column) for fault in report.faults] == [
        (3, "coverage_usd"),
        (4, "coverage_usd"),
    ]
    assert report.added == 2


MALFORMED = [
    ("p-9,only,three", "has 3 fields, the heading has 11"),
    (_line(external_id="p-9") + ",extra", "has 12 fields, the heading has 11"),
]


@pytest.mark.parametrize(("line", "message"), MALFORMED)
def test_a_row_with_too_few_or_too_many_fields_is_named_and_the_rest_can_go_on(
    line: str, message: str
) -> None:
    file = _file(_line(), line, "", _line(external_id="p-2"), _line(external_id="p-3", coverage_usd="x"))

    report = _import(file, skip_bad=True)

    assert [(fault.row, fault.message) for fault in report.faults] == [
        (3, message),
        (6, "coverage_usd is not an amount"),
    ]
    assert (report.rows, report.added, report.bad) == (4, 2, 2)


@pytest.mark.parametrize(("line", "message"), MALFORMED)
def test_a_malformed_row_refuses_the_whole_file(line: str, message: str) -> None:
    report = _import(_file(_line(), line))

    assert [fault.message for fault in report.faults] == [message]
    assert not report.committed
    assert _nothing_written()


def test_bytes_that_are_not_utf8_are_named_by_row() -> None:
    content = _file(_line(), _line(external_id="p-2")).getvalue().replace(b"p-2,0xholder", b"p-2,\xff\xfe")

    report = _import(io.BytesIO(content), skip_bad=True)

    assert [(fault.row, fault.message) for fault in report.faults] == [
        (3, "holds bytes that are not UTF-8 text")
    ]
    assert report.added == 1


def test_a_quote_that_never_closes_refuses_the_file() -> None:
    with pytest.raises(Refused) as caught:
        _import(_file(_line(), _line(external_id="p-2", holder='"open')), skip_bad=True)

    assert (caught.value.field, caught.value.code) == ("file", "malformed_csv")
    assert "row 3" in caught.value.message
    assert _nothing_written()


@pytest.mark.parametrize(
    ("heading", "message"),
    [
        ("", "the heading lacks the column external_id"),
        (";".join(COLUMNS), "its heading has one column only"),
        (",".join(COLUMNS[1:]), "the heading lacks the column external_id"),
        (",".join([*COLUMNS, "coverage_amount"]), "the heading has an unknown column 'coverage_amount'"),
        (",".join([*COLUMNS, "holder"]), "a column stands in the heading twice"),
    ],
)
def test_a_wrong_heading_is_refused_with_its_remedy(heading: str, message: str) -> None:
    with pytest.raises(Refused, match=message) as caught:
        _import(_file(_line(), heading=heading))

    assert caught.value.remedy
    assert _nothing_written()


def test_a_byte_order_mark_and_another_order_of_columns_are_understood() -> None:
    columns = list(reversed(COLUMNS))
    line = ",".join(GOOD[column] for column in columns)

    report = _import(io.BytesIO(("\ufeff" + ",".join(columns) + "\r\n" + line + "\r\n").encode()))

    assert (report.added, report.bad) == (1, 0)


@pytest.mark.parametrize("holder", ["ä" * 128, " a", "a ", "Doe Jane", "0", "名前"])
def test_a_holder_is_kept_letter_by_letter(holder: str) -> None:
    assert _import(_file(_line(holder=holder))).added == 1

    assert Policy.objects.get().holder == holder


def test_columns_that_may_be_left_out_may_be_left_out() -> None:
    heading = ",".join(COLUMNS[:-2])
    line = ",".join(GOOD[column] for column in COLUMNS[:-2])

    assert _import(_file(line, heading=heading)).added == 1


def test_a_sample_book_is_imported_whole_and_is_in_force() -> None:
    content = "".join(sample_lines(2_000, seed=7, now=NOW)).encode()

    report = _import(io.BytesIO(content))

    assert (report.rows, report.added, report.bad) == (2_000, 2_000, 0)
    assert set(Policy.objects.values_list("status", flat=True)) == {"active"}
    assert verify_exposure() == []


def test_progress_runs_through_its_phases_to_their_ends() -> None:
    told: list[tuple[str, int, int]] = []
    file = _file(_line())
    size = len(file.getvalue())

    _import(file, progress=lambda phase, done, total: told.append((phase, done, total)))

    assert told == [("reading", size, size), ("writing", 1, 1)]


def test_progress_of_a_file_with_a_bad_row_goes_back_to_checking() -> None:
    told: list[tuple[str, int, int]] = []
    file = _file(_line(), _line(external_id="p-2", coverage_usd="0"))
    size = len(file.getvalue())

    _import(file, skip_bad=True, progress=lambda phase, done, total: told.append((phase, done, total)))

    assert told == [("reading", size, size), ("checking", 0, 1), ("checking", 1, 1), ("writing", 1, 1)]


def test_a_clean_file_and_one_with_a_bad_row_to_skip_book_the_same_policies() -> None:
    lines = "".join(sample_lines(300, seed=5, now=NOW))
    terms = [field.name for field in Policy._meta.fields if field.name not in ("id", "source")]
    _import(io.BytesIO(lines.encode()))
    at_once = list(Policy.objects.order_by("id").values_list(*terms))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE policies_policy, policies_exposuredelta CASCADE")

    report = _import(io.BytesIO((lines + _line(coverage_usd="0") + "\n").encode()), skip_bad=True)

    assert (report.added, report.bad) == (300, 1)
    assert list(Policy.objects.order_by("id").values_list(*terms)) == at_once
    assert verify_exposure() == []


def test_a_bad_row_in_a_later_part_of_the_file_undoes_the_parts_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("policies.services.rows.WRITE_PAGES", 1)
    lines = "".join(sample_lines(300, seed=5, now=NOW))

    report = _import(io.BytesIO((lines + _line(coverage_usd="0") + "\n").encode()))

    assert (report.committed, report.rows, report.bad, report.added) == (False, 301, 1, 300)
    assert not Policy.objects.exists()
    assert not ExposureDelta.objects.exists()


def test_a_file_of_several_parts_is_booked_whole_in_the_order_of_its_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("policies.services.rows.WRITE_PAGES", 1)

    _import(io.BytesIO("".join(sample_lines(300, seed=5, now=NOW)).encode()))

    names = list(Policy.objects.order_by("id").values_list("external_id", flat=True))
    assert names == [f"sample-5-{number:08d}" for number in range(300)]
    assert verify_exposure() == []


def test_a_previewed_file_waits_for_its_confirmation_and_is_imported_once() -> None:
    content = _file(_line(), _line(external_id="p-2", coverage_usd="0")).getvalue()
    record = import_preview(content, file_name="book.csv", actor="ada", now=NOW)

    assert (record.status, record.report["added"], record.report["bad"]) == ("previewed", 1, 1)
    assert not Policy.objects.exists()

    refused = import_confirm(record.pk, skip_bad=False, actor="bob", now=NOW)
    assert (refused.committed, refused.bad) == (False, 1)
    record.refresh_from_db()
    assert record.status == "previewed"

    report = import_confirm(record.pk, skip_bad=True, actor="bob", now=NOW)
    record.refresh_from_db()
    assert (report.added, record.status, record.content, record.actor) == (1, "imported", None, "bob")
    with pytest.raises(Refused, match="not waiting"):
        import_confirm(record.pk, skip_bad=True, actor="bob", now=NOW)


def test_a_discarded_file_is_never_imported() -> None:
    record = import_preview(_file(_line()).getvalue(), file_name="book.csv", actor="ada", now=NOW)

    import_discard(record.pk)

    record.refresh_from_db()
    assert (record.status, record.content) == ("discarded", None)
    with pytest.raises(Refused, match="not waiting"):
        import_confirm(record.pk, skip_bad=True, actor="ada", now=NOW)
    assert not Policy.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_add_its_policies_once() -> None:
    content = "".join(sample_lines(500, seed=3, now=NOW)).encode()
    reports: list[ImportReport] = []

    def run() -> None:
        try:
            reports.append(_import(io.BytesIO(content)))
        finally:
            connections.close_all()

    _both(run)

    assert sorted(report.added for report in reports) == [0, 500]
    assert sorted(report.already_there for report in reports) == [0, 500]
    assert Policy.objects.count() == 500
    assert verify_exposure() == []


def _both(run: Callable[[], None]) -> None:
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
