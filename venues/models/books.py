"""The order books that decisions rested on, kept so that every price paid can be explained later; and the newest ones.

A snapshot is history. A streamed book is overwritten, about once a second, and worth nothing without its age.
"""

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


class StreamState(models.Model):
    """One line of market data, as its process last said; a process that died is seen by `told_at` growing old."""

    name = models.SlugField(primary_key=True, max_length=60)
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="streams")
    instruments = models.PositiveIntegerField(default=0, help_text="Books that the line carries.")
    sound = models.PositiveIntegerField(default=0, help_text="Of these, books without a doubt.")
    connected_since = models.DateTimeField(null=True, blank=True, help_text="Empty while the line is down.")
    heard_at = models.DateTimeField(
        null=True, blank=True, help_text="Last data, or last agreement with REST."
    )
    told_at = models.DateTimeField(help_text="When the process wrote this row.")
    messages = models.PositiveBigIntegerField(default=0, help_text="With data, since the process began.")
    messages_per_s = models.DecimalField(max_digits=12, decimal_places=1, default=0)
    reconnects = models.PositiveIntegerField(default=0)
    resyncs = models.PositiveIntegerField(default=0, help_text="Books replaced by what REST said.")
    gaps = models.PositiveIntegerField(default=0, help_text="Proven losses on the line.")
    false_alarms = models.PositiveIntegerField(default=0, help_text="Doubts that REST dispelled.")
    error = models.TextField(blank=True, default="", help_text="Why the line was last lost, or is down.")
    process = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        ordering = ["name"]
        verbose_name = "market data line"

    def __str__(self) -> str:
        return self.name


class StreamBook(models.Model):
    """The newest book of one instrument from a stream. Levels as in BookSnapshot; both empty while it is in doubt."""

    instrument = models.OneToOneField(
        "venues.Instrument", primary_key=True, on_delete=models.CASCADE, related_name="streamed"
    )
    stream = models.ForeignKey(
        StreamState, null=True, blank=True, on_delete=models.SET_NULL, related_name="books"
    )
    bids = models.JSONField(default=list)
    asks = models.JSONField(default=list)
    best_bid = PriceField(null=True, blank=True)
    best_ask = PriceField(null=True, blank=True)
    is_sound = models.BooleanField(default=False)
    doubt = models.CharField(
        max_length=120, blank=True, default="", help_text="Why the book is not to be used."
    )
    venue_at = models.DateTimeField(help_text="The venue's time of the last change.")
    received_at = models.DateTimeField(help_text="When we last heard a change, or knew it to be true.")
    book_hash = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        ordering = ["instrument"]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.best_bid}/{self.best_ask}"
