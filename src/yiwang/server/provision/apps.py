from __future__ import annotations

from collections.abc import Iterable, Mapping

from yiwang.server.common.app import Chore, JobWork, Phase, Stop, YiwangApp


class ProvisionConfig(YiwangApp):
    name = "yiwang.server.provision"
    label = "provision"

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.provision import chores

        yield Chore("jobs", 2, chores.start_jobs, Phase.WORKS)
        yield Chore("simulated cities", 5, chores.live, Phase.WORKS)
        yield Chore("changes of rules", 3, chores.take_force, Phase.WORKS)

    def jobs(self) -> Mapping[str, JobWork]:
        from yiwang.server.provision import rule_changes, simulation

        return {
            "simulate": simulation.simulate_job,
            "dry-run": rule_changes.dry_run,
            "install": rule_changes.install,
        }
