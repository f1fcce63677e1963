"""How the API says no: application/problem+json (RFC 9457), one entry per field and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from tonsurance.kernel.errors import Broken, Conflict, Refused, TonsuranceError

CONTENT_TYPE = "application/problem+json"

# What to do about a field that DRF refused, by DRF's own error codes.
_REMEDIES = {
    "required": "send this field",
    "null": "send a value, or leave the field out",
    "blank": "send a value that is not empty",
    "invalid_choice": "use one of the words listed in /api/schema/",
    "unknown_field": "leave it out or correct its name",
    "max_length": "shorten it",
    "max_digits": "give fewer digits",
    "max_decimal_places": "round it",
    "max_whole_digits": "give a smaller number",
    "min_value": "give a larger number",
    "max_value": "give a smaller number",
    "not_found": "check the address",
    "not_authenticated": "send the header `Authorization: Token <key>`",
    "authentication_failed": "use a key that is valid; manage.py create_api_key makes one",
    "permission_denied": "use a key with the scope this call needs",
    "parse_error": "send a JSON object",
    "unsupported_media_type": "send Content-Type: application/json",
    "method_not_allowed": "use a method listed in the Allow header",
}


class Unprocessable(exceptions.APIException):
    """The call is well-formed and the rules refuse it."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_code = "unprocessable"


def problem(
    status: int,
    *,
    detail: str,
    code: str,
    errors: list[dict[str, str]],
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem+json answer. `code` becomes the problem's type, a stable word for machines."""
    body = {
        "type": f"urn:tonsurance:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "errors": errors,
    }
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What it does not know goes on as the server error that it is."""
    if isinstance(error, TonsuranceError) and not isinstance(error, Broken):
        return problem(
            _status_of(error),
            detail=error.message,
            code=error.code,
            errors=[{"field": error.field, "message": error.message, "remedy": error.remedy}],
        )
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    errors = list(_entries(error.get_full_details()))
    detail = errors[0]["message"] if len(errors) == 1 else f"{len(errors)} faults; see errors"
    return problem(
        error.status_code, detail=detail, code=_code_of(error), errors=errors, headers=_headers_of(error)
    )


def _status_of(error: TonsuranceError) -> int:
    if isinstance(error, Conflict):
        return HTTPStatus.CONFLICT
    if error.code == "not_found":
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(error, Refused) else HTTPStatus.INTERNAL_SERVER_ERROR


def _code_of(error: exceptions.APIException) -> str:
    return "invalid" if isinstance(error, exceptions.ValidationError) else error.default_code


def _headers_of(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait))
    return headers


def _entries(details: Any, *, field: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested {message, code} as a flat list; a nested field is named `outer.inner`."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        message, code = str(details["message"]), str(details["code"])
        sentence, _, remedy = message.partition(" | ")
        remedy = remedy or _REMEDIES.get(code, "correct it as /api/schema/ describes")
        yield {"field": field, "message": f"{field}: {sentence}" if field else sentence, "remedy": remedy}
    elif isinstance(details, dict):
        for name, inner in details.items():
            path = [part for part in (field, str(name)) if part and part != "non_field_errors"]
            yield from _entries(inner, field=".".join(path))
    elif isinstance(details, list):
        for inner in details:
            yield from _entries(inner, field=field)


class FaultOut(serializers.Serializer[Any]):
    """One field's fault and what to do about it."""

    field = serializers.CharField(allow_blank=True, help_text="Name of the input at fault; empty for none.")
    message = serializers.CharField()
    remedy = serializers.CharField(allow_blank=True)


class ProblemOut(serializers.Serializer[Any]):
    """An RFC 9457 problem."""

    type = serializers.CharField(help_text="urn:tonsurance:problem:<code>")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = FaultOut(many=True)  # type: ignore[assignment]  # a field of that name, as RFC 9457 wants


def problem_answers(*statuses: int) -> dict[tuple[int, str], type[ProblemOut]]:
    """For drf-spectacular's `responses`: these statuses, and 401 and 403, are problems."""
    return {(int(status), CONTENT_TYPE): ProblemOut for status in (401, 403, *statuses)}
