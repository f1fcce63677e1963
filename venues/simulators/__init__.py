"""Practice exchanges: each speaks one venue's own wire and none is ever production."""
