"""The API object: what it is called, how it answers, which routers it has."""

from __future__ import annotations

from importlib.metadata import version

from yiwang.server.api import problems
from yiwang.server.api.answering import OrjsonParser, OrjsonRenderer
from yiwang.server.api.cases import router as cases
from yiwang.server.api.cities import router as cities
from yiwang.server.api.components import router as components
from yiwang.server.api.describing import DescribedAPI
from yiwang.server.api.maps import router as maps
from yiwang.server.api.reports import router as reports
from yiwang.server.api.strictness import refuse_unknown_parameters
from yiwang.server.common.app import installed_apps
from yiwang.server.people.callers import ANYBODY

api = DescribedAPI(
    title="Yiwang 一网",
    version="1",
    description="One map, one case loop, one scoreboard. Times are RFC 3339 with offset; lists page by cursor; errors are RFC 9457.",
    urls_namespace="api",
    renderer=OrjsonRenderer(),
    parser=OrjsonParser(),
    auth=ANYBODY,
    openapi_extra={
        "info": {
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "x-software": f"yiwang {version('yiwang')}",
        }
    },
)
problems.install(api)
for router in (
    reports,
    cases,
    cities,
    maps,
    components,
    *(router for app in installed_apps() for router in app.api_routers()),
):
    refuse_unknown_parameters(router)
    api.add_router("", router)
