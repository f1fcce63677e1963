"""The addresses of the markets' API, below /api/v2/."""

from __future__ import annotations

from django.urls import path

from venues.api.venues import VenueList

urlpatterns = [path("venues", VenueList.as_view(), name="venues")]
