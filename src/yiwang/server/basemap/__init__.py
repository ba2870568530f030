"""The base map under a city's regions: vector tiles made once from the pack's layers, kept in one archive for each city."""
