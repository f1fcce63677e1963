"""The Django project: wiring, and the foundations that every app stands on.

This file imports nothing: `manage.py` reads the package on a bare Python, before any package is installed.
"""
