from __future__ import annotations

from yiwang.server.common.app import YiwangApp


class SimulatedConfig(YiwangApp):
    name = "yiwang.server.simulated"
    label = "simulated"
