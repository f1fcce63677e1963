"""The 560 products with their rates, on-chain ids and empty exposure; running it again adds nothing."""

from datetime import UTC, datetime

from django.db import migrations

from policies.domain.catalogue import ONCHAIN_IDS, Dimension, all_products
from policies.domain.pricing import BASE_RATES, CHAIN_MULTIPLIERS, COIN_ADDONS, COINS_PUBLISHED


def fill(apps, schema_editor):
    now = datetime.now(UTC)
    Product = apps.get_model("policies", "Product")
    Exposure = apps.get_model("policies", "Exposure")
    OnchainId = apps.get_model("policies", "OnchainId")
    RateFactor = apps.get_model("policies", "RateFactor")
    cells = list(all_products())
    Product.objects.bulk_create(
        [
            Product(
                id=cell.number,
                coverage_type=cell.coverage_type.value,
                chain=cell.chain.value,
                stablecoin=cell.stablecoin.value,
                is_valid=not cell.invalid_reason,
                invalid_reason=cell.invalid_reason,
                life="retired" if cell.invalid_reason else "active",
                base_rate=BASE_RATES[cell.coverage_type],
                changed_at=now,
            )
            for cell in cells
        ],
        ignore_conflicts=True,
    )
    Exposure.objects.bulk_create(
        [Exposure(product_id=cell.number, updated_at=now) for cell in cells], ignore_conflicts=True
    )
    OnchainId.objects.bulk_create(
        [
            OnchainId(dimension=dimension.value, member=member, onchain_id=number)
            for dimension, members in ONCHAIN_IDS.items()
            for member, number in members.items()
        ],
        ignore_conflicts=True,
    )
    RateFactor.objects.bulk_create(
        [
            RateFactor(dimension=Dimension.CHAIN.value, member=chain.value, factor=factor, is_published=True)
            for chain, factor in CHAIN_MULTIPLIERS.items()
        ]
        + [
            RateFactor(
                dimension=Dimension.STABLECOIN.value,
                member=coin.value,
                factor=addon,
                is_published=coin in COINS_PUBLISHED,
            )
            for coin, addon in COIN_ADDONS.items()
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("policies", "0002_rules")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
