"""The door to the simulated sensors: what other apps may use of it."""

from yiwang.server.simulated.models import SimulationOrder
from yiwang.server.simulated.publishing import MqttPublisher, Publisher, StorePublisher, publisher_for
from yiwang.server.simulated.simulation import (
    Simulation,
    make_sensors,
    order_flood,
    order_pump,
    run_simulation,
    simulated_things,
)

__all__ = [
    "MqttPublisher",
    "Publisher",
    "Simulation",
    "SimulationOrder",
    "StorePublisher",
    "make_sensors",
    "order_flood",
    "order_pump",
    "publisher_for",
    "run_simulation",
    "simulated_things",
]
