"""Writes of what venues said."""
