"""A package, so that ciw's own package `tests`, which it installs beside itself, is not found in its place."""
