"""Which instrument offsets which product, on what event it pays, and who agreed to that."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, Q, Value, When

from hedging.domain.mappings import MappingState, Suspension
from tonsurance.plumbing.columns import RatioField
from tonsurance.plumbing.words import words


class Mapping(models.Model):
    """One product hedged by one instrument, or proposed to be.

    `basis_probability` is the chance that the instrument pays given that the policy pays: 1 for the same event, less
    for a proxy. Nothing is bought through a mapping that is not approved, or whose market's wording changed since: the
    plan leaves it out, and the database refuses the intent and the send (migrations/0004_mappings.sql).
    """

    class Grade(models.TextChoices):
        DIRECT = "direct", "Direct: pays on the insured event"
        PROXY = "proxy", "Proxy: pays on a related event"
        NONE = "none", "None: not a hedge"

    class State(models.TextChoices):
        PROPOSED = MappingState.PROPOSED.value, "Proposed: waits for a person"
        APPROVED = MappingState.APPROVED.value, "Approved: traded through"
        SUSPENDED = MappingState.SUSPENDED.value, "Suspended: nothing is bought"
        DECLINED = MappingState.DECLINED.value, "Declined"

    product = models.ForeignKey("policies.Product", on_delete=models.PROTECT, related_name="mappings")
    instrument = models.ForeignKey("venues.Instrument", on_delete=models.PROTECT, related_name="mappings")
    internal_event_id = models.CharField(
        max_length=120,
        blank=True,
        default="",
        help_text="The sister platform's name of the event, where it has one.",
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    is_active = models.GeneratedField(
        expression=Case(When(state="approved", then=Value(True)), default=Value(False)),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    grade = models.CharField(max_length=10, choices=Grade.choices)
    basis_probability = RatioField(
        default=1, help_text="Chance that the instrument pays given that the policy pays; 1 = the same event."
    )
    pays_on = models.TextField(
        blank=True, default="", help_text="The event that the instrument pays on, in one sentence."
    )

    found_at = models.DateTimeField(null=True, blank=True, help_text="When a search last read its market.")
    found_by = models.CharField(
        max_length=200, blank=True, default="", help_text="The search, or the person."
    )
    read_wording_hash = models.CharField(
        max_length=64, blank=True, default="", help_text="The wording that the comparison was made on."
    )
    comparison = models.JSONField(
        default=dict, blank=True, help_text="The market against the policy, line by line, as last compared."
    )

    approved_by = models.CharField(max_length=150, blank=True, default="")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_wording_hash = models.CharField(max_length=64, blank=True, default="")
    suspended_kind = models.CharField(max_length=10, blank=True, default="")
    suspended_reason = models.CharField(max_length=300, blank=True, default="")
    suspended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(
        max_length=300, blank=True, default="", help_text="Of the last change of state."
    )
    changed_by = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["product", "instrument"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "instrument"], name="mapping_one_per_product_and_instrument"
            ),
            models.CheckConstraint(
                condition=Q(basis_probability__gte=0) & Q(basis_probability__lte=1),
                name="mapping_basis_is_a_probability",
            ),
            models.CheckConstraint(condition=Q(state__in=words(MappingState)), name="mapping_state_known"),
            models.CheckConstraint(
                condition=~Q(state="approved")
                | (~Q(approved_by="") & Q(approved_at__isnull=False) & ~Q(approved_wording_hash="")),
                name="mapping_approval_has_a_name",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved")
                | (Q(grade__in=["direct", "proxy"]) & Q(basis_probability__gt=0)),
                name="mapping_approved_is_a_hedge",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="suspended", suspended_kind__in=words(Suspension), suspended_at__isnull=False)
                    & ~Q(suspended_reason="")
                )
                | (
                    ~Q(state="suspended")
                    & Q(suspended_kind="", suspended_reason="", suspended_at__isnull=True)
                ),
                name="mapping_suspension_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="declined") | (~Q(reason="") & ~Q(changed_by="")),
                name="mapping_decline_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} → {self.instrument}"

    @property
    def market_id(self) -> str:
        """The market's number in the venue's catalogue."""
        return self.instrument.market_id

    @property
    def condition_id(self) -> str:
        """The venue's name of the question."""
        return self.instrument.condition_id

    @property
    def token_id(self) -> str:
        """The venue's name of the outcome that is bought."""
        return self.instrument.instrument_id


class MappingEvent(models.Model):
    """Every change of a mapping's state or approval, written by the database itself. Append-only."""

    id = models.BigAutoField(primary_key=True)
    mapping = models.ForeignKey(Mapping, on_delete=models.PROTECT, related_name="events")
    old = models.CharField(max_length=10, blank=True, default="")
    new = models.CharField(max_length=10)
    reason = models.CharField(max_length=300, blank=True, default="")
    who = models.CharField(max_length=150, blank=True, default="")
    at = models.DateTimeField()
    grade = models.CharField(max_length=10)
    basis_probability = RatioField()
    wording_hash = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"
