"""Tables of facts: which there are, how their rows are kept up to date in files, and the table of the cases."""
