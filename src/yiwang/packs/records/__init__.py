"""A city's own file of past requests: what its columns and words mean, its rows as typed records, duplicates, flags."""
