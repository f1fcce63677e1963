"""What happens by the clock. Two beats, or none, change nothing but seconds: slots are claimed in PostgreSQL."""

from __future__ import annotations

SCHEDULE = {
    # The founding document's loop: every five minutes; a sale rings the same bell at once.
    "orchestrate": {"task": "hedging.orchestrate", "schedule": 300.0, "args": ["beat"]},
    "expire-policies": {"task": "policies.expire", "schedule": 60.0},
    "watch-orders": {"task": "hedging.watch_orders", "schedule": 10.0},
    "watch-settlements": {"task": "hedging.watch_settlements", "schedule": 15.0},
    "refresh-instruments": {"task": "venues.refresh_instruments", "schedule": 300.0},
    # The stream rings this as soon as a price moves; beat makes sure that it is not forgotten.
    "watch-prices": {"task": "hedging.watch_prices", "schedule": 15.0},
    "watch-mappings": {"task": "hedging.watch_mappings", "schedule": 60.0},
    # Rung every hour, done once a day: a beat that was down at the hour is not a day without a search.
    "find-markets": {"task": "hedging.find_markets", "schedule": 3600.0},
    "watch-resolutions": {"task": "hedging.watch_resolutions", "schedule": 60.0},
    "watch-account": {"task": "hedging.watch_account", "schedule": 300.0},
    "wallet-jobs": {"task": "hedging.wallet_jobs", "schedule": 10.0},
    "reconcile": {"task": "hedging.reconcile", "schedule": 60.0},
}
