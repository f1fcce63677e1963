"""The venues app; it tells the doctor what to ask of each venue."""

from __future__ import annotations

from django.apps import AppConfig


class VenuesConfig(AppConfig):
    name = "venues"
    verbose_name = "Markets"

    def ready(self) -> None:
        from tonsurance.plumbing.checkups import checks_register
        from venues.services.diagnosis import venue_checks

        checks_register(venue_checks())
