"""Reads, thinks, writes: each service owns its transactions, and none is open while a venue is spoken to."""
