"""Where the rooms meet: one command that prepares, trains, scores and reports."""
