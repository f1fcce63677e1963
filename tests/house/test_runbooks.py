"""Every page that a finding names exists, is in the index, and the doctor's own page lists every code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hedging.admin.runbooks import runbook_html

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
PAGES = sorted(RUNBOOKS.glob("*.md"))
SOURCES = [
    *ROOT.glob("tonsurance/plumbing/diagnosis/*.py"),
    ROOT / "tonsurance/plumbing/checkups.py",
    *ROOT.glob("*/services/diagnosis/*.py"),
    *ROOT.glob("*/services/diagnosis.py"),
]
CODE = re.compile(
    r"\b(?:ok|warning|fault|make|judged|skew_judge|not_asked|_judge)\(\s*(?:level,\s*)?f?\"([a-z_]+)\""
)


def sources() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)


def codes_named() -> set[str]:
    """Codes written as the first words of a finding, and those of findings whose level comes first."""
    text = sources()
    levelled = re.findall(
        r"judged\(\s*(?:by_limits\([^()]*(?:\([^()]*\)[^()]*)*\)|level),\s*\"([a-z_]+)\"", text
    )
    return set(CODE.findall(text)) | set(levelled)


def test_the_sources_are_found() -> None:
    assert len(SOURCES) >= 18
    assert len(codes_named()) >= 45


def test_every_page_that_a_finding_names_exists() -> None:
    named = set(re.findall(r"runbook ?= ?\"([a-z-]+)\"", sources()))
    assert len(named) >= 20
    assert {name for name in named if not (RUNBOOKS / f"{name}.md").is_file()} == set()


def test_every_page_is_in_the_index() -> None:
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert {page.name for page in PAGES if f"]({page.name})" not in index} == {"README.md"}


def test_every_code_is_explained_on_the_doctor_s_page() -> None:
    told = set(re.findall(r"[a-z_]+", (RUNBOOKS / "doctor.md").read_text(encoding="utf-8")))
    assert codes_named() - told == set()


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "README.md"], ids=lambda page: page.stem
)
def test_every_page_says_what_to_do_and_is_shown_whole(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if page.stem != "doctor":
        headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
        wanted = ["What you see", "What it means in money", "What to do", "What never to do"]
        assert [heading for heading in headings if heading in wanted] == wanted
    title, body = runbook_html(text)
    assert title == text.splitlines()[0].removeprefix("# ")
    shown = re.sub(r"<code.*?</code>|<[^>]+>", "", body)
    # Nothing of the Markdown is left over but what stands in code.
    assert "**" not in shown
    assert "](" not in shown
    for heading in re.findall(r"^## (.*)$", text, re.MULTILINE):
        assert heading in shown


def test_what_a_page_says_is_escaped() -> None:
    _, body = runbook_html("# T\n\n<script>alert(1)</script> `a < b` **x & y** [z](clock.md)\n")
    assert "<script>" not in body
    assert 'href="../clock/"' in body
    assert "<strong>x &amp; y</strong>" in body
