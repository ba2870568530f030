"""Tables and rows: what stands in the database, and how it is put there and found."""
