"""Commands of the venues app."""
