"""Foundations with no framework beneath them: money, ids, errors, time."""
