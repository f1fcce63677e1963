"""The admin's side bar: the day's work from top to bottom, promises first, then the book, then the machinery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

_SECTIONS: list[tuple[str, list[tuple[str, str, str]]]] = [
    (
        "Promises",
        [
            ("Products", "category", "admin:policies_product_changelist"),
            ("Policies", "contract", "admin:policies_policy_changelist"),
            ("Claims", "gavel", "admin:policies_claim_changelist"),
            ("Exposure", "stacked_bar_chart", "admin:policies_exposure_changelist"),
            ("Imports", "upload_file", "admin:policies_policyimport_changelist"),
        ],
    ),
    (
        "Hedging",
        [
            ("Cycles", "autorenew", "admin:hedging_cycle_changelist"),
            ("Intents", "flag", "admin:hedging_intent_changelist"),
            ("Orders", "receipt_long", "admin:hedging_order_changelist"),
            ("Fills", "task_alt", "admin:hedging_fill_changelist"),
            ("Positions", "account_balance_wallet", "admin:hedging_position_changelist"),
            ("Hedge positions", "shield", "admin:hedging_hedgeposition_changelist"),
        ],
    ),
    (
        "Markets",
        [
            ("Mappings", "swap_horiz", "admin:hedging_mapping_changelist"),
            ("Instruments", "candlestick_chart", "admin:venues_instrument_changelist"),
            ("Market data", "sensors", "admin:venues_streamstate_changelist"),
            ("Venues", "storefront", "admin:venues_venue_changelist"),
            ("Balances", "payments", "admin:venues_balancesnapshot_changelist"),
            ("Wallet jobs", "account_balance", "admin:venues_walletjob_changelist"),
            ("Exchange contracts", "draw", "admin:venues_exchangecontract_changelist"),
        ],
    ),
    (
        "Safety",
        [
            ("Health", "monitor_heart", "admin:plumbing_checkup_changelist"),
            ("Configuration", "tune", "admin:hedging_hedgeconfigentry_changelist"),
            ("Breakers", "power_settings_new", "admin:hedging_breaker_changelist"),
            ("Limits", "speed", "admin:hedging_riskbucket_changelist"),
            ("Reconciliation", "fact_check", "admin:hedging_reconciliationrun_changelist"),
            ("Discrepancies", "difference", "admin:hedging_discrepancy_changelist"),
        ],
    ),
    (
        "Access",
        [
            ("Users", "person", "admin:auth_user_changelist"),
            ("API keys", "key", "admin:plumbing_apikey_changelist"),
        ],
    ),
]


def sidebar(_request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's navigation structure with resolved links."""
    return [
        {
            "title": title,
            "separator": True,
            "items": [
                {"title": name, "icon": icon, "link": reverse(target), "permission": _may_view(target)}
                for name, icon, target in rows
            ],
        }
        for title, rows in _SECTIONS
    ]


def _may_view(target: str) -> Callable[[HttpRequest], bool]:
    """Whether a person may open `admin:<app>_<model>_changelist`; nobody is shown a door that is shut."""
    app, model, _ = target.removeprefix("admin:").split("_")
    return lambda request: request.user.has_perm(f"{app}.view_{model}")
