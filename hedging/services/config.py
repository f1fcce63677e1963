"""The run-time settings: read by every cycle and every send, changed with a name and a reason, every version kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from hedging.domain.config import HedgeSettings, setting, settings_from
from hedging.models import HedgeConfigEntry
from tonsurance.kernel.errors import Refused

log = structlog.get_logger(__name__)

_override: dict[str, Any] = {}


def config_read() -> HedgeSettings:
    """The settings that hold now: defaults, overlaid by the database, overlaid by this process's own file."""
    stored = dict(HedgeConfigEntry.objects.values_list("key", "value"))
    return settings_from(stored | _override)


def config_override(values: Mapping[str, Any]) -> None:
    """Let `values` (JSON, camelCase keys) hold for this process only.

    Raises Refused and changes nothing when one is bad.
    """
    if not isinstance(values, Mapping):
        raise Refused("settings: give a JSON object of keys and values", field="settings")
    settings_from(values)
    _override.clear()
    _override.update(values)


def config_set(key: str, value: Any, *, actor: str, reason: str, now: datetime) -> HedgeConfigEntry:
    """Store one setting. Raises Refused for an unknown key, a bad value, or a change without a name or a reason."""
    if not actor.strip():
        raise Refused("updatedBy: say who changes it", field="updatedBy")
    if not reason.strip():
        raise Refused("reason: say why it is changed", field="reason")
    item = setting(key)
    stored = item.as_json(item.parse(value))
    with transaction.atomic():
        row = HedgeConfigEntry.objects.select_for_update().filter(pk=key).first() or HedgeConfigEntry(key=key)
        row.value, row.changed_by, row.reason, row.changed_at = stored, actor[:150], reason.strip()[:300], now
        row.save()
    log.info("setting changed", key=key, value=stored, actor=actor, reason=reason)
    return row
