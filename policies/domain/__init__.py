"""The arithmetic of promises, with no database and no clock."""
