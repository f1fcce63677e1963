"""The book: what we decided, sent, hold and earned."""
