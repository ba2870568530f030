from __future__ import annotations

from collections.abc import Mapping

from yiwang.server.common.app import JobWork, YiwangApp


class ImportsConfig(YiwangApp):
    name = "yiwang.server.imports"
    label = "imports"

    def jobs(self) -> Mapping[str, JobWork]:
        from yiwang.server.imports.replay import replay_job

        return {"replay": replay_job}
