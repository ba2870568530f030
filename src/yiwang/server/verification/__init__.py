"""Whether what is stored is what happened: chains, rows, witnesses; and rows made anew from their events."""
