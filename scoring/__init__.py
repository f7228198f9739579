"""What goes out: clip scores, their metrics, thresholds, tables and the report."""
