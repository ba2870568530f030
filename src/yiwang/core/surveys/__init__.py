"""Surveys among citizens whose cases were closed (回访): what is asked, and what a drawn sample says of all of them."""
