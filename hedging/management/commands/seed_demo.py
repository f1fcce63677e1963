"""`manage.py seed_demo`: fills an empty practice database with what a desk needs before its first policy."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hedging.models import HedgeConfigEntry
from hedging.services.config import config_set
from hedging.services.seeding import book_ensure, practice_mappings_ensure
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.models import ApiKey

LOGIN = "admin"
SETTINGS = [
    ("enabled", True, "the practice exchange takes orders"),
    ("maxSlippageBps", 2500, "at 2 to 15 cents one tick is hundreds of basis points"),
    ("priceMax", "0.20", "an event priced above 20 cents is bought by a person, not by a loop"),
]


class Command(BaseCommand):
    help = "Seed venues, limits, mappings, a login and an API key. For practice only; refuses a LIVE environment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--credentials-file", required=True, help="Where the login and the API key are written (0600)."
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if settings.TRADING_ENVIRONMENT != "PRACTICE":
            raise CommandError(
                f"TRADING_ENVIRONMENT={settings.TRADING_ENVIRONMENT}: seed_demo runs in PRACTICE only"
            )
        now = utc_now()
        book_ensure()
        mappings = practice_mappings_ensure(actor="demo", now=now)
        for key, value, reason in SETTINGS:
            if not HedgeConfigEntry.objects.filter(pk=key).exists():
                config_set(key, value, actor="demo", reason=reason, now=now)
        path = Path(options["credentials_file"])
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(self._credentials(), file)
        self.stdout.write(f"{mappings} mappings made and approved")

    def _credentials(self) -> dict[str, str]:
        password = secrets.token_urlsafe(12)
        users = get_user_model()
        user = users.objects.filter(username=LOGIN).first() or users.objects.create_superuser(
            LOGIN, "", password
        )
        user.set_password(password)
        user.save()
        return {
            "login": LOGIN,
            "password": password,
            "api_key": ApiKey.objects.create(user, name="demo", scopes=["read", "write"])[1],
        }
