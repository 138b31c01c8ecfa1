"""A pocket cloud: the whole deployed stack on one machine."""
