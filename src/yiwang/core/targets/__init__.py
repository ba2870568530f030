"""Letters of responsibility 目标责任书: what a unit is to reach by the end of a year, and how far it is."""
