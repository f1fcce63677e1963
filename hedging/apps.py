"""The hedging app."""

from django.apps import AppConfig


class HedgingConfig(AppConfig):
    name = "hedging"
    verbose_name = "Hedging"

    def ready(self) -> None:
        # Doors ring bells by name through the current Celery app, so it must exist in every process.
        import tonsurance.celery  # noqa: F401
