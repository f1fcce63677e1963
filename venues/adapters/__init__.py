"""One folder per venue we trade on, each with the same file names; only `venues/registry.py` looks inside."""
