"""Readings over MQTT: from a broker of one's own, or with the one that comes along."""
