"""Dashboards as Grafana reads them: JSON of its own schema, by its typed builders."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as styles
from grafana_foundation_sdk.models import dashboard as schema
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from components.observability.dashboards.panel import (
    CRITICAL,
    MOST_COLUMNS,
    SANDBOX,
    WARNING,
    Dashboard,
    Panel,
    Query,
    Shape,
    Variable,
)
from components.observability.dashboards.text import description, runbook_file
from components.observability.stack.grafana import PROMETHEUS_SOURCE

TAG = "corral"
GOOD = "#3D71D9"
"""Blue, amber and purple: told apart by those who don't tell red from green, and by lightness."""
COLOURS = {WARNING: "#F2A900", CRITICAL: "#B0127B"}
LIMIT_COLOUR = "#8E8E8E"

_SOURCE = schema.DataSourceRef(type_val="prometheus", uid=PROMETHEUS_SOURCE)
_REFRESH = "30s"
_SANDBOX_LINK = "/d/" + SANDBOX + "?var-tenant={tenant}&var-pod={pod}&${{__url_time_range}}"


def dashboard_json(board: Dashboard, others: Mapping[str, str], runbooks: str) -> str:
    """The dashboard, with links to the others (title by uid) and to runbooks; always the same
    text for the same dashboard."""
    built = (
        dashboards.Dashboard(board.title)
        .uid(board.uid)
        .description(board.question)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .time(f"now-{board.hours}h", "now")
        .refresh(_REFRESH)
        .tooltip(schema.DashboardCursorSync.CROSSHAIR)
    )
    for variable in board.variables:
        built = built.with_variable(_variable(variable))
    for uid, title in others.items():
        if uid != board.uid:
            built = built.link(_link(title, f"/d/{uid}", variables=True))
    number, top = 0, 0
    for row in board.rows:
        heading = dashboards.Row(row.title).grid_pos(_place(0, top, MOST_COLUMNS, 1))
        number, top = number + 1, top + 1
        built = built.with_row(heading.id(number))
        left, lowest = 0, top
        for panel in row.panels:
            if left + panel.width > MOST_COLUMNS:
                left, top = 0, lowest
            number += 1
            place = _place(left, top, panel.width, panel.height)
            built = built.with_panel(_panel(panel, number, place, runbooks))
            left, lowest = left + panel.width, max(lowest, top + panel.height)
        top = lowest
    return json.dumps(
        built.build(), cls=JSONEncoder, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


def _place(left: int, top: int, width: int, height: int) -> schema.GridPos:
    return schema.GridPos(x=left, y=top, w=width, h=height)


def _variable(variable: Variable) -> dashboards.QueryVariable:
    built = (
        dashboards.QueryVariable(variable.name)
        .label(variable.heading)
        .datasource(_SOURCE)
        .query(variable.query)
        .refresh(schema.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(schema.VariableSort.ALPHABETICAL_ASC)
    )
    if variable.several:
        everything = schema.VariableOption(selected=True, text="All", value="$__all")
        # Not one regular expression of every name: that would be as long as there are tenants.
        built = built.multi(True).include_all(True).all_value(".+").current(everything)
    return built


def _link(title: str, url: str, *, variables: bool = False) -> dashboards.DashboardLink:
    built = dashboards.DashboardLink(title).type(schema.DashboardLinkType.LINK).url(url)
    return built.include_vars(variables).keep_time(variables).target_blank(not variables)


def _panel(
    panel: Panel, number: int, place: schema.GridPos, runbooks: str
) -> Builder[schema.Panel]:
    built = _SHAPES[panel.shape](panel)
    built = (
        built.id(number)
        .title(panel.title)
        .description(description(panel))
        .datasource(_SOURCE)
        .grid_pos(place)
        .unit(panel.unit.value)
        .no_value(panel.nothing)
        .thresholds(_thresholds(panel))
        .min(0)
    )
    if panel.most is not None:
        built = built.max(panel.most)
    if panel.shape is not Shape.TABLE and _names_a_sandbox(panel):
        built = built.data_links([_to_sandbox("${__field.labels.tenant}", "${__field.labels.pod}")])
    # Without an address they are files of the repository, which no browser finds.
    if runbooks.startswith("https://"):
        built = built.links(
            [_link(f"Runbook: {name}", f"{runbooks}/{runbook_file(name)}") for name in panel.alerts]
        )
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        built = built.with_target(_target(panel, query, letter))
    return built  # type: ignore[no-any-return]  # the builders of panels have no common class


def _names_a_sandbox(panel: Panel) -> bool:
    return any("{{tenant}}" in q.legend and "{{pod}}" in q.legend for q in panel.queries)


def _to_sandbox(tenant: str, pod: str) -> dashboards.DashboardLink:
    return _link("This sandbox", _SANDBOX_LINK.format(tenant=tenant, pod=pod))


def _target(panel: Panel, query: Query, letter: str) -> prometheus.Dataquery:
    built = prometheus.Dataquery().ref_id(letter).expr(query.expr).datasource(_SOURCE)
    built = built.range() if panel.shape is Shape.CURVES else built.instant()
    if panel.shape is Shape.TABLE:
        built = built.format(PromQueryFormat.TABLE)
    else:
        built = built.format(PromQueryFormat.TIME_SERIES).legend_format(query.legend)
    return built


def _thresholds(panel: Panel) -> dashboards.ThresholdsConfig:
    steps = [schema.Threshold(value=None, color=GOOD)]
    if panel.least is not None:
        kind, value = panel.least
        steps = [
            schema.Threshold(value=None, color=COLOURS[kind]),
            schema.Threshold(value=value, color=GOOD),
        ]
    steps += [
        schema.Threshold(value=value, color=COLOURS[kind]) for kind, value in panel.thresholds
    ]
    return dashboards.ThresholdsConfig().mode(schema.ThresholdsMode.ABSOLUTE).steps(steps)


def _number(_: Panel) -> Any:
    return (
        stat.Panel()
        .color_scheme(_by_threshold())
        .color_mode(styles.BigValueColorMode.VALUE)
        .graph_mode(styles.BigValueGraphMode.NONE)
        .text_mode(styles.BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(_last())
    )


def _bars(_: Panel) -> Any:
    return (
        bargauge.Panel()
        .color_scheme(_by_threshold())
        .orientation(styles.VizOrientation.HORIZONTAL)
        .display_mode(styles.BarGaugeDisplayMode.BASIC)
        .reduce_options(_last())
    )


def _curves(panel: Panel) -> Any:
    built = (
        timeseries.Panel()
        .color_scheme(dashboards.FieldColor().mode(schema.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .legend(
            common.VizLegendOptions()
            .display_mode(styles.LegendDisplayMode.LIST)
            .placement(styles.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(styles.TooltipDisplayMode.MULTI)
            .sort(styles.SortOrder.DESCENDING)
        )
        .line_width(2)
        .fill_opacity(25 if panel.stacked else 0)
        .show_points(styles.VisibilityMode.NEVER)
        .span_nulls(False)
    )
    if panel.stacked:
        built = built.stacking(common.StackingConfig().mode(styles.StackingMode.NORMAL).group("A"))
    if panel.thresholds:
        style = common.GraphThresholdsStyleConfig()
        built = built.thresholds_style(style.mode(styles.GraphThresholdsStyleMode.DASHED))
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        if query.limit:
            built = built.override_by_query(letter, _DASHED)
    return built


_DASHED = [
    schema.DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [8, 6]}),
    schema.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": LIMIT_COLOUR}),
    schema.DynamicConfigValue(id_val="custom.fillOpacity", value=0),
    schema.DynamicConfigValue(id_val="custom.stacking", value={"mode": "none", "group": "L"}),
]


def _table(panel: Panel) -> Any:
    several = len(panel.queries) > 1
    headings = dict(panel.columns)
    values = {
        (f"Value #{letter}" if several else "Value"): query.legend
        for letter, query in zip(ascii_uppercase, panel.queries, strict=False)
    }
    kept = {name: heading for name, heading in values.items() if heading}
    hidden = ["Time", *(name for name, heading in values.items() if not heading)]
    # Labels that aren't columns come along where a query keeps them for its joins.
    hidden += [label for label in _KEPT_FOR_JOINS if label not in headings]
    built = (
        table.Panel()
        .show_header(True)
        .align(styles.FieldTextAlignment.AUTO)
        .inspect(False)
        .color_scheme(_by_threshold())
        .with_transformation(schema.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(
            schema.DataTransformerConfig(
                id_val="organize",
                options={
                    "excludeByName": dict.fromkeys(hidden, True),
                    "indexByName": {name: at for at, name in enumerate([*headings, *kept])},
                    "renameByName": {**headings, **kept},
                },
            )
        )
    )
    for heading, unit in panel.units:
        built = built.override_by_name(
            heading, [schema.DynamicConfigValue(id_val="unit", value=unit.value)]
        )
    pod = next((heading for label, heading in panel.columns if label in _PODS), "")
    if pod and "tenant" in headings:
        link = _to_sandbox("${__data.fields." + headings["tenant"] + "}", "${__value.raw}")
        value = [{"title": "This sandbox", "url": link.build().url}]
        built = built.override_by_name(
            pod, [schema.DynamicConfigValue(id_val="links", value=value)]
        )
    return built


_KEPT_FOR_JOINS = ("namespace",)
_PODS = ("pod", "k8s_pod_name")


def _by_threshold() -> dashboards.FieldColor:
    return dashboards.FieldColor().mode(schema.FieldColorModeId.THRESHOLDS)


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().values(False).calcs(["lastNotNull"])


_SHAPES: Mapping[Shape, Callable[[Panel], Any]] = {
    Shape.NUMBER: _number,
    Shape.BARS: _bars,
    Shape.CURVES: _curves,
    Shape.TABLE: _table,
}
