"""Irregularities 疑点: signs in the records that somebody may have worked for the figures instead of the city."""
