"""The book of hedges, table by table."""

from hedging.models.attributions import HedgePosition
from hedging.models.config import HedgeConfigEntry
from hedging.models.cycles import Cycle, CycleLeg, CycleTarget
from hedging.models.fills import Fill, FillEvent
from hedging.models.intents import Intent, IntentDemand, IntentSlice
from hedging.models.limits import Breaker, BreakerEvent, RiskBucket
from hedging.models.mappings import Mapping
from hedging.models.orders import Order, OrderAttempt, OrderEvent
from hedging.models.positions import Position
from hedging.models.reconciliation import Discrepancy, ReconciliationRun

__all__ = [
    "Breaker",
    "BreakerEvent",
    "Cycle",
    "CycleLeg",
    "CycleTarget",
    "Discrepancy",
    "Fill",
    "FillEvent",
    "HedgeConfigEntry",
    "HedgePosition",
    "Intent",
    "IntentDemand",
    "IntentSlice",
    "Mapping",
    "Order",
    "OrderAttempt",
    "OrderEvent",
    "Position",
    "ReconciliationRun",
    "RiskBucket",
]
