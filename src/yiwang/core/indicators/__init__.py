"""What is measured: one row of facts per case, indicators as data over those rows, grades and composite scores."""
