"""The order books that decisions rested on, kept so that every price paid can be explained later."""

from __future__ import annotations

from django.db import models

from tonsurance.plumbing.columns import PriceField


class BookSnapshot(models.Model):
    """One book as the venue gave it. `bids` and `asks` are [["price", "size"], ...], best first, decimal strings."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey("venues.Instrument", on_delete=models.PROTECT, related_name="books")
    bids = models.JSONField()
    asks = models.JSONField()
    best_bid = PriceField(null=True, blank=True)
    best_ask = PriceField(null=True, blank=True)
    venue_at = models.DateTimeField(help_text="The venue's time stamp.")
    taken_at = models.DateTimeField(help_text="When we received it.")
    book_hash = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        ordering = ["-taken_at"]
        indexes = [models.Index(fields=["instrument", "-taken_at"], name="book_newest")]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.best_bid}/{self.best_ask}"
