"""Fields that several calls of the promises' API share."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from policies.domain.catalogue import CHAINS, COVERAGE_TYPES, STABLECOINS

COVERAGE_TYPE_WORDS = [member.value for member in COVERAGE_TYPES]
CHAIN_WORDS = [member.value for member in CHAINS]
STABLECOIN_WORDS = [member.value for member in STABLECOINS]


class MemberIn(serializers.Field[Any, Any, Any, Any]):
    """A word of the catalogue or the on-chain id of one; which words exist is the catalogue's business."""

    default_error_messages = {
        "invalid": "must be a word or an on-chain id | send a string, for instance depeg, or an integer"
    }

    def to_internal_value(self, data: Any) -> str | int:
        if isinstance(data, bool) or not isinstance(data, (str, int)):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def _either(words: list[str]) -> dict[str, Any]:
    return {
        "oneOf": [
            {"type": "string", "enum": words},
            {"type": "integer", "minimum": 0, "maximum": 255, "description": "On-chain id."},
        ]
    }


@extend_schema_field(_either(COVERAGE_TYPE_WORDS))
class CoverageTypeIn(MemberIn):
    """The event insured."""


@extend_schema_field(_either(CHAIN_WORDS))
class ChainIn(MemberIn):
    """Where the asset lives."""


@extend_schema_field(_either(STABLECOIN_WORDS))
class StablecoinIn(MemberIn):
    """The asset."""
