"""The book of hedges, table by table."""

from hedging.models.attributions import Attribution, EndedPolicy, HedgePosition, HeldShare
from hedging.models.config import HedgeConfigEntry
from hedging.models.cycles import Cycle, CycleLeg, CycleTarget
from hedging.models.fills import Fill, FillEvent
from hedging.models.intents import Intent, IntentDemand, IntentSlice
from hedging.models.limits import Breaker, BreakerEvent, RiskBucket
from hedging.models.mappings import Mapping, MappingEvent
from hedging.models.orders import Order, OrderAttempt, OrderCancel, OrderEvent
from hedging.models.positions import Position
from hedging.models.reconciliation import Discrepancy, ReconciliationRun

__all__ = [
    "Attribution",
    "Breaker",
    "BreakerEvent",
    "Cycle",
    "CycleLeg",
    "CycleTarget",
    "Discrepancy",
    "EndedPolicy",
    "Fill",
    "FillEvent",
    "HedgeConfigEntry",
    "HedgePosition",
    "HeldShare",
    "Intent",
    "IntentDemand",
    "IntentSlice",
    "Mapping",
    "MappingEvent",
    "Order",
    "OrderAttempt",
    "OrderCancel",
    "OrderEvent",
    "Position",
    "ReconciliationRun",
    "RiskBucket",
]
