"""What changes cases: reports, verbs, the clock, and what follows."""
