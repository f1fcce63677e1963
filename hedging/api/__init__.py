"""The book's doors for machines: all of them only look."""
