"""A practice desk finds its own markets and has them approved by a person of the demo, once."""

from __future__ import annotations

import pytest

from hedging.models import Mapping
from hedging.services.seeding import practice_mappings_ensure
from policies.selectors.products import products_insurable
from tests.desk import Desk
from tonsurance.kernel.clock import utc_now

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_product_that_has_a_market_is_mapped_and_approved_as_it_was_proposed(desk: Desk) -> None:
    made = practice_mappings_ensure(actor="demo", now=utc_now())

    assert (
        made
        == Mapping.objects.filter(state="approved", approved_by="demo").count()
        == Mapping.objects.count()
    )
    unmapped = {product.pk for product in products_insurable()} - set(
        Mapping.objects.values_list("product_id", flat=True)
    )
    # Nobody offers a market on USDP; everything else has one.
    assert {product.stablecoin for product in products_insurable() if product.pk in unmapped} == {"USDP"}
    assert len(unmapped) == 8
    for row in Mapping.objects.select_related("instrument"):
        assert row.approved_wording_hash == row.instrument.wording_hash
        assert (str(row.basis_probability.normalize()), row.grade) == (
            row.comparison["basis_probability"].replace("1.00", "1"),
            row.comparison["grade"],
        )


def test_seeding_again_maps_nothing_anew(desk: Desk) -> None:
    practice_mappings_ensure(actor="demo", now=utc_now())
    before = list(Mapping.objects.order_by("pk").values())
    assert practice_mappings_ensure(actor="demo", now=utc_now()) == 0
    assert list(Mapping.objects.order_by("pk").values()) == before
