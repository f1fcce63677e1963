"""What every API door shares: keys and scopes, strict bodies, money as decimal strings, pages of at most 100.

Callers send `Authorization: Token <key>`. A key's scopes are `read` and `write`; a safe method needs read,
any other write, unless the view names its own in `scope_by_method`.
"""

from __future__ import annotations

from difflib import get_close_matches
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.settings import CONSTANTS
from rest_framework import exceptions, serializers
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.models import ApiKey
from tonsurance.plumbing.models.keys import Scope

if TYPE_CHECKING:
    from rest_framework.views import APIView

PAGE_SIZE = 50
PAGE_SIZE_MAX = 100
PAGE_NUMBER_MAX = 100_000


class ApiKeyAuthentication(TokenAuthentication):
    """knox's token scheme in one query; expired keys are kept, because the book names their client."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, ApiKey]:
        text = token.decode("latin-1")
        if not text.isascii() or not text.isalnum():
            raise exceptions.AuthenticationFailed("this key is not spelt like a key")
        digest = hash_token(text)
        prefix = text[: CONSTANTS.TOKEN_KEY_LENGTH]
        candidates = ApiKey.objects.filter(token__token_key=prefix).select_related("token__user")
        key = next((k for k in candidates if compare_digest(k.token.digest, digest)), None)
        if key is None:
            raise exceptions.AuthenticationFailed("this key is not known")
        if not key.is_usable(now=utc_now()):
            raise exceptions.AuthenticationFailed("this key has expired or was revoked")
        if not key.user.is_active:
            raise exceptions.AuthenticationFailed("the client of this key is not active")
        return key.user, key


class HasScope(BasePermission):
    """Lets a request through when its key opens the scope that the method needs."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        needed = scope_needed(view, method=request.method or "")
        if needed in request.auth.scopes:
            return True
        raise exceptions.PermissionDenied(
            f"this key lacks the scope {needed} | use a key with the scope {needed}"
        )


def scope_needed(view: APIView, *, method: str) -> str:
    """The scope that `method` on `view` needs."""
    own = getattr(view, "scope_by_method", {})
    return own.get(method, Scope.READ if method in SAFE_METHODS else Scope.WRITE)


def client_of(request: Request) -> str:
    """The caller's name in the book: the username that its key belongs to."""
    return request.user.get_username()


class Pages(PageNumberPagination):
    """`?page=2&page_size=100` -> {count, next, previous, results}."""

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = PAGE_SIZE_MAX

    def get_page_number(self, request: Request, paginator: Any) -> str | int:
        number = super().get_page_number(request, paginator)
        if str(number).isdigit() and int(number) > PAGE_NUMBER_MAX:
            raise exceptions.NotFound(f"page {number} is beyond {PAGE_NUMBER_MAX} | narrow the filters")
        return number


class StrictSerializer(serializers.Serializer[Any]):
    """A body in which unknown fields are refused by name: a misspelt optional field must not be ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            known = [name for name, field in self.fields.items() if not field.read_only]
            unknown = [str(name) for name in data if name not in known]
            if unknown:
                raise serializers.ValidationError({name: [_unknown(name, known)] for name in unknown})
        return super().to_internal_value(data)


def _unknown(name: str, known: list[str]) -> exceptions.ErrorDetail:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]}?" if near else f"known fields are {', '.join(known)}"
    return exceptions.ErrorDetail(f"unknown field | {remedy}", code="unknown_field")


class MoneyIn(serializers.DecimalField):
    """US dollars in: a decimal string or an integer; a JSON float has already lost its exact value."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 24)
        kwargs.setdefault("decimal_places", 6)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, (float, bool)):
            raise serializers.ValidationError(
                'must be a decimal string, not a JSON float | write it in quotes, for instance "100000.00"',
                code="float",
            )
        return super().to_internal_value(data)
