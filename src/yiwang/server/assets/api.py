"""The door to the component inventory: what other apps may use of it."""

from yiwang.server.assets.censuses import Options, Taken, check_class, drop, take_census
from yiwang.server.assets.changing import change_component
from yiwang.server.assets.costs import (
    CostSaid,
    CostsTaken,
    add_cost,
    cancel_cost,
    class_costs,
    cost_rows,
    cost_sums,
    costs_of,
    read_cost,
    take_costs,
)
from yiwang.server.assets.deciding import decide
from yiwang.server.assets.finding import ReportedComponent, component_of, reported_component
from yiwang.server.assets.listing import (
    ComponentFilters,
    ComponentPage,
    changes_of,
    component_row,
    components_near,
    count_components,
    list_components,
    standing_components,
)
from yiwang.server.assets.mappings import column_names, save_columns, saved_columns
from yiwang.server.assets.models import (
    GONE,
    Census,
    CensusFinding,
    ColumnMapping,
    Component,
    ComponentChange,
    ComponentCost,
    State,
)
from yiwang.server.assets.photos import add_photos, component_photo, photos_of, remove_photo
from yiwang.server.assets.queries import (
    census_of,
    censuses,
    class_counts,
    differences,
    finding_counts,
    history_of,
    is_component,
    list_findings,
)
from yiwang.server.assets.survey import FIELDS, Headings, read_headings
from yiwang.server.assets.tiles import current, tile
from yiwang.server.assets.versions import write_begins
from yiwang.server.assets.writing_out import export_components

__all__ = [
    "FIELDS",
    "GONE",
    "Census",
    "CensusFinding",
    "ColumnMapping",
    "Component",
    "ComponentChange",
    "ComponentCost",
    "ComponentFilters",
    "ComponentPage",
    "CostSaid",
    "CostsTaken",
    "Headings",
    "Options",
    "ReportedComponent",
    "State",
    "Taken",
    "add_cost",
    "add_photos",
    "cancel_cost",
    "census_of",
    "censuses",
    "change_component",
    "changes_of",
    "check_class",
    "class_costs",
    "class_counts",
    "column_names",
    "component_of",
    "component_photo",
    "component_row",
    "components_near",
    "cost_rows",
    "cost_sums",
    "costs_of",
    "count_components",
    "current",
    "decide",
    "differences",
    "drop",
    "export_components",
    "finding_counts",
    "history_of",
    "is_component",
    "list_components",
    "list_findings",
    "photos_of",
    "read_cost",
    "read_headings",
    "remove_photo",
    "reported_component",
    "save_columns",
    "saved_columns",
    "standing_components",
    "take_census",
    "take_costs",
    "tile",
    "write_begins",
]
