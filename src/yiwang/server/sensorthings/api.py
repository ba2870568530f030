"""The door to the SensorThings API for whoever carries its messages over another way than HTTP."""

from yiwang.server.sensorthings.receiving import take_observations, token_sender
from yiwang.server.sensorthings.topics import PREFIX
from yiwang.server.sensorthings.updates import MOST, Subscriptions, TooMany, everywhere

__all__ = ["MOST", "PREFIX", "Subscriptions", "TooMany", "everywhere", "take_observations", "token_sender"]
