"""Reserves of goods (采、储、调、运): how much to keep, when to order, how to bring it, and how to share what is too little."""
