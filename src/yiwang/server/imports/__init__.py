"""Whole lives of cases written in bulk: a city's own records replayed, and how far the platform agrees with them."""
