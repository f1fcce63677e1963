"""The questions that the book of hedges answers."""
