"""The functional core: pure Python, no framework, no I/O, no wall clock."""
