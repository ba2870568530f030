"""Sensors that a city pretends to have, for a demonstration and for exercises."""
