"""A policy's life in the book: sold, activated, cancelled; each step with its event and its change of
exposure.

A sale is one statement (policy, event, exposure delta), so there is no moment at which the book knows a
policy and the exposure does not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import QuerySet

from policies.domain import claims, coverage, pricing
from policies.domain.catalogue import ProductKey
from policies.domain.coverage import EventKind, PolicyStatus, SaleTerms, Trigger
from policies.models import Claim, ExposureDelta, Policy, PolicyEvent, Product
from policies.selectors.exposure import exposure_by_product, scheduled_usd
from policies.selectors.products import product_for_sale, product_key_of, product_rates
from tonsurance.kernel.errors import Conflict, Refused
from tonsurance.plumbing.words import words

_SELL = """
    WITH sold AS (
        INSERT INTO policies_policy (external_id, holder, product_id, coverage_usd, premium_usd, starts_at,
            expires_at, trigger_price, trigger_window_s, status, source, created_at)
        VALUES (%(external_id)s, %(holder)s, %(product_id)s, %(coverage_usd)s, %(premium_usd)s, %(starts_at)s,
            %(expires_at)s, %(trigger_price)s, %(trigger_window_s)s, %(status)s, %(source)s, %(now)s)
        ON CONFLICT (external_id) DO NOTHING
        RETURNING id, product_id, coverage_usd, status
    ), told AS (
        INSERT INTO policies_policyevent (policy_id, kind, at, actor, detail)
        SELECT id, 'sold', %(now)s, %(actor)s, %(detail)s::jsonb FROM sold
    ), counted AS (
        INSERT INTO policies_exposuredelta (product_id, coverage_usd, policies_count)
        SELECT product_id, coverage_usd, 1 FROM sold WHERE status = 'active'
    )
    SELECT id FROM sold
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sale:
    """A sale whose every choice is made."""

    external_id: str
    holder: str
    product: Product
    coverage_usd: Decimal
    premium_usd: Decimal
    starts_at: datetime
    expires_at: datetime
    trigger: Trigger | None
    status: PolicyStatus


def policy_record_sale(
    *,
    external_id: str,
    holder: str,
    coverage_type: str | int,
    chain: str | int,
    stablecoin: str | int,
    coverage_usd: Decimal,
    source: str,
    actor: str,
    now: datetime,
    premium_usd: Decimal | None = None,
    starts_at: datetime | None = None,
    expires_at: datetime | None = None,
    duration_days: int | None = None,
    trigger_price: Decimal | None = None,
    trigger_window_s: int | None = None,
) -> tuple[Policy, bool]:
    """Book a sale; returns the policy and whether it is new.

    Idempotent by `external_id`: the same body again returns the policy that is there, another body raises
    Conflict. `starts_at` defaults to `now`, the end is `expires_at` or `duration_days` later, the premium
    (USD) defaults to the published price and may otherwise be at most 2 % away from it. Raises Refused,
    naming the field, when a rule says no; nothing is changed then.
    """
    _check_names(external_id, holder=holder)
    key = product_key_of(coverage_type=coverage_type, chain=chain, stablecoin=stablecoin)
    stated = SaleTerms(
        holder=holder,
        product_id=key.number,
        coverage_usd=coverage_usd,
        premium_usd=premium_usd,
        starts_at=starts_at,
        expires_at=expires_at,
        duration_days=duration_days,
        trigger_price=trigger_price,
        trigger_window_s=trigger_window_s,
    )
    with transaction.atomic():
        if booked := _booked(external_id, stated=stated):
            return booked, False
        sale = _decide(external_id, key=key, stated=stated, now=now)
        policy_id = _insert(sale, source=source, actor=actor, now=now)
        if policy_id is None:  # somebody else sold it between the look and the insert
            booked = _booked(external_id, stated=stated)
            if booked is None:
                raise Conflict("external_id: this sale is being booked by somebody else; repeat it")
            return booked, False
        return Policy.objects.select_related("product").get(pk=policy_id), True


def policy_cancel(policy_id: int, *, reason: str, actor: str, now: datetime) -> Policy:
    """End a policy before its time. Raises Refused without a reason, on a wrong status or under an open
    claim.
    """
    if not reason.strip():
        raise Refused(
            "reason: a cancellation needs a reason",
            field="reason",
            remedy="say why the policy ends before its time",
        )
    with transaction.atomic():
        policy = policy_lock(policy_id)
        coverage.check_step(PolicyStatus(policy.status), to=PolicyStatus.CANCELLED)
        if Claim.objects.filter(policy=policy, status__in=words(claims.OPEN)).exists():
            raise Refused(
                "policy: a claim on this policy is still open",
                code="claim_open",
                field="policy",
                remedy="pay or reject the claim first",
            )
        policy_end(policy, status=PolicyStatus.CANCELLED, now=now)
        PolicyEvent.objects.create(
            policy=policy, kind=EventKind.CANCELLED.value, at=now, actor=actor, detail={"reason": reason}
        )
    return policy


