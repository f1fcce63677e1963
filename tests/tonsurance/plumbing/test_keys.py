"""Keys of the API: hashed, expiring, revocable, made in the shell and in admin, shown once."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client
from knox.models import AuthToken
from rest_framework.test import APIClient

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.models import ApiKey

pytestmark = pytest.mark.django_db
URL = "/api/v2/products"


@pytest.fixture(autouse=True)
def _plain_http(settings: Any) -> None:
    """The test client speaks no TLS."""
    settings.SECURE_SSL_REDIRECT = False


def _key(**changes: Any) -> tuple[ApiKey, str]:
    user, _ = User.objects.get_or_create(username="shop")
    return ApiKey.objects.create(user, **({"name": "shop", "scopes": ["read"]} | changes))


def _status(spelling: str) -> int:
    return APIClient(headers={"Authorization": f"Token {spelling}"}).get(URL).status_code


def test_a_key_opens_and_is_stored_as_a_hash_only() -> None:
    key, spelling = _key()

    assert _status(spelling) == 200
    assert len(spelling) == 64
    stored = AuthToken.objects.values_list("digest", "token_key").get(pk=key.token_id)
    assert spelling not in stored
    assert spelling.startswith(stored[1])


@pytest.mark.parametrize("spelling", ["", "x", "0" * 64, "é" * 8, "a b", "\u0000"])
def test_what_is_no_key_opens_nothing(spelling: str) -> None:
    _key()

    assert _status(spelling) == 401


def test_a_key_that_differs_in_its_last_letter_opens_nothing() -> None:
    _, spelling = _key()
    last = "0" if spelling[-1] != "0" else "1"

    assert _status(spelling[:-1] + last) == 401


def test_expired_and_revoked_keys_and_closed_clients_open_nothing_and_are_kept() -> None:
    expired, first = _key()
    AuthToken.objects.filter(pk=expired.token_id).update(expiry=utc_now() - timedelta(seconds=1))
    revoked, second = _key()
    ApiKey.objects.filter(pk=revoked.pk).update(revoked_at=utc_now())
    _, third = _key()
    assert (_status(first), _status(second), _status(third)) == (401, 401, 200)

    User.objects.update(is_active=False)
    assert _status(third) == 401
    assert ApiKey.objects.count() == AuthToken.objects.count() == 3


def test_keys_expire_by_default_after_the_configured_days(settings: Any) -> None:
    key, _ = _key()

    assert key.expires_at is not None
    lifetime = key.expires_at - key.token.created
    assert abs(lifetime - settings.REST_KNOX["TOKEN_TTL"]) < timedelta(seconds=5)


def test_a_key_costs_one_query(django_assert_num_queries: Any) -> None:
    _, spelling = _key()
    client = APIClient(headers={"Authorization": f"Token {spelling}"})

    with django_assert_num_queries(3):  # the key with its client, the count, the page
        client.get(URL)


def test_scopes_are_known_words_and_at_least_one() -> None:
    with pytest.raises(ValueError, match="admin"):
        _key(scopes=["admin"])
    with pytest.raises(IntegrityError, match="api_key_scopes_known"):
        _key(scopes=[])


def test_the_shell_makes_a_key_that_opens() -> None:
    out = StringIO()

    call_command("create_api_key", "broker", scopes="read,write", days=3, stdout=out)

    spelling = out.getvalue().splitlines()[2]
    assert _status(spelling) == 200
    key = ApiKey.objects.get()
    assert (key.user.username, sorted(key.scopes)) == ("broker", ["read", "write"])
    assert not key.user.has_usable_password()
    only = StringIO()
    call_command("create_api_key", "broker", "--key-only", stdout=only)
    assert _status(only.getvalue().strip()) == 200
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shop", "--scopes", "admin"], "--scopes admin"),
        (["shop", "--scopes", ""], "--scopes"),
        (["shop", "--days", "0"], "--days 0"),
        (["a b"], "use at most 80 letters"),
    ],
)
def test_the_shell_says_what_is_wrong(words: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("create_api_key", *words)
    assert not ApiKey.objects.exists()


@pytest.fixture
def desk() -> Client:
    """A signed-in person who may do everything."""
    client = Client()
    client.force_login(
        User.objects.create_superuser("ada"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def test_the_desk_makes_a_key_and_shows_it_once(desk: Client) -> None:
    assert desk.get("/admin/plumbing/apikey/new/").status_code == 200

    page = desk.post("/admin/plumbing/apikey/new/", {"name": "shop", "scopes": ["read"], "days": 30})

    key = ApiKey.objects.get()
    spelling = page.context["spelling"]
    assert spelling in page.content.decode()
    assert _status(spelling) == 200
    for address in ("/admin/plumbing/apikey/", f"/admin/plumbing/apikey/{key.pk}/change/"):
        again = desk.get(address)
        assert again.status_code == 200
        assert spelling not in again.content.decode()


def test_the_desk_refuses_a_key_without_scope_or_end(desk: Client) -> None:
    for form in (
        {"name": "shop", "days": 30},
        {"name": "a b", "scopes": ["read"], "days": 30},
        {"name": "shop", "scopes": ["read"], "days": 0},
    ):
        desk.post("/admin/plumbing/apikey/new/", form)

    assert not ApiKey.objects.exists()


def test_the_desk_revokes_a_key(desk: Client) -> None:
    key, spelling = _key()

    desk.post(f"/admin/plumbing/apikey/{key.pk}/revoke/")

    assert _status(spelling) == 401
