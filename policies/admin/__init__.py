"""The promises' pages for people; importing this package registers them."""

from policies.admin import claims, exposure, imports, policies, products

__all__ = ["claims", "exposure", "imports", "policies", "products"]