def policy_lock(policy_id: int) -> Policy:
    """The policy, locked until the transaction ends. Raises Refused when there is none of that id."""
    chosen: QuerySet[Policy] = Policy.objects.select_for_update(of=("self",)).select_related("product")
    policy = chosen.filter(pk=policy_id).first()
    if policy is None:
        raise Refused(
            f"policy: there is no policy {policy_id}",
            code="not_found",
            field="policy",
            remedy="choose a policy of the list",
        )
    return policy


def policy_end(policy: Policy, *, status: PolicyStatus, now: datetime) -> None:
    """Write the end of a locked policy; cover that was in force leaves the exposure with it."""
    was_in_force = policy.status == PolicyStatus.ACTIVE
    policy.status = status.value
    policy.ended_at = policy.ended_at or now
    policy.save(update_fields=["status", "ended_at"])
    if was_in_force:
        ExposureDelta.objects.create(
            product_id=policy.product_id, coverage_usd=-policy.coverage_usd, policies_count=-1
        )


def _check_names(external_id: str, *, holder: str) -> None:
    if not re.fullmatch(coverage.EXTERNAL_ID_PATTERN, external_id):
        raise Refused(
            f"external_id: {external_id!r} is not a name we can keep",
            field="external_id",
            remedy="use 1 to 64 letters, digits and . _ : - beginning with a letter or digit",
        )
    if not holder.strip() or len(holder) > coverage.HOLDER_LENGTH_MAX or not holder.isprintable():
        raise Refused(
            "holder: the policy's holder is missing or cannot be printed",
            field="holder",
            remedy=f"give 1 to {coverage.HOLDER_LENGTH_MAX} printable characters, for instance an address",
        )


def _booked(external_id: str, *, stated: SaleTerms) -> Policy | None:
    """The policy of that name if there is one; raises Conflict when it was sold on other terms."""
    policy = Policy.objects.select_related("product").filter(external_id=external_id).first()
    if policy is None:
        return None
    if differing := coverage.differing_fields(stated, booked=policy.terms):
        raise Conflict(
            f"external_id: {external_id} is already sold with another {', '.join(differing)}",
            code="external_id_taken",
            field="external_id",
            remedy="choose a new external_id for a new sale, or repeat the first body unchanged",
        )
    return policy


def _decide(external_id: str, *, key: ProductKey, stated: SaleTerms, now: datetime) -> _Sale:
    product = product_for_sale(key)
    if product.exposure_usd_max is not None:
        # Sales of a limited product take turns; those of the others never wait for each other.
        product = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    coverage.check_coverage(
        stated.coverage_usd, least=product.coverage_usd_min, most=product.coverage_usd_max
    )
    start, end = coverage.term(
        starts_at=stated.starts_at,
        expires_at=stated.expires_at,
        duration_days=stated.duration_days,
        now=now,
    )
    price = pricing.premium(stated.coverage_usd, rates=product_rates(product), term=end - start)
    if stated.premium_usd is not None:
        pricing.check_premium(stated.premium_usd, quoted_usd=price)
    trigger = coverage.trigger_for(
        key.coverage_type, price=stated.trigger_price, window_s=stated.trigger_window_s
    )
    _check_exposure_limit(product, coverage_usd=stated.coverage_usd)
    return _Sale(
        external_id=external_id,
        holder=stated.holder,
        product=product,
        coverage_usd=stated.coverage_usd,
        premium_usd=price if stated.premium_usd is None else stated.premium_usd,
        starts_at=start,
        expires_at=end,
        trigger=trigger,
        status=PolicyStatus.ACTIVE if start <= now else PolicyStatus.SCHEDULED,
    )


def _check_exposure_limit(product: Product, *, coverage_usd: Decimal) -> None:
    if product.exposure_usd_max is None:
        return
    in_force = exposure_by_product([product.pk]).get(product.pk)
    committed = (in_force.coverage_usd if in_force else Decimal(0)) + scheduled_usd(product.pk)
    if committed + coverage_usd <= product.exposure_usd_max:
        return
    raise Refused(
        f"coverage_usd: {product} has room for {max(product.exposure_usd_max - committed, Decimal(0))} "
        f"US dollars under its limit of {product.exposure_usd_max}",
        code="exposure_limit",
        field="coverage_usd",
        remedy="sell less, or raise the product's exposure limit",
    )


def _insert(sale: _Sale, *, source: str, actor: str, now: datetime) -> int | None:
    detail = {"source": source, "coverage_usd": str(sale.coverage_usd), "premium_usd": str(sale.premium_usd)}
    with connection.cursor() as cursor:
        cursor.execute(
            _SELL,
            {
                "external_id": sale.external_id,
                "holder": sale.holder,
                "product_id": sale.product.pk,
                "coverage_usd": sale.coverage_usd,
                "premium_usd": sale.premium_usd,
                "starts_at": sale.starts_at,
                "expires_at": sale.expires_at,
                "trigger_price": sale.trigger.price if sale.trigger else None,
                "trigger_window_s": sale.trigger.window_s if sale.trigger else None,
                "status": sale.status.value,
                "source": source,
                "actor": actor,
                "now": now,
                "detail": json.dumps(detail),
            },
        )
        row = cursor.fetchone()
    return row[0] if row else None
