"""One file per experiment: data, not code."""
