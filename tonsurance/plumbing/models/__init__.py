"""Who may call, what was answered, which beat slot ran, and how much of a rate limit is left."""

from tonsurance.plumbing.models.checkups import Checkup
from tonsurance.plumbing.models.keys import ApiKey
from tonsurance.plumbing.models.once import ApiIdempotency, JobSlot
from tonsurance.plumbing.models.rates import RateBucket

__all__ = ["ApiIdempotency", "ApiKey", "Checkup", "JobSlot", "RateBucket"]
