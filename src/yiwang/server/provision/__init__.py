"""Installing packs and bringing cities to life."""
