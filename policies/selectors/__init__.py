"""The questions that the book of promises answers."""
