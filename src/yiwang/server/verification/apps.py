from __future__ import annotations

from yiwang.server.common.app import YiwangApp


class VerificationConfig(YiwangApp):
    name = "yiwang.server.verification"
    label = "verification"
