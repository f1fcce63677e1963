"""Adds and retires the contracts that a venue's orders are signed for; each change has a person and a reason.

Running processes read the table again within a minute (`venues/registry.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from django.db import transaction
from eth_utils.address import is_hex_address, to_checksum_address

from tonsurance.kernel.errors import Refused
from venues.domain.exchanges import ExchangeDomain, PositionIds
from venues.models import ExchangeContract
from venues.registry import gateways_forget, signing_for, signing_starts, venues_with_contracts

log = structlog.get_logger(__name__)

SYSTEM = "system"
# The venue's cut-over to signing domain 2 (docs.polymarket.com/v2-migration).
_FIRST_VALID_FROM = datetime(2026, 4, 28, 11, tzinfo=UTC)
_FIRST_ROWS = "the venue's contracts of the day this was installed (docs.polymarket.com/resources/contracts)"


def exchange_add(
    venue_code: str,
    domain: ExchangeDomain,
    *,
    chain_id: int,
    valid_from: datetime,
    actor: str,
    reason: str,
    now: datetime,
    is_unasked_ok: bool = False,
) -> ExchangeContract:
    """Add a contract, after asking it for its own domain.

    Raises Refused for an address that is none or belongs to another chain, for a contract that says something else of
    itself, for one that cannot be asked (unless `is_unasked_ok`), and for a row that is there already.
    """
    _refuse_incomplete(domain, reason=reason)
    if venue_code not in venues_with_contracts():
        raise Refused(f"venue: orders at {venue_code} are not signed for a contract", field="venue")
    contract = str(to_checksum_address(domain.contract))
    others = ExchangeContract.objects.filter(contract__iexact=contract).exclude(chain_id=chain_id)
    if others.exists():
        raise Refused(
            f"contract: {contract} is on chain {others[0].chain_id}; a signature must never be worth "
            "something on two chains",
            field="contract",
        )
    _refuse_contradicted(venue_code, domain, chain_id=chain_id, is_unasked_ok=is_unasked_ok)
    with transaction.atomic():
        same = ExchangeContract.objects.select_for_update().filter(
            venue_id=venue_code,
            chain_id=chain_id,
            domain_version=domain.version,
            neg_risk=domain.neg_risk,
            is_active=True,
        )
        if same.filter(contract__iexact=contract).exists() or same.filter(valid_from=valid_from).exists():
            raise Refused(
                "contract: an active row says the same, or begins at the same moment; retire that one first",
                field="contract",
            )
        row = ExchangeContract.objects.create(
            venue_id=venue_code,
            chain_id=chain_id,
            domain_name=domain.name,
            domain_version=domain.version,
            neg_risk=domain.neg_risk,
            contract=contract,
            position_ids=domain.position_ids.value,
            market_version=domain.market_version,
            valid_from=valid_from,
            added_by=actor,
            added_because=reason[:300],
            added_at=now,
        )
    gateways_forget()
    log.warning("exchange contract added", venue=venue_code, contract=contract, actor=actor, reason=reason)
    return row


def exchange_retire(row_id: int, *, actor: str, reason: str, now: datetime) -> ExchangeContract:
    """Sign nothing more for a contract. Raises Refused without a reason, or when it is retired already."""
    if not reason.strip():
        raise Refused("reason: say why nothing is signed for it any more", field="reason")
    with transaction.atomic():
        row = ExchangeContract.objects.select_for_update().get(pk=row_id)
        if not row.is_active:
            raise Refused(
                f"contract: {row.contract} is retired since {row.retired_at:%Y-%m-%d}", field="contract"
            )
        row.is_active = False
        row.retired_by = actor
        row.retired_because = reason[:300]
        row.retired_at = now
        row.save()
    gateways_forget()
    log.warning("exchange contract retired", contract=row.contract, actor=actor, reason=reason)
    return row


def exchanges_ensure(*, now: datetime) -> None:
    """Write the rows that each venue's adapter starts from, for chains of which the table says nothing yet."""
    for venue_code in sorted(venues_with_contracts()):
        for chain_id, domains in signing_starts(venue_code).items():
            if ExchangeContract.objects.filter(venue_id=venue_code, chain_id=chain_id).exists():
                continue
            ExchangeContract.objects.bulk_create(
                [
                    ExchangeContract(
                        venue_id=venue_code,
                        chain_id=chain_id,
                        domain_name=domain.name,
                        domain_version=domain.version,
                        neg_risk=domain.neg_risk,
                        contract=domain.contract,
                        position_ids=domain.position_ids.value,
                        market_version=domain.market_version,
                        valid_from=_FIRST_VALID_FROM,
                        added_by=SYSTEM,
                        added_because=_FIRST_ROWS,
                        added_at=now,
                    )
                    for domain in domains
                ],
                ignore_conflicts=True,
            )


def _refuse_incomplete(domain: ExchangeDomain, *, reason: str) -> None:
    if not reason.strip():
        raise Refused("reason: say where the venue announces this contract", field="reason")
    if not is_hex_address(domain.contract):
        raise Refused("contract: must be an address, 0x and 40 hexadecimal digits", field="contract")
    for field, text in (
        ("domain_version", domain.version),
        ("domain_name", domain.name),
        ("market_version", domain.market_version),
    ):
        if not text.strip() or text != text.strip():
            raise Refused(f"{field}: must not be empty or begin or end with a space", field=field)
    if domain.position_ids not in PositionIds:
        raise Refused(f"position_ids: must be one of {', '.join(PositionIds)}", field="position_ids")


def _refuse_contradicted(
    venue_code: str, domain: ExchangeDomain, *, chain_id: int, is_unasked_ok: bool
) -> None:
    gateway = signing_for(venue_code)
    if gateway.chain_id == chain_id:
        (finding,) = gateway.check_domains([domain])
        if finding.is_right:
            return
        if finding.is_right is False:
            raise Refused(f"contract: {finding.message}", field="contract")
        doubt = finding.message
    else:
        doubt = f"this installation trades on chain {gateway.chain_id} and cannot ask chain {chain_id}"
    if not is_unasked_ok:
        raise Refused(
            f"contract: {doubt}; compare it with the venue's documentation and say so to add it unasked",
            field="is_unasked_ok",
        )
