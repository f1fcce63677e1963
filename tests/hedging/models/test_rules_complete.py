"""No rule of the book goes without an attack: each refusal of the migration is expected by some test here."""

from __future__ import annotations

import re
from pathlib import Path

import hedging.migrations as migrations

HERE = Path(__file__)
RULES = Path(migrations.__path__[0]) / "0002_rules.sql"


def test_every_refusal_of_the_migration_is_provoked_by_a_test() -> None:
    spoken = set(re.findall(r"ERRCODE = '(HB\d{3})'", RULES.read_text(encoding="utf-8")))
    others = [path for path in HERE.parent.glob("test_rules_*.py") if path != HERE]
    provoked = {
        code
        for path in others
        for code in re.findall(r'refused\("(HB\d{3})"', path.read_text(encoding="utf-8"))
    }
    assert provoked == spoken
