"""Where to put sites: p-median, p-center, maximal covering, with capacities and services; each plan with a bound."""
