"""Queues at checkpoints and screening sites. Everywhere here rates are per hour and times are in minutes."""
