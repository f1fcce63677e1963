"""The foundations as a Django app: keys, slots, buckets and bells that every department uses."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class PlumbingConfig(AppConfig):
    name = "tonsurance.plumbing"
    label = "plumbing"
    verbose_name = "Access"

    def ready(self) -> None:
        import_module("tonsurance.plumbing.openapi")
        # Named by string: the project's wiring lies above these foundations. `set_default` because Celery
        # keeps its current app per thread, and a web server's other threads would otherwise ring an
        # unconfigured one.
        import_module("tonsurance.celery").app.set_default()
        checkups = import_module("tonsurance.plumbing.checkups")
        checkups.checks_register(import_module("tonsurance.plumbing.diagnosis").CHECKS)
