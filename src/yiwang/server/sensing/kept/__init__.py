"""Observations of past days: moved into Parquet, read there, and let go when the rule says so."""
