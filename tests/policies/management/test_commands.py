"""The shell's doors: a sample book is made, imported, and faults are told with a failing exit."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command

from policies.models import ExposureDelta, Policy
from policies.services.verification import verify_exposure

pytestmark = pytest.mark.django_db


def _run(*words: str) -> str:
    out = StringIO()
    with patch("tonsurance.plumbing.bells._send", return_value=True):
        call_command(*words, stdout=out)
    return out.getvalue()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A sample book of 300 policies."""
    path = tmp_path / "book.csv"
    assert _run("make_sample_book", "--policies", "300", "--output", str(path)) == f"300 policies in {path}\n"
    return path


def test_a_sample_book_is_imported_whole_and_folded(book: Path) -> None:
    told = _run("import_policies", str(book))

    assert told.startswith("300 rows: 300 imported ($")
    assert told.endswith("0 already there, 0 bad\n")
    assert Policy.objects.filter(status="active").count() == 300
    assert ExposureDelta.objects.count() == 0
    assert verify_exposure() == []
    assert "0 imported ($0.00 of coverage), 300 already there, 0 bad" in _run("import_policies", str(book))


def test_a_bad_row_stops_the_import_and_is_shown(book: Path) -> None:
    with book.open("a") as file:
        file.write("broken,row\n")

    out = StringIO()
    with pytest.raises(CommandError, match="nothing was imported"):
        call_command("import_policies", str(book), stdout=out)
    assert "has 2 fields, the heading has 11" in out.getvalue()
    assert not Policy.objects.exists()

    assert "300 imported" in _run("import_policies", str(book), "--skip-bad")


def test_a_dry_run_changes_nothing(book: Path) -> None:
    assert "300 would be imported" in _run("import_policies", str(book), "--dry-run")
    assert not Policy.objects.exists()


def test_a_file_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_policies", str(tmp_path / "none.csv"))


def test_a_file_that_is_no_table_of_policies_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text("a;b;c\n1;2;3\n")
    with pytest.raises(CommandError, match="separate columns by commas"):
        call_command("import_policies", str(path))


@pytest.mark.parametrize("count", ["0", "-5", "99999999999"])
def test_a_book_of_an_absurd_size_is_refused(count: str, tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    with pytest.raises(CommandError, match="--policies"):
        call_command("make_sample_book", "--policies", count, "--output", str(path))
    assert not path.exists()
