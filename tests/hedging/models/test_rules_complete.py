"""No rule of the book goes without an attack: each refusal of the migration is expected by some test here."""

from __future__ import annotations

import re
from pathlib import Path

import hedging.migrations as migrations

HERE = Path(__file__)
RULES = sorted(Path(migrations.__path__[0]).glob("*.sql"))


def test_every_refusal_of_the_migrations_is_provoked_by_a_test() -> None:
    texts = [path.read_text(encoding="utf-8") for path in RULES]
    spoken = {code for text in texts for code in re.findall(r"ERRCODE = '(HB\d{3})'", text)}
    others = [path for path in HERE.parent.glob("test_rules_*.py") if path != HERE]
    provoked = {
        code
        for path in others
        for code in re.findall(r'refused\("(HB\d{3})"', path.read_text(encoding="utf-8"))
    }
    assert provoked == spoken
