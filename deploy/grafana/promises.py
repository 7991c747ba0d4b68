"""*Promises*: met, not met, at risk, by dependencia, as the portal counts them for the public."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.panels import (
    BAD,
    GOOD,
    Colour,
    Figure,
    Graph,
    Limits,
    Query,
    Sheet,
    choice,
    page,
)

CHOSEN: Final = 'municipality=~"$municipality"'
KEY: Final = "municipality, department"


def promises(states: str, *, by: str = KEY) -> str:
    """Return the count of promises in the states (a regular expression) of closed windows."""
    return _summed(_once("portal_promises", "state", states), by)


def standings(standing: str, *, by: str = KEY) -> str:
    """Return the count of promises that stand so in windows that are not closed."""
    return _summed(_once("portal_open_promises", "standing", standing), by)


def _summed(expr: str, by: str) -> str:
    return f"sum by ({by}) ({expr})" if by else f"sum({expr})"


def _once(metric: str, label: str, values: str) -> str:
    # Each process of the portal tells the same.
    return f'max by ({KEY}, {label}) ({metric}{{{CHOSEN}, {label}=~"{values}"}})'


MET: Final = promises("met", by="")
JUDGED: Final = promises("met|tolerable|not_met", by="")
CLOSED: Final = (
    Figure(
        title="Met",
        query=MET,
        about="Promises whose last closed window reached its target.",
        limits=Colour(GOOD),
        width=5,
    ),
    Figure(
        title="Tolerable",
        query=promises("tolerable", by=""),
        about="Not met, between target and unacceptable. It counts as not met, and says so.",
        limits=Limits(watch=1),
        width=5,
    ),
    Figure(
        title="Not met",
        query=promises("not_met", by=""),
        about="Promises whose last closed window missed its target.",
        limits=Limits(bad=1),
        width=5,
    ),
    Figure(
        title="No data",
        query=promises("no_data", by=""),
        about="Promises without a verdict: no closed window yet, no cases, too few, or a source"
        " that was silent. The public page says which.",
        limits=Limits(watch=1),
        width=4,
    ),
    Figure(
        title="Met of those judged",
        query=f"{MET} / ({JUDGED} > 0)",
        about="The share that the public page names: met, of those with a verdict. No data where"
        " none has one.",
        unit="percentunit",
        limits=Colour(),
        width=5,
    ),
)
"""The headline of the public page."""

OPEN_NOW: Final = (
    Figure(
        title="Lost",
        query=standings("lost", by=""),
        about="Promises that can no longer be kept in a window that is not closed.",
        limits=Colour(BAD),
        width=6,
    ),
    Figure(
        title="At risk",
        query=standings("at_risk", by=""),
        about="They would end badly if the window ended now, or by a forecast.",
        limits=Limits(watch=1),
        width=6,
    ),
    Figure(
        title="On track",
        query=standings("on_track", by=""),
        about="They would be met if the window ended now.",
        limits=Colour(GOOD),
        width=6,
    ),
    Figure(
        title="Not judged yet",
        query=standings("no_data", by=""),
        about="Too few cases, or none, in a window that is not closed.",
        limits=Colour(),
        width=6,
    ),
)
"""How promises stand while their windows run."""

BY_DEPARTMENT: Final = Sheet(
    title="Promises by dependencia",
    queries=[
        Query(promises("met"), "Met"),
        Query(promises("tolerable"), "Tolerable"),
        Query(promises("not_met"), "Not met"),
        Query(promises("no_data"), "No data"),
        Query(standings("lost"), "Lost"),
        Query(standings("at_risk"), "At risk"),
        Query(standings("on_track"), "On track"),
    ],
    about="In alphabetical order: it is no ranking. The first four are of the last closed"
    " windows, the others of windows that are not closed (sensitive cartas are left out).",
    key="department",
    limits={
        "Tolerable": Limits(watch=1),
        "Not met": Limits(bad=1),
        "Lost": Limits(bad=1),
        "At risk": Limits(watch=1),
    },
)
"""A line for each dependencia."""

OVER_TIME: Final = (
    Graph(
        title="Promises by state",
        queries=[
            Query(promises("met", by=""), "met"),
            Query(promises("tolerable", by=""), "tolerable"),
            Query(promises("not_met", by=""), "not met"),
            Query(promises("no_data", by=""), "no data"),
        ],
        about="Of the last closed windows. It moves at cut-offs and with addenda.",
        stacked=True,
    ),
    Graph(
        title="At risk or lost, by dependencia",
        queries=[Query(standings("at_risk|lost"), "{{department}}")],
        about="In windows that are not closed. Here something can still be done.",
        limits=Limits(watch=1),
    ),
)
"""What changed."""


def build() -> Dashboard:
    """Return the dashboard."""
    return page(
        "promises",
        "Promises",
        (
            ("Last closed windows, as published", CLOSED),
            ("Windows that are not closed", OPEN_NOW),
            ("By dependencia", (BY_DEPARTMENT,)),
            ("Over time", OVER_TIME),
        ),
        about="How many promises are kept. Every figure is a count that the portal read from what"
        " it publishes, never an estimate from the growth of a counter.",
        since="90d",
        variables=[
            choice("municipality", "Municipality", metric="portal_promises", of="municipality")
        ],
    )
