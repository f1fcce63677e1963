"""manage.py create_api_key NAME: makes a key of the API and prints it, once."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tonsurance.plumbing.models import ApiKey
from tonsurance.plumbing.models.keys import Scope

DAYS_MAX = 3650


class Command(BaseCommand):
    help = "Make an API key for the client NAME and print it. It is stored hashed and cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the client's name in the book, for instance shop")
        parser.add_argument(
            "--scopes", default="read", help="read, write and ops, separated by commas (default read)"
        )
        parser.add_argument("--days", type=int, help="lifetime in days (default API_KEY_DAYS)")
        parser.add_argument("--key-only", action="store_true", help="print nothing but the key")

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = [word.strip() for word in options["scopes"].split(",") if word.strip()]
        known = {scope.value for scope in Scope}
        if not scopes or not set(scopes) <= known:
            raise CommandError(f"--scopes {options['scopes']}: use read, write and ops, separated by commas")
        days = options["days"]
        if days is not None and not 0 < days <= DAYS_MAX:
            raise CommandError(f"--days {days}: give a number from 1 to {DAYS_MAX}")
        name = options["name"]
        if not re.fullmatch(r"[\w.@+-]{1,80}", name):
            raise CommandError(f"{name!r}: use at most 80 letters, digits and @ . + - _")
        with transaction.atomic():
            user, created = User.objects.get_or_create(username=name)
            if created:
                user.set_unusable_password()
                user.save(update_fields=["password"])
            key, spelling = ApiKey.objects.create(
                user, name=name, scopes=scopes, lifetime=timedelta(days=days) if days else None
            )
        if options["key_only"]:
            self.stdout.write(spelling)
            return
        self.stdout.write(
            f"Key of {name} ({', '.join(key.scopes)}), valid until {key.expires_at:%Y-%m-%d %H:%M} UTC."
        )
        self.stdout.write("It is shown this once:")
        self.stdout.write(spelling)
        self.stdout.write(f"Use it as: curl -H 'Authorization: Token {spelling}' …")
