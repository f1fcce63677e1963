"""Pages of the book: rows are looked at here and changed by named verbs only."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin

from tonsurance.plumbing.counts import CappedPaginator


class ReadOnlyAdmin(ModelAdmin):
    """No adding, changing or deleting by form; verbs are buttons (tonsurance/plumbing/verbs.py)."""

    show_full_result_count = False
    list_per_page = 50
    paginator = CappedPaginator
    list_fullwidth = True
    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # Verbs ask for the model's own permissions by these names. Written as `app.codename` on the button, the
    # skin would look the permission up in the database when the project is checked, which no empty database
    # survives.

    def has_verb_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may change rows of this model, by any verb."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def has_make_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may make rows of this model."""
        return request.user.has_perm(f"{self.opts.app_label}.add_{self.opts.model_name}")
