"""What is decided about hedges, as pure functions: no database, no clock, no network."""
