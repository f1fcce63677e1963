"""What we promised, as rows; nothing of it is ever deleted."""

from policies.models.claims import Claim
from policies.models.exposure import Exposure, ExposureDelta
from policies.models.imports import PolicyImport
from policies.models.policies import Policy, PolicyEvent
from policies.models.products import OnchainId, Product, RateFactor

__all__ = [
    "Claim",
    "Exposure",
    "ExposureDelta",
    "OnchainId",
    "Policy",
    "PolicyEvent",
    "PolicyImport",
    "Product",
    "RateFactor",
]
