"""Starts things: the packages, the embedded servers, the tests and the demo.

Everything here that runs before `.venv` exists uses the standard library alone.
"""
