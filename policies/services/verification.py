"""What must hold of the promises at every moment; each violation is a sentence, an empty list is good
news.
"""

from __future__ import annotations

from policies.domain.exposure import differences
from policies.selectors.exposure import exposure_kept_and_scanned


def verify_exposure() -> list[str]:
    """Kept exposure equals the grouped scan of the policies in force, to the micro-dollar."""
    kept, scanned = exposure_kept_and_scanned()
    return differences(kept, scanned=scanned)
