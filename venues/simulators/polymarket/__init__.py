"""A practice exchange that speaks Polymarket's own wire; `docs/practice-exchange.md` says how to use it.

It is a plain aiohttp program: no Django, no adapter, no production address.
"""
