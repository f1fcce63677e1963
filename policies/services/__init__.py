"""The verbs of promises: each opens its own transaction and takes `now` and `actor`."""
