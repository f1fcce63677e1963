"""Why the settings cannot be read, in a sentence: what keeps even the doctor from starting."""

from __future__ import annotations


def settings_fault() -> str:
    """Read Django's settings; "" when that works, else what refuses and why."""
    from django.conf import settings

    try:
        bool(settings.INSTALLED_APPS)
    except Exception as error:  # noqa: BLE001  whatever a settings file raises, the reader needs a sentence
        return f"The settings cannot be read: {error}"
    return ""
