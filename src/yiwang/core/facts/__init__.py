"""What is counted: tables of facts, of which the case facts are one. A table has typed columns, a key, the bases by which a
period may be counted, and the dimensions that one may group by."""
