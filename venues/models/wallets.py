"""Our account at a venue as last read, and what its wallet did on the chain by a person's order."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from tonsurance.kernel.ids import time_ordered_uuid
from tonsurance.plumbing.columns import MoneyField
from venues.domain.accounts import ActKind


class AccountStanding(models.Model):
    """What was found out about our account: one row for as long as nothing changed. The newest is current."""

    id = models.BigAutoField(primary_key=True)
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="standings")
    first_read_at = models.DateTimeField()
    checked_at = models.DateTimeField(help_text="When it was last found to be so.")
    wallet = models.CharField(max_length=60, blank=True, default="")
    signer = models.CharField(max_length=60, blank=True, default="")
    signature_type = models.PositiveSmallIntegerField(default=0)
    is_geoblocked = models.BooleanField(null=True)
    place = models.CharField(
        max_length=60, blank=True, default="", help_text="Where the venue thinks we are."
    )
    is_closed_only = models.BooleanField(null=True)
    is_banned = models.BooleanField(null=True)
    is_key_valid = models.BooleanField(null=True)
    is_wallet_ours = models.BooleanField(null=True)
    opening_refusal = models.CharField(max_length=200, blank=True, default="")
    faults = models.JSONField(default=list, help_text="What a person should put right, a sentence each.")
    unread = models.JSONField(default=list, help_text="What could not be asked, and why.")
    approvals = models.JSONField(default=list)
    # These move with every trade and every second; they are kept current on the newest row.
    balances = models.JSONField(default=dict)
    seen_usd = MoneyField(null=True, help_text="Money as the order book sees it.")
    clock_offset_s = models.DecimalField(max_digits=12, decimal_places=3, null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["venue", "-id"], name="standing_newest")]

    def __str__(self) -> str:
        return self.opening_refusal or "; ".join(self.faults) or "in order"


class WalletJob(models.Model):
    """One act of the wallet that a person ordered: its calls, then its signed bytes, then what became of them.

    The rules of its life are triggers, as those of orders: bytes are signed once and never change, and one job of a
    wallet is on its way at a time.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "Waiting for its turn"
        PREPARED = "PREPARED", "Signed, not sent"
        SENDING = "SENDING", "Sending"
        UNKNOWN = "UNKNOWN", "On its way"
        DONE = "DONE", "Done"
        FAILED = "FAILED", "Failed on the chain"
        REJECTED = "REJECTED", "Refused"
        VOID = "VOID", "Void: can never take effect"
        ABORTED = "ABORTED", "Never sent"

    id: models.UUIDField[uuid.UUID, uuid.UUID] = models.UUIDField(
        primary_key=True, default=time_ordered_uuid, editable=False
    )
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="wallet_jobs")
    kind = models.CharField(
        max_length=10, choices=[(kind.value, kind.value.capitalize()) for kind in ActKind]
    )
    title = models.CharField(max_length=200)
    lines = models.JSONField(help_text="Contract, function and values, for people.")
    calls = models.JSONField(help_text="[[contract, call data], ...]")
    amount_usd = MoneyField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    name = models.CharField(
        max_length=80, blank=True, default="", help_text="Of the signed bytes, known in advance."
    )
    payload = models.BinaryField(default=b"")
    relay_id = models.CharField(max_length=80, blank=True, default="")
    transaction_hash = models.CharField(max_length=80, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    fence_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True, default="")
    requested_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "WAITING",
                        "PREPARED",
                        "SENDING",
                        "UNKNOWN",
                        "DONE",
                        "FAILED",
                        "REJECTED",
                        "VOID",
                        "ABORTED",
                    ]
                ),
                name="walletjob_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(requested_by=""), name="walletjob_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["WAITING", "ABORTED"]) | ~Q(name=""),
                name="walletjob_named_when_signed",
            ),
            models.UniqueConstraint(
                fields=["venue"],
                condition=Q(state__in=["PREPARED", "SENDING", "UNKNOWN"]),
                name="walletjob_one_on_its_way",
            ),
            models.UniqueConstraint(
                fields=["name"], condition=~Q(name=""), name="walletjob_bytes_never_reused"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class WalletJobEvent(models.Model):
    """Every change of a job's state, written by the database itself. Append-only."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(WalletJob, on_delete=models.PROTECT, related_name="events")
    old = models.CharField(max_length=10, blank=True, default="")
    new = models.CharField(max_length=10)
    outcome = models.CharField(max_length=300, blank=True, default="")
    who = models.CharField(max_length=120, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.old or '–'} → {self.new}"
