"""Reads of venues and instruments."""
