"""Health: opening it asks nobody, a button asks, and what was found is kept and shown, the bad news first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests import factories as make
from tonsurance.kernel.findings import Finding, fault, ok, warning
from tonsurance.plumbing import checkups
from tonsurance.plumbing.checkups import Check, checks_register, checkup_keep, checkup_run
from tonsurance.plumbing.models import Checkup

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/admin/plumbing/checkup/"
asked: list[str] = []


def engine(*, now: datetime) -> list[Finding]:
    asked.append("engine")
    return [fault("engine", "No <b>engine</b> ever", remedy="Start `run_engine`", runbook="engine-silent")]


def limits(*, now: datetime) -> list[Finding]:
    asked.append("limits")
    return [ok("limits", "All limits have room")]


def book(*, now: datetime) -> list[Finding]:
    asked.append("book")
    return [warning("venue_book", "Nobody offers", remedy="Look")]


@pytest.fixture(autouse=True)
def _own_checks() -> Iterator[None]:
    """Three checks instead of the product's, which have tests of their own."""
    kept = dict(checkups._checks)
    checkups._checks.clear()
    checks_register(
        [
            Check(name="engine", group="Workers", ask=engine),
            Check(name="limits", group="Safety", ask=limits),
            Check(name="polymarket.book", group="Markets", ask=book, asks_venue=True),
        ]
    )
    asked.clear()
    yield
    checkups._checks.clear()
    checkups._checks.update(kept)


def text(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_opening_the_page_asks_nobody(officer):
    html = text(officer.get(PAGE))
    assert "Nobody has asked yet" in html
    assert "Ask all checks now" in html
    assert asked == []
    assert not Checkup.objects.exists()


def test_a_button_asks_everybody_and_keeps_what_was_found(officer):
    assert officer.post(f"{PAGE}run/", {"full": "1"}).status_code == 302
    assert sorted(asked) == ["book", "engine", "limits"]
    row = Checkup.objects.get()
    assert (row.level, row.faults_count, row.warnings_count, row.asked_by) == ("fault", 1, 1, "risk.officer")
    html = text(officer.get(PAGE))
    assert "1 fault, 1 warning; asked" in html
    assert "by risk.officer, venues included" in html
    assert "No &lt;b&gt;engine&lt;/b&gt; ever" in html
    assert '<code class="bo-code">run_engine</code>' in html
    assert 'href="/admin/plumbing/checkup/runbook/engine-silent/"' in html
    # The fault stands on top, before the first group and before the warning.
    assert html.index("What needs a person") < html.index("engine&lt;/b&gt;") < html.index("Nobody offers")
    assert html.index("Nobody offers") < html.index("All limits have room")
    assert sorted(asked) == ["book", "engine", "limits"]


def test_the_other_button_asks_no_venue(officer):
    officer.post(f"{PAGE}run/", {"quick": "1"})
    assert sorted(asked) == ["engine", "limits"]
    html = text(officer.get(PAGE))
    assert "without asking the venues" in html
    assert "venues are not asked in a quick run" in html


def test_an_older_run_can_be_looked_at(officer):
    first = checkup_keep(checkup_run(only=["limits"]), asked_by="night.shift")
    checkup_keep(checkup_run(), asked_by="risk.officer")
    html = text(officer.get(PAGE, {"run": first.pk}))
    assert "by night.shift" in html
    assert "(an older run)" in html
    assert "Nothing needs a person now." in html
    assert officer.get(f"{PAGE}{first.pk}/change/").url == f"{PAGE}?run={first.pk}"
    assert officer.get(PAGE, {"run": "0"}).status_code == 200


def test_asking_is_a_post_by_somebody_who_may(officer, guest):
    assert officer.get(f"{PAGE}run/").status_code == 405
    onlooker = guest("plumbing.view_checkup")
    assert "Ask all checks now" not in text(onlooker.get(PAGE))
    assert onlooker.post(f"{PAGE}run/").status_code == 403
    assert guest("hedging.view_order").get(PAGE).status_code == 403
    assert asked == []


def test_a_runbook_is_a_page_and_nothing_else_of_the_disk_is(officer):
    html = text(officer.get(f"{PAGE}runbook/engine-silent/"))
    assert "The engine is silent" in html
    assert "<li>" in html
    assert officer.get(f"{PAGE}runbook/nonsense/").status_code == 404
    assert officer.get(f"{PAGE}runbook/README/").status_code == 404


def test_the_home_page_tells_of_faults_until_a_later_run_is_clean(officer):
    make.venues()
    checkup_keep(checkup_run(), asked_by="risk.officer")
    home = text(officer.get("/admin/"))
    assert "1 fault found by the doctor" in home
    assert f'href="{PAGE}"' in home
    checkup_keep(checkup_run(only=["limits"]), asked_by="risk.officer")
    assert "found by the doctor" not in text(officer.get("/admin/"))
