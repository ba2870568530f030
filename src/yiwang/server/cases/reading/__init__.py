"""Questions about cases. Nothing here writes."""
