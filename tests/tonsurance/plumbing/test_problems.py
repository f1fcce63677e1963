"""How the API says no: RFC 9457 problems with a field, a sentence and a remedy for every fault."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, serializers

from tonsurance.kernel.errors import Broken, Conflict, Refused
from tonsurance.plumbing.problems import problem_response


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refused("x: no", field="x", remedy="do y"), 422, "refused"),
        (Refused("x: none", code="not_found", field="x"), 404, "not_found"),
        (Conflict("x: taken", field="x"), 409, "conflict"),
        (exceptions.ValidationError({"x": ["bad"]}), 400, "invalid"),
        (exceptions.ParseError(), 400, "parse_error"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (PermissionDenied(), 403, "permission_denied"),
        (Http404("gone"), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/xml"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=7), 429, "throttled"),
    ],
)
def test_every_no_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    answer = problem_response(error, {})

    assert answer is not None
    assert answer.status_code == status
    assert answer.data["status"] == status
    assert answer.data["type"] == f"urn:tonsurance:problem:{code}"
    assert answer.content_type == "application/problem+json"
    assert answer.data["errors"]


def test_what_is_broken_and_what_is_unknown_are_server_errors() -> None:
    assert problem_response(Broken("sum is off"), {}) is None
    assert problem_response(ZeroDivisionError(), {}) is None


def test_nested_faults_are_flat_and_named_by_their_path() -> None:
    class Inner(serializers.Serializer[None]):
        amount = serializers.IntegerField(min_value=1)

    class Outer(serializers.Serializer[None]):
        name = serializers.CharField()
        inner = Inner()
        parts = Inner(many=True)

    body = Outer(data={"inner": {"amount": 0}, "parts": [{"amount": 1}, {"amount": "x"}]})
    with pytest.raises(exceptions.ValidationError) as caught:
        body.is_valid(raise_exception=True)
    answer = problem_response(caught.value, {})

    assert answer is not None
    assert answer.data["detail"] == "3 faults; see errors"
    assert answer.data["errors"] == [
        {"field": "name", "message": "name: This field is required.", "remedy": "send this field"},
        {
            "field": "inner.amount",
            "message": "inner.amount: Ensure this value is greater than or equal to 1.",
            "remedy": "give a larger number",
        },
        {
            "field": "parts.1.amount",
            "message": "parts.1.amount: A valid integer is required.",
            "remedy": "correct it as /api/schema/ describes",
        },
    ]


def test_a_wait_is_told_in_its_header() -> None:
    answer = problem_response(exceptions.Throttled(wait=7), {})

    assert answer is not None
    assert answer["Retry-After"] == "7"
