"""Where we can trade and what the venue says."""
