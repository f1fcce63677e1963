"""What we say to a venue: identity and bytes frozen before anybody sends them, every send on record.

The rules that money depends on are triggers and constraints of the database (`migrations/0002_rules.py`), so that no
release, shell or script can break them.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from hedging.domain.orders import ADOPTED, DUST, LIVE, OrderStatus
from tonsurance.kernel.ids import time_ordered_uuid
from tonsurance.plumbing.columns import MoneyField, PriceField, SizeField

_STATES = [status.value for status in OrderStatus]
LIVE_STATES = [status.value for status in OrderStatus if status in LIVE]
IN_FLIGHT_STATES = ["PREPARED", "SENDING", "UNKNOWN", "ACKED", "PARTIAL"]
_CHOICES = [(status.value, status.value.replace("_", " ").capitalize()) for status in OrderStatus]


class Order(models.Model):
    """One signed order. Generation n+1 of an intent may exist only when generation n is provably dead."""

    id: models.UUIDField[uuid.UUID, uuid.UUID] = models.UUIDField(
        primary_key=True, default=time_ordered_uuid, editable=False
    )
    intent = models.ForeignKey("hedging.Intent", on_delete=models.PROTECT, related_name="orders")
    generation = models.PositiveIntegerField()
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="+")
    instrument = models.ForeignKey("venues.Instrument", on_delete=models.PROTECT, related_name="orders")
    client_order_id = models.CharField(
        max_length=80, help_text="The venue's own name of the order, known in advance."
    )
    salt = models.BigIntegerField(null=True)
    payload = models.BinaryField()
    payload_sha = models.BinaryField(max_length=32)
    side = models.CharField(max_length=4)
    time_in_force = models.CharField(max_length=4)
    size = SizeField()
    notional_usd = MoneyField()
    price_limit = PriceField()
    fee_usd_max = MoneyField(default=0, help_text="The most that the venue may charge on top.")
    spends_budget = models.BooleanField(
        help_text="Capped by money (a taking BUY on Polymarket), not by units."
    )
    is_reducing = models.BooleanField(help_text="Makes the position smaller.")
    resend_allowed = models.BooleanField(help_text="The venue deduplicates identical bytes.")
    state = models.CharField(max_length=10, choices=_CHOICES, default=OrderStatus.PREPARED)
    post_only = models.BooleanField(default=False, help_text="The venue refuses it rather than let it take.")
    expires_at = models.DateTimeField(null=True, help_text="A resting order ends by itself at this moment.")
    fence_at = models.DateTimeField(null=True, help_text="The venue itself refuses these bytes afterwards.")
    attempts = models.PositiveIntegerField(default=0)
    absent_proofs = models.PositiveIntegerField(default=0)
    last_absent_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField()
    checks = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    acked_at = models.DateTimeField(null=True)
    venue_order_id = models.CharField(max_length=80, blank=True, default="")
    reported_size = SizeField(null=True, help_text="Units that the venue says have matched.")
    filled_size = SizeField(default=0)
    filled_usd = MoneyField(default=0)
    fee_usd = MoneyField(default=0)
    reason = models.CharField(max_length=300, blank=True, default="")
    version = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["venue", "client_order_id"], name="order_wire_id_never_reused"),
            models.UniqueConstraint(fields=["intent", "generation"], name="order_one_per_generation"),
            models.UniqueConstraint(
                fields=["salt"], condition=Q(salt__isnull=False), name="order_salt_never_reused"
            ),
            models.UniqueConstraint(
                fields=["intent"], condition=Q(state__in=LIVE_STATES), name="order_one_live_per_intent"
            ),
            models.CheckConstraint(condition=Q(state__in=_STATES), name="order_state_known"),
            models.CheckConstraint(condition=Q(side__in=["BUY", "SELL"]), name="order_side_known"),
            models.CheckConstraint(
                condition=Q(salt__isnull=True) | Q(salt__gte=1, salt__lte=9007199254740991),
                name="order_salt_json_safe",
            ),
            models.CheckConstraint(condition=Q(size__gt=0), name="order_size_positive"),
            models.CheckConstraint(
                condition=Q(notional_usd__gt=0) | Q(notional_usd=0, time_in_force="TX"),
                name="order_notional_positive",
            ),
            # One wallet counts its transactions: two in flight could carry the same number.
            models.UniqueConstraint(
                fields=["venue"],
                condition=~Q(client_order_id__startswith=ADOPTED)
                & Q(state__in=IN_FLIGHT_STATES, time_in_force="TX"),
                name="order_one_transaction_in_flight",
            ),
            models.CheckConstraint(
                # A dead order that shows life ends by a person's word, even one that was never sent.
                # A redemption that others sent is known to the venue without a send of ours.
                condition=Q(state__in=["PREPARED", "ABORTED", "MANUAL", "FILLED", "CANCELLED"])
                | Q(attempts__gte=1)
                | Q(client_order_id__startswith=ADOPTED, state="ACKED"),
                name="order_sent_has_attempt",
            ),
            models.CheckConstraint(
                condition=Q(resend_allowed=True) | Q(attempts__lte=1),
                name="order_sent_once_unless_deduplicated",
            ),
            models.CheckConstraint(
                condition=Q(resend_allowed=True)
                | Q(state__in=["PREPARED", "ABORTED"])
                | Q(fence_at__isnull=False),
                name="order_without_dedup_needs_fence",
            ),
            models.CheckConstraint(
                condition=Q(time_in_force="GTD", expires_at__isnull=False)
                | (~Q(time_in_force="GTD") & Q(expires_at__isnull=True, post_only=False)),
                name="order_resting_expires",
            ),
            models.CheckConstraint(condition=~Q(time_in_force="GTC"), name="order_never_rests_for_ever"),
            models.CheckConstraint(
                condition=~Q(state="NOT_PLACED") | Q(absent_proofs__gte=2), name="order_absence_proven_twice"
            ),
            models.CheckConstraint(
                condition=Q(spends_budget=True, filled_usd__lte=F("notional_usd") + DUST)
                | Q(spends_budget=False, filled_size__lte=F("size") + DUST),
                name="order_not_overfilled",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["REJECTED", "NOT_PLACED", "ABORTED"]) | Q(filled_size=0),
                name="order_dead_has_no_fill",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                condition=Q(state__in=["PREPARED", "SENDING", "UNKNOWN", "ACKED", "PARTIAL"]),
                name="order_due",
            ),
            models.Index(fields=["instrument", "state"], name="order_by_instrument"),
            # What the send gate adds up for every order that is sent.
            models.Index(
                fields=["venue"],
                include=["notional_usd", "fee_usd_max"],
                condition=Q(side="BUY", state__in=["SENDING", "UNKNOWN", "MANUAL", "ACKED", "PARTIAL"]),
                name="order_at_risk",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.size.normalize():f} · {self.client_order_id[:12]}…"


class OrderAttempt(models.Model):
    """Each time bytes may have touched the wire. Written before the socket, finished after the answer."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="attempt_rows")
    attempt_no = models.PositiveIntegerField()
    payload_sha = models.BinaryField(max_length=32)
    worker = models.CharField(max_length=120)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, blank=True, default="")
    code = models.CharField(max_length=80, blank=True, default="")
    http_status = models.PositiveIntegerField(null=True)
    detail = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["order", "attempt_no"]
        constraints = [
            models.UniqueConstraint(fields=["order", "attempt_no"], name="attempt_one_per_number"),
            models.CheckConstraint(condition=Q(attempt_no__gte=1), name="attempt_number_positive"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.attempt_no}: {self.outcome or 'no answer yet'}"


class OrderCancel(models.Model):
    """Each time a venue was asked to cancel an order: by whom, why, and its answer. Never the end by itself.

    Written before the request leaves, finished by the answer. Whatever that is, a look-up says what became of it.
    """

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="cancels")
    requested_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    requested_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    is_cancelled = models.BooleanField(
        null=True, help_text="The venue said so; empty when it did not answer."
    )
    answer = models.CharField(max_length=300, blank=True, default="", help_text="The venue's words.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(requested_by=""), name="ordercancel_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"cancel of {self.order_id}: {self.answer or 'no answer yet'}"


class OrderEvent(models.Model):
    """Every change of an order's state, written by the database itself. Append-only."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events")
    old = models.CharField(max_length=10, null=True)
    new = models.CharField(max_length=10)
    at = models.DateTimeField()
    who = models.CharField(max_length=120, blank=True, default="")
    reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.old or '–'} → {self.new}"
