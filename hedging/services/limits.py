"""Sets the caps that the send gate enforces. Lowering one below what is at risk stops purchases and sells nothing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import structlog
from django.db import transaction

from hedging.models import RiskBucket
from tonsurance.kernel.errors import Refused

log = structlog.get_logger(__name__)

CAP_USD_MAX = Decimal(1_000_000_000)


def limit_set(code: str, *, cap_usd: Decimal, actor: str, reason: str, now: datetime) -> RiskBucket:
    """Set the cap of `code` (`global` or `venue:<code>`). Raises Refused when one of them is bad."""
    if not reason.strip():
        raise Refused("reason: say why the cap is changed", field="reason")
    if not cap_usd.is_finite() or not 0 <= cap_usd <= CAP_USD_MAX:
        raise Refused(f"cap_usd: give US dollars from 0 to {CAP_USD_MAX:,}, not {cap_usd}", field="cap_usd")
    with transaction.atomic():
        row = RiskBucket.objects.select_for_update().filter(pk=code).first()
        if row is None:
            raise Refused(f"code: there is no limit {code!r}", field="code")
        row.cap_usd, row.changed_by, row.reason = cap_usd, actor[:150], reason.strip()[:300]
        row.save()
    log.warning(
        "limit changed", code=code, cap_usd=str(cap_usd), actor=actor, reason=reason, at=now.isoformat()
    )
    return row
