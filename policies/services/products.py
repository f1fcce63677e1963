"""Sees to it that the catalogue's 560 rows exist, wherever its tables do."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.db import transaction


@transaction.atomic
def catalogue_ensure() -> None:
    """Insert what is missing of products, rates, on-chain ids and exposure rows; what exists is left
    alone.
    """
    import_module("policies.migrations.0003_catalogue").fill(apps, None)
