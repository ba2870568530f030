"""Three engines that sum the same measures over the case facts: memory (the oracle), DuckDB, Spark."""
