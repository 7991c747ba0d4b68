"""The words that dashboards are written in: each panel has a title, a description, a unit.

Figures that a service reads from its database are the same in each of its processes: they are taken
by `max`, and only then summed. What a process counts itself is summed over the processes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    DataSourceRef,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardLinkType,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Panel,
    RowPanel,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SERVICES: Final = 'job=~"buzon|cartas|evaluator|measurements|notifier|portal"'
"""The targets that are services of ours: Prometheus calls each job by its service's name."""

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
WIDTH: Final = 24
TAG: Final = "cartas"

GOOD, WATCH, BAD, PLAIN = "green", "orange", "red", "blue"


@dataclass(frozen=True, slots=True)
class Query:
    """One expression. `legend` names a series by its labels; in a table it heads the column."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """From which value on a figure needs an eye, and a hand; None where one of them is missing."""

    watch: float | None = None
    bad: float | None = None

    def steps(self) -> list[Threshold]:
        """Return the steps, from minus infinity on."""
        limits = ((self.watch, WATCH), (self.bad, BAD))
        found = [Threshold(value, colour) for value, colour in limits if value is not None]
        return [Threshold(None, GOOD), *found]


NEVER: Final = Limits(bad=1)
"""A figure that must be 0."""


@dataclass(frozen=True, slots=True)
class Least:
    """A figure below which something is missing."""

    least: float

    def steps(self) -> list[Threshold]:
        """Return the steps, from minus infinity on."""
        return [Threshold(None, BAD), Threshold(self.least, GOOD)]


@dataclass(frozen=True, slots=True)
class Colour:
    """A figure without limits: neither good nor bad, or good or bad by what it is."""

    name: str = PLAIN

    def steps(self) -> list[Threshold]:
        """Return the one step."""
        return [Threshold(None, self.name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number, as it is now, coloured by its limits."""

    title: str
    query: str
    about: str
    limits: Limits | Least | Colour
    unit: str = "short"
    width: int = 3

    def build(self) -> stat.Panel:
        """Return the panel's builder."""
        return (
            stat.Panel()
            .title(self.title)
            .description(self.about)
            .datasource(SOURCE)
            .unit(self.unit)
            .span(self.width)
            .height(4)
            .thresholds(_thresholds(self.limits))
            .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
            .color_mode(BigValueColorMode.VALUE)
            .graph_mode(BigValueGraphMode.AREA)
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
            .no_value("no data")
            .with_target(_target(Query(self.query), "A"))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Lines over time, with the limits as dashed lines."""

    title: str
    queries: Sequence[Query]
    about: str
    unit: str = "short"
    limits: Limits | None = None
    width: int = 12
    stacked: bool = False

    def build(self) -> timeseries.Panel:
        """Return the panel's builder."""
        lines = GraphThresholdsStyleMode.DASHED if self.limits else GraphThresholdsStyleMode.OFF
        stacking = StackingMode.NORMAL if self.stacked else StackingMode.NONE
        panel = (
            timeseries.Panel()
            .title(self.title)
            .description(self.about)
            .datasource(SOURCE)
            .unit(self.unit)
            .span(self.width)
            .height(8)
            .min(0)
            .thresholds(_thresholds(self.limits or Colour(GOOD)))
            .thresholds_style(common.GraphThresholdsStyleConfig().mode(lines))
            .fill_opacity(60 if self.stacked else 8)
            .stacking(common.StackingConfig().mode(stacking))
            .legend(_legend())
            .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        )
        for query, letter in zip(self.queries, _LETTERS, strict=False):
            panel = panel.with_target(_target(query, letter))
        return panel


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table as of now: a line for each `key`, a column for each query."""

    title: str
    queries: Sequence[Query]
    about: str
    key: str
    units: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Limits] = field(default_factory=dict)

    def build(self) -> table.Panel:
        """Return the panel's builder."""
        panel = (
            table.Panel()
            .title(self.title)
            .description(self.about)
            .datasource(SOURCE)
            .unit("short")
            .span(WIDTH)
            .height(10)
            .thresholds(_thresholds(Colour(GOOD)))
            .sort_by([common.TableSortByFieldState().display_name(self.key).desc(False)])
            .with_transformation(DataTransformerConfig(id_val="merge", options={}))
            .with_transformation(_organised(self.queries))
        )
        for query, letter in zip(self.queries, _LETTERS, strict=False):
            panel = panel.with_target(_target(query, letter, as_table=True))
        for name, unit in self.units.items():
            panel = panel.override_by_name(name, [DynamicConfigValue("unit", unit)])
        for name, own in self.limits.items():
            panel = panel.override_by_name(name, _coloured_cells(own))
        return panel


def page(
    uid: str,
    title: str,
    rows: Sequence[tuple[str, Sequence[Figure | Graph | Sheet]]],
    *,
    about: str,
    since: str,
    variables: Sequence[dashboard.QueryVariable] = (),
) -> Dashboard:
    """Put rows of panels under each other; ids are given here, links to a panel depend on them."""
    builder = (
        dashboard.Dashboard(f"Cartas · {title}")
        .uid(f"cartas-{uid}")
        .description(about)
        .tags([TAG])
        .timezone("browser")
        .time(f"now-{since}", "now")
        .refresh("30s")
        .readonly()
        .link(
            dashboard.DashboardLink("Cartas")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .keep_time(True)
        )
        .with_variable(dashboard.DatasourceVariable("datasource").type("prometheus"))
    )
    for variable in variables:
        builder = builder.with_variable(variable)
    for name, panels in rows:
        builder = builder.with_row(dashboard.Row(name))
        for panel in panels:
            builder = builder.with_panel(panel.build())
    return _numbered(builder.build())


def choice(name: str, label: str, *, metric: str, of: str) -> dashboard.QueryVariable:
    """A variable whose values are those of the label `of` on a metric; all of them at first."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(f"label_values({metric}, {of})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(text=["All"], value=["$__all"]))
    )


_LETTERS: Final = "ABCDEFGHIJKLMNOP"


def _target(query: Query, letter: str, *, as_table: bool = False) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(letter).datasource(SOURCE).expr(query.expr)
    if as_table:
        return target.format(PromQueryFormat.TABLE).instant()
    return target.legend_format(query.legend).range()


def _thresholds(limits: Limits | Least | Colour) -> dashboard.ThresholdsConfig:
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(limits.steps())


def _legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE)
    return legend.placement(LegendPlacement.BOTTOM).show_legend(True).calcs(["lastNotNull", "max"])


def _organised(columns: Sequence[Query]) -> DataTransformerConfig:
    """Columns are called by their queries' legends, and without the time."""
    names = {
        f"Value #{letter}": query.legend for query, letter in zip(columns, _LETTERS, strict=False)
    }
    options = {"excludeByName": {"Time": True}, "renameByName": names, "indexByName": {}}
    return DataTransformerConfig(id_val="organize", options=options)


def _coloured_cells(limits: Limits) -> list[DynamicConfigValue]:
    steps = [step.to_json() for step in limits.steps()]
    return [
        DynamicConfigValue("thresholds", {"mode": "absolute", "steps": steps}),
        DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
        DynamicConfigValue("color", {"mode": "thresholds"}),
    ]


def _numbered(built: Dashboard) -> Dashboard:
    for number, panel in enumerate(built.panels or [], start=1):
        assert isinstance(panel, Panel | RowPanel)
        panel.id_val = number
    return built
