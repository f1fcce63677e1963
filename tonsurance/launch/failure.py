"""The one way a launch goes wrong: a sentence a person can act on."""

from __future__ import annotations


class LaunchFailed(Exception):
    """Something could not be started. The message is all that is printed: it names the thing and the remedy."""
