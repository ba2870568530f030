"""What is told of alarms: those that stand and where, the course of each, and their table of facts."""
