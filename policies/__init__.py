"""What we promised: products, policies, claims and the exposure they add up to."""
