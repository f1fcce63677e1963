"""Products as they are sold: found by their members or on-chain ids, with the rates that price them."""

from __future__ import annotations

from collections.abc import Iterable

from policies.domain.catalogue import Chain, CoverageType, Dimension, ProductKey, ProductLife, Stablecoin
from policies.domain.pricing import Rates
from policies.models import OnchainId, Product, RateFactor
from tonsurance.kernel.errors import Refused

_WORDS: dict[Dimension, type[CoverageType] | type[Chain] | type[Stablecoin]] = {
    Dimension.COVERAGE_TYPE: CoverageType,
    Dimension.CHAIN: Chain,
    Dimension.STABLECOIN: Stablecoin,
}


def product_key_of(*, coverage_type: str | int, chain: str | int, stablecoin: str | int) -> ProductKey:
    """The cell that three words or on-chain ids name. Raises Refused naming the field that names nothing."""
    named: dict[Dimension, str | int] = {
        Dimension.COVERAGE_TYPE: coverage_type,
        Dimension.CHAIN: chain,
        Dimension.STABLECOIN: stablecoin,
    }
    by_number: dict[tuple[str, int], str] = {}
    if any(isinstance(name, int) for name in named.values()):
        rows = OnchainId.objects.values_list("dimension", "onchain_id", "member")
        by_number = {(dimension, number): member for dimension, number, member in rows}
    words = {
        dimension: by_number.get((dimension.value, name), "") if isinstance(name, int) else name
        for dimension, name in named.items()
    }
    for dimension, word in words.items():
        if word not in {member.value for member in _WORDS[dimension]}:
            raise _unknown_member(dimension, named[dimension])
    return ProductKey(
        coverage_type=CoverageType(words[Dimension.COVERAGE_TYPE]),
        chain=Chain(words[Dimension.CHAIN]),
        stablecoin=Stablecoin(words[Dimension.STABLECOIN]),
    )


def product_for_sale(key: ProductKey) -> Product:
    """The product's row. Raises Refused for a combination that is not insurable, and for one that is not sold
    now.
    """
    if key.invalid_reason:
        raise Refused(
            f"coverage_type: {key} is not insurable: {key.invalid_reason}",
            code="invalid_combination",
            field="coverage_type",
            remedy="choose another chain or coverage type; GET /api/v2/products lists the valid ones",
        )
    product = Product.objects.get(pk=key.number)
    if product.life != ProductLife.ACTIVE:
        raise Refused(
            f"coverage_type: {key} is {product.life} and not sold now",
            code="product_not_sold",
            field="coverage_type",
            remedy="choose a product whose life is active",
        )
    return product


def products_of(product_ids: Iterable[int]) -> list[Product]:
    """The products with these numbers, ordered by number, in one query."""
    return list(Product.objects.filter(pk__in=list(product_ids)).order_by("pk"))


def products_insurable() -> list[Product]:
    """Every product that may be sold at all, ordered by number."""
    return list(Product.objects.filter(is_valid=True).order_by("pk"))


def product_rates(product: Product) -> Rates:
    """The three factors of `product`'s price as underwriters have them now, in one query."""
    factors = {
        (row.dimension, row.member): row.factor
        for row in RateFactor.objects.filter(member__in=[product.chain, product.stablecoin])
    }
    return Rates(
        base_rate=product.base_rate,
        chain_multiplier=factors[Dimension.CHAIN.value, product.chain],
        coin_addon=factors[Dimension.STABLECOIN.value, product.stablecoin],
    )


def _unknown_member(dimension: Dimension, name: str | int) -> Refused:
    known = ", ".join(member.value for member in _WORDS[dimension])
    return Refused(
        f"{dimension.value}: {name!r} is not one of ours",
        code="unknown_member",
        field=dimension.value,
        remedy=f"use one of {known}, or the on-chain id",
    )
