"""The policies app; it sees to it that the catalogue's rows exist wherever its tables do."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _catalogue_ensure(**kwargs: Any) -> None:
    if kwargs.get("plan") or kwargs.get("using") != "default":
        # A migration has just run and brings its own rows; half a migrated schema is no place for inserts.
        return
    from django.db import connection

    from policies.services.products import catalogue_ensure

    if "policies_exposure" in connection.introspection.table_names():
        catalogue_ensure()


class PoliciesConfig(AppConfig):
    name = "policies"
    verbose_name = "Promises"

    def ready(self) -> None:
        from policies.services.diagnosis import CHECKS
        from tonsurance.plumbing.checkups import checks_register

        post_migrate.connect(_catalogue_ensure, sender=self)
        checks_register(CHECKS)
