"""The colour of each state: green is well, blue under way, orange worth a look, red needs a person."""

from __future__ import annotations

LIFE = {"active": "green", "draft": "blue", "paused": "orange"}
POLICY = {"active": "green", "scheduled": "blue", "claimed": "red", "cancelled": "orange"}
CLAIM = {"filed": "red", "approved": "orange", "paid": "blue", "settled": "green"}
IMPORT = {"previewed": "orange", "imported": "green"}
VERDICT = {"new": "green", "already there": "blue", "bad": "red"}
