"""The hedging app; it sees to it that venues, limits and breakers exist wherever their tables do."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _book_ensure(**kwargs: Any) -> None:
    if kwargs.get("using") != "default":
        return
    from django.db import connection

    from hedging.services.seeding import book_ensure

    if {"hedging_breaker", "hedging_riskbucket", "venues_venue"} <= set(
        connection.introspection.table_names()
    ):
        book_ensure()


class HedgingConfig(AppConfig):
    name = "hedging"
    verbose_name = "Hedging"

    def ready(self) -> None:
        # Doors ring bells by name through the current Celery app, so it must exist in every process.
        import tonsurance.celery  # noqa: F401
        from hedging.services.diagnosis import book_checks
        from tonsurance.plumbing.checkups import checks_register
        from tonsurance.plumbing.diagnosis.beat import jobs_rarer

        post_migrate.connect(_book_ensure, sender=self)
        checks_register(book_checks())
        # Beat asks every hour whether today's search was done.
        jobs_rarer({"find_markets": 86_400.0})
