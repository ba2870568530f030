"""What is measured: indicators as data over tables of facts, grades and composite scores."""
