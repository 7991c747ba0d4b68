"""*Units and actions*: who must answer, what is late, whether they were told."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.panels import (
    NEVER,
    Colour,
    Figure,
    Graph,
    Limits,
    Query,
    Sheet,
    choice,
    page,
)

CHOSEN: Final = 'municipality=~"$municipality", unit=~"$unit"'
KEY: Final = "municipality, unit"

OPEN: Final = f"max by ({KEY}, state) (notifier_open_actions{{{CHOSEN}}})"
OVERDUE: Final = f"max by ({KEY}) (notifier_unit_actions_overdue{{{CHOSEN}}})"
OLDEST: Final = (
    f"time() - min by ({KEY}) (notifier_oldest_open_action_timestamp_seconds{{{CHOSEN}}})"
)


ACTIONS: Final = (
    Figure(
        title="Open",
        query=f"sum({OPEN}) or vector(0)",
        about="Corrective actions that are not closed.",
        limits=Colour(),
        width=4,
    ),
    Figure(
        title="Past a term",
        query=f"sum({OVERDUE}) or vector(0)",
        about="Of them those whose unit has let a term pass; each level above was told.",
        limits=Limits(watch=1),
        width=4,
    ),
    Figure(
        title="Not acknowledged in time",
        query='max(notifier_actions_overdue{awaited="acknowledgement"})',
        about="In all municipalities: nobody said that they had read it.",
        limits=Limits(watch=1),
        width=4,
    ),
    Figure(
        title="Without a plan in time",
        query='max(notifier_actions_overdue{awaited="plan"})',
        about="In all municipalities: no plan was filed.",
        limits=Limits(watch=1),
        width=4,
    ),
    Figure(
        title="Oldest",
        query=f"max({OLDEST})",
        about="Age of the oldest action that is not closed.",
        unit="s",
        limits=Limits(watch=90 * 86_400),
        width=4,
    ),
    Figure(
        title="Told one level up",
        query="sum(notifier_escalations_total)",
        about="Terms that passed and were told one level up, since the processes started.",
        limits=Colour(),
        width=4,
    ),
)
"""What is open and what is late."""

STATES: Final = {
    "requested": "Requested",
    "acknowledged": "Acknowledged",
    "returned": "Returned",
    "filed": "Waits for approval",
    "approved": "Approved",
    "implemented": "Implemented",
}
COLUMNS: Final = [
    Query(f'max by ({KEY}) (notifier_open_actions{{{CHOSEN}, state="{state}"}})', heading)
    for state, heading in STATES.items()
]
BY_UNIT: Final = (
    Sheet(
        title="Open actions by unit",
        queries=[*COLUMNS, Query(OVERDUE, "Past a term"), Query(OLDEST, "Oldest")],
        about="Of the unit that must answer, in alphabetical order. A unit without an open"
        " action has no line.",
        key="unit",
        units={"Oldest": "s"},
        limits={"Past a term": Limits(watch=1)},
    ),
    Graph(
        title="Open actions by state",
        queries=[Query(f"sum by (state) ({OPEN})", "{{state}}")],
        about="Of the units chosen above.",
        stacked=True,
    ),
    Graph(
        title="Past a term, by unit",
        queries=[Query(OVERDUE, "{{unit}}")],
        about="Actions whose unit has let a term pass.",
        limits=Limits(watch=1),
    ),
)
"""A line for each unit that has an open action."""

TOLD: Final = (
    Figure(
        title="Alerts without addressee",
        query='max(notifier_waiting{what="alerts"})',
        about="Alerts that nobody gets: no post of the ladder has an address, the coordination"
        " included.",
        limits=NEVER,
        width=4,
    ),
    Figure(
        title="Mailboxes that refuse",
        query="max(notifier_rejecting_mailboxes)",
        about="Their servers refused for good: somebody must correct the post.",
        limits=NEVER,
        width=4,
    ),
    Figure(
        title="Mail that waits",
        query='max(notifier_waiting{what="mails"})',
        about="Quiet hours and digests included.",
        limits=Colour(),
        width=4,
    ),
    Graph(
        title="Attempts to deliver, an hour",
        queries=[
            Query(
                "3600 * sum by (outcome) (rate(notifier_mails_total[$__rate_interval]))",
                "{{outcome}}",
            )
        ],
        about="By what the mail server made of them, at the rate of the last minutes.",
        width=12,
    ),
    Graph(
        title="What the evaluator said, an hour",
        queries=[
            Query(
                "3600 * sum by (kind) (rate("
                'notifier_breach_statements_total{historical="false"}[$__rate_interval]))',
                "{{kind}}",
            )
        ],
        about="Statements about promises that may ask for an action, without those of historical"
        " imports, at the rate of the last minutes.",
        width=24,
    ),
)
"""Whether mail arrives."""

BUZON: Final = (
    Figure(
        title="Folios without answer",
        query='max(buzon_waiting{what="all"})',
        about="Duplicates are not counted.",
        limits=Colour(),
        width=6,
    ),
    Figure(
        title="Past their day",
        query='max(buzon_waiting{what="overdue"})',
        about="The day that the citizen was told has passed (in UTC: close enough here).",
        limits=NEVER,
        width=6,
    ),
    Figure(
        title="Without a unit",
        query='max(buzon_waiting{what="without_unit"})',
        about="The coordination has to say whose they are.",
        limits=Limits(watch=1),
        width=6,
    ),
    Figure(
        title="Without a date",
        query='max(buzon_waiting{what="without_date"})',
        about="Their calendar is missing: load it.",
        limits=NEVER,
        width=6,
    ),
    Graph(
        title="Folios that wait",
        queries=[Query("max by (what) (buzon_waiting)", "{{what}}")],
        about="Those referred to the Contraloria are answered there.",
    ),
    Graph(
        title="Filed, an hour",
        queries=[Query("3600 * sum by (kind) (rate(buzon_filed_total[1h]))", "{{kind}}")],
        about="Filings that were answered with a folio, in the last hour, roughly.",
    ),
)
"""What citizens wait for. No figure tells of a unit or a municipality."""


def build() -> Dashboard:
    """Return the dashboard."""
    metric = "notifier_open_actions"
    return page(
        "units",
        "Units and actions",
        (
            ("Corrective actions", ACTIONS),
            ("By unit", BY_UNIT),
            ("Were they told", TOLD),
            ("The buzon", BUZON),
        ),
        about="Corrective actions of each unit, the mail that asks for them, the folios that wait.",
        since="30d",
        variables=[
            choice("municipality", "Municipality", metric=metric, of="municipality"),
            choice("unit", "Unit", metric=metric, of="unit"),
        ],
    )
