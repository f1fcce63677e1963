"""How a person changes the book: a named verb, asked for on a page of its own, with a reason and the person's
name.

The page is shown on GET and changes nothing. POST checks the form and calls one service; what the service
refuses is shown on the same page, and the row is as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from tonsurance.kernel.errors import Broken, TonsuranceError


class ReasonForm(forms.Form):
    """Why. Stored beside the change."""

    reason = forms.CharField(
        max_length=300,
        min_length=5,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept with your name beside the change. At least five characters.",
    )

    def clean_reason(self) -> str:
        return str(self.cleaned_data["reason"]).strip()


class NoQuestions(forms.Form):
    """For verbs that only ask somebody else and change nothing by themselves."""


def actor_of(request: HttpRequest) -> str:
    """The person's name in the book."""
    return request.user.get_username()


def row_of(model_admin: Any, request: HttpRequest, object_id: str) -> Any:
    """The row that the page is about. Raises Http404 when there is none that this person may see."""
    row = model_admin.get_object(request, unquote(object_id))
    if row is None or not model_admin.has_view_permission(request, row):
        raise Http404(f"no {model_admin.opts.verbose_name} {object_id!r}")
    return row


def ask_and_do(
    model_admin: Any,
    request: HttpRequest,
    row: Any,
    *,
    title: str,
    sentence: str,
    act: Callable[[dict[str, Any]], str],
    form_class: type[forms.Form] = ReasonForm,
    initial: dict[str, Any] | None = None,
    button: str = "Confirm",
    is_dangerous: bool = False,
    facts: str = "",
) -> HttpResponse:
    """One verb: ask on GET, do on POST. `act` gets the cleaned form, calls one service and returns what was
    done.

    `row` may be None for a verb of the whole list; `facts` is safe HTML shown above the form.
    """
    opts = model_admin.opts
    back = _address(opts, row)
    form = form_class(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            done = act(form.cleaned_data)
        except Broken:
            raise
        except TonsuranceError as refusal:
            field = refusal.field if refusal.field in form.fields else None
            form.add_error(field, f"{refusal.message} {refusal.remedy}".strip())
        else:
            messages.success(request, done)
            return HttpResponseRedirect(back)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "sentence": sentence,
        "facts": facts,
        "form": form,
        "button": button,
        "is_dangerous": is_dangerous,
        "back": back,
        "opts": opts,
        "original": row,
    }
    return TemplateResponse(
        request, "admin/verb.html", context, status=200 if request.method == "GET" else 400
    )


def _address(opts: Any, row: Any) -> str:
    if row is None:
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[quote(row.pk)])
