"""Floor 8: a result becomes something to look at."""
