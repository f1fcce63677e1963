"""The rules that the database keeps, from PostgreSQL's own catalogue, as lines that are equal on versions 15 to 18."""

from __future__ import annotations

import hashlib

from django.db import connection

_OURS = "^(policies|venues|hedging|plumbing)_"

# NOT NULL became a constraint with a name in PostgreSQL 18; it is a property of the column here.
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid <> 0 AND conrelid::regclass::text ~ %s AND contype IN ('c', 'u', 'p', 'f', 'x')"""
_INDEXES = """
    SELECT i.indrelid::regclass::text, c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid::regclass::text ~ %s AND (i.indisunique OR i.indpred IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))"""
_TRIGGERS = """
    SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), tgenabled FROM pg_trigger
    WHERE NOT tgisinternal AND tgrelid::regclass::text ~ %s"""
_FUNCTIONS = """
    SELECT p.proname, pg_get_function_identity_arguments(p.oid), p.prosrc FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = current_schema() AND p.proname ~ %s"""


def schema_rules() -> list[str]:
    """Constraints, unique and partial indexes, triggers, and a fingerprint of each function, sorted."""
    lines = [f"constraint {table} {name}: {_flat(text)}" for table, name, text in _rows(_CONSTRAINTS)]
    lines += [f"index {table} {name}: {_flat(text)}" for table, name, text in _rows(_INDEXES)]
    lines += [
        f"trigger {table} {name}: {_flat(text)}{'' if on == 'O' else f' [{on}]'}"
        for table, name, text, on in _rows(_TRIGGERS)
    ]
    lines += [
        f"function {name}({arguments}): sha256 {_print(body)}" for name, arguments, body in _rows(_FUNCTIONS)
    ]
    return sorted(lines)


def _rows(question: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, [_OURS])
        return [tuple(_text(value) for value in row) for row in cursor.fetchall()]


def _text(value: object) -> str:
    """PostgreSQL's "char" columns arrive as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _flat(text: str) -> str:
    return " ".join(text.replace("public.", "").split())


def _print(body: str) -> str:
    """The first sixteen digits of the body's fingerprint; blanks do not count."""
    return hashlib.sha256(_flat(body).encode()).hexdigest()[:16]
