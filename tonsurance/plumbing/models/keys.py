"""A key of the API: hashed at rest, expiring, with the scopes it opens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from knox.models import AuthToken
from knox.settings import knox_settings

from tonsurance.plumbing.words import choices, words

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class Scope(StrEnum):
    """What a key may do: `read` looks, `write` changes, `ops` asks about the health of the machinery."""

    READ = "read"
    WRITE = "write"
    OPS = "ops"


class ApiKeys(models.Manager["ApiKey"]):
    """Makes keys together with the hashed token that recognises them."""

    def create(  # type: ignore[override]  # like knox's own: the key leaves this function once and is stored nowhere
        self, user: User, *, name: str, scopes: Iterable[str], lifetime: timedelta | None = None
    ) -> tuple[ApiKey, str]:
        """A new key of the client `user` and its spelling; it lives `lifetime`, by default API_KEY_DAYS."""
        with transaction.atomic():
            token, spelling = AuthToken.objects.create(user, expiry=lifetime or knox_settings.TOKEN_TTL)
            key = ApiKey(token=token, name=name, scopes=words(sorted(Scope(scope) for scope in scopes)))
            key.save(force_insert=True)
        return key, spelling


class ApiKey(models.Model):
    """One key of one client.

    Several keys of one client share its idempotency keys, so that a key can be replaced in the middle of a
    retry. Revoked and expired keys are kept: the book names the client that acted.
    """

    token = models.OneToOneField(AuthToken, on_delete=models.PROTECT, related_name="api_key")
    name = models.CharField(max_length=80, help_text="What the key is for, as its owner would say it.")
    scopes: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=16, choices=choices(Scope)), size=3)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeys()

    class Meta:
        verbose_name = "API key"
        verbose_name_plural = "API keys"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=words(Scope)) & Q(scopes__len__gt=0),
                name="api_key_scopes_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.token.token_key[:8]}…)"

    @property
    def user(self) -> User:
        """The client."""
        return self.token.user

    @property
    def expires_at(self) -> datetime | None:
        """The first moment at which the key opens nothing; None for never."""
        return self.token.expiry

    def is_usable(self, *, now: datetime) -> bool:
        """True while the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
