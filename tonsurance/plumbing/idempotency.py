"""`Idempotency-Key`: the same key with the same body is answered again, not done again.

The answer is stored in the transaction of the effect, per (client, key). A second call with the key is
answered from the row (`Idempotent-Replayed: true`), with another body it is refused with 422, and while the
first is still running with 409. A refused call stores nothing and may be repeated with the same key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import connection, transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.api import client_of
from tonsurance.plumbing.models import ApiIdempotency
from tonsurance.plumbing.problems import problem

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[!-~]{16,255}")
_TRY_LOCK = "SELECT pg_try_advisory_xact_lock(%s)"

View = TypeVar("View", bound=APIView)
P = ParamSpec("P")


def idempotent(
    post: Callable[Concatenate[View, Request, P], Response],
) -> Callable[Concatenate[View, Request, P], Response]:
    """Decorates a DRF `post` method. Without the header the method runs as it is."""

    @wraps(post)
    def answered_once(view: View, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return post(view, request, *args, **kwargs)
        if not _KEY.fullmatch(key):
            return _refuse(
                HTTPStatus.BAD_REQUEST,
                code="idempotency_key_malformed",
                message=f"{HEADER}: 16 to 255 printable ASCII characters without blanks are needed",
                remedy="send a fresh UUID",
            )
        client = client_of(request)
        fingerprint = _fingerprint(request)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_TRY_LOCK, [_lock_number(client, key)])
                if not cursor.fetchone()[0]:
                    return _in_flight()
            told = ApiIdempotency.objects.filter(client_id=client, key=key).first()
            if told is not None:
                return _again(told, fingerprint)
            response = post(view, request, *args, **kwargs)
            if response.status_code // 100 == 2:
                ApiIdempotency.objects.create(
                    client_id=client,
                    key=key,
                    method=request.method or "",
                    path=request.path[:400],
                    request_sha=fingerprint,
                    status=response.status_code,
                    location=response.get("Location", ""),
                    response=_plain(response.data),
                    created_at=utc_now(),
                )
            return response

    return answered_once


def _plain(data: Any) -> Any:
    """The answer's data as the JSON that the caller saw."""
    import json

    return json.loads(JSONRenderer().render(data))


def _fingerprint(request: Request) -> bytes:
    """SHA-256 over method, path and the parsed body, so that blanks and the order of keys do not matter."""
    parts = (request.method or "", request.get_full_path(), _canonical(request.data))
    return hashlib.sha256("\n".join(parts).encode()).digest()


def _canonical(data: Any) -> str:
    import json

    return json.dumps(data, sort_keys=True, separators=(",", ":"), default=str)


def _lock_number(client: str, key: str) -> int:
    digest = hashlib.sha256(f"idempotency\n{client}\n{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _again(told: ApiIdempotency, fingerprint: bytes) -> Response:
    if bytes(told.request_sha) != fingerprint:
        return _refuse(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            code="idempotency_key_reused",
            message=f"{HEADER}: this key was used for another request",
            remedy="send a fresh key for a new request, or the first body again",
        )
    headers = {"Idempotent-Replayed": "true"} | ({"Location": told.location} if told.location else {})
    return Response(told.response, status=told.status, headers=headers)


def _in_flight() -> Response:
    response = _refuse(
        HTTPStatus.CONFLICT,
        code="idempotency_key_in_flight",
        message=f"{HEADER}: the first request with this key is still running",
        remedy="repeat the same request in a second",
    )
    response["Retry-After"] = "1"
    return response


def _refuse(status: int, *, code: str, message: str, remedy: str) -> Response:
    return problem(
        status,
        detail=message,
        code=code,
        errors=[{"field": HEADER, "message": message, "remedy": remedy}],
    )
