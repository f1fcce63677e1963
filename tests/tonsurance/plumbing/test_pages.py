"""/healthz asks nobody; /readyz asks the database; /api/schema/ is valid."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.django_db
def test_a_process_with_its_database_is_well(path: str) -> None:
    answer = Client().get(path)

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert "no-store" in answer["Cache-Control"]


def test_health_asks_no_database() -> None:
    assert Client().get("/healthz").status_code == 200


def test_without_its_database_a_process_is_alive_and_not_ready() -> None:
    with patch("tonsurance.plumbing.pages.MigrationExecutor", side_effect=OperationalError("gone")):
        answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": "unreachable"}


@pytest.mark.django_db
def test_a_missing_migration_is_not_ready() -> None:
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="policies", name="0003_catalogue").delete()

    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["migrations_missing"] >= 1


def test_only_looking_is_allowed() -> None:
    assert Client().post("/healthz").status_code == 405


def test_the_schema_is_valid_and_without_warnings(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))

    assert "/api/v2/policies" in (tmp_path / "schema.yaml").read_text()
