"""Policies as other departments need them: one by its name, and the weights of all that are in force."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from policies.domain.coverage import EXTERNAL_ID_PATTERN
from policies.models import Policy
from tonsurance.kernel.errors import Refused

# The database packs 16 bytes a policy and the client copies them: 25 ms of client time per million policies,
# against 2.5 s when rows become Python objects. Chunks by id keep one value far below PostgreSQL's limit of 1
# GB.
_CHUNK = 1 << 20
_WEIGHTS = """
    SELECT product_id,
        string_agg(int8send(id) || int8send((coverage_usd * 1000000)::bigint), ''::bytea)
    FROM policies_policy
    WHERE product_id = ANY(%(products)s) AND (status = 'active' OR id = ANY(%(also)s))
    GROUP BY product_id, id / %(chunk)s
"""
_PAIR = np.dtype([("id", ">i8"), ("coverage_micro", ">i8")])


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Policies in force, ordered by id: their ids, products, and coverage in micro-dollars; three equal
    lengths.
    """

    ids: NDArray[np.int64]
    product_ids: NDArray[np.int16]
    coverage_micro: NDArray[np.int64]


def policies_in_force_weights(product_ids: Collection[int], *, also: Collection[int] = ()) -> Weights:
    """Every active policy of `product_ids`, in one query, for exact attribution.

    `also`: ids of policies that are counted although they have ended.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WEIGHTS, {"products": list(product_ids), "also": list(also), "chunk": _CHUNK})
        chunks = [
            (product_id, np.frombuffer(packed, dtype=_PAIR)) for product_id, packed in cursor.fetchall()
        ]
    count = sum(len(pairs) for _, pairs in chunks)
    ids = np.empty(count, dtype=np.int64)
    products = np.empty(count, dtype=np.int16)
    coverage = np.empty(count, dtype=np.int64)
    at = 0
    for product_id, pairs in chunks:
        part = slice(at, at + len(pairs))
        ids[part] = pairs["id"]
        coverage[part] = pairs["coverage_micro"]
        products[part] = product_id
        at += len(pairs)
    order = np.argsort(ids)
    return Weights(ids=ids[order], product_ids=products[order], coverage_micro=coverage[order])


def policy_of(policy_id: int) -> Policy:
    """The policy with its product, by our own id. Raises Refused when there is none."""
    policy = Policy.objects.select_related("product").filter(pk=policy_id).first()
    if policy is None:
        raise Refused(f"policy_id: there is no policy {policy_id}", code="not_found", field="policy_id")
    return policy


def policy_get(external_id: str) -> Policy:
    """The policy with its product. Raises Refused when there is none of that name."""
    is_a_name = re.fullmatch(EXTERNAL_ID_PATTERN, external_id) is not None
    named = Policy.objects.select_related("product").filter(external_id=external_id)
    policy = named.first() if is_a_name else None
    if policy is None:
        raise Refused(
            f"external_id: no policy is called {external_id!r}",
            code="not_found",
            field="external_id",
            remedy="check the name, or list the policies",
        )
    return policy
