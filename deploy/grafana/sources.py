"""*Sources*: who speaks, who is silent, what is refused."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.panels import NEVER, Colour, Figure, Graph, Limits, Query, Sheet, page

LATEST: Final = "max by (source) (measurements_source_latest_event_timestamp_seconds)"
# 0 for each that speaks: a metric that names only the silent ones would leave gaps.
SILENT: Final = f"max by (source) (cartas_source_silent_seconds) or 0 * {LATEST}"
SUSPENDED: Final = f"max by (source) (measurements_source_suspended) or 0 * {LATEST}"


GLANCE: Final = (
    Figure(
        title="Active",
        query='max(measurements_sources{state="active"})',
        about="Registered sources whose events are taken.",
        limits=Colour(),
    ),
    Figure(
        title="Suspended",
        query='max(measurements_sources{state="suspended"})',
        about="Too much of what they sent was refused: nothing is taken until `measurements"
        " source resume`.",
        limits=NEVER,
    ),
    Figure(
        title="Silent",
        query="count(max by (source, municipality) (cartas_source_silent_seconds)) or vector(0)",
        about="Sources that should have spoken in service hours and did not: their cases stay"
        " pending.",
        limits=NEVER,
    ),
    Figure(
        title="Out of balance",
        query="count(max by (source) (measurements_balance_difference) != 0) or vector(0)",
        about="Sources whose events are not facts + repeats + corrections + refused.",
        limits=NEVER,
    ),
    Figure(
        title="Open imports",
        query="max(measurements_open_imports)",
        about="Imports under way or not accounted for; one that stays needs a look.",
        limits=Limits(watch=1),
    ),
    Figure(
        title="Caught up until, behind",
        query="time() - max(measurements_progress_through_timestamp_seconds)",
        about="How far the pipeline is behind the clock. Half a minute is normal at rest.",
        unit="s",
        limits=Limits(watch=60, bad=120),
    ),
    Figure(
        title="Wrong tokens a minute",
        query="60 * sum(rate(measurements_unauthorised_requests_total[$__rate_interval]))",
        about="Requests with a wrong, revoked or missing token. A burst may be guessing.",
        limits=Limits(watch=1, bad=60),
    ),
    Figure(
        title="Members dropped a minute",
        query="60 * sum(rate(measurements_dropped_members_total[$__rate_interval]))",
        about="Members of events outside the contract, dropped before Kafka: maybe personal"
        " data. Tell the emitter.",
        limits=Limits(watch=1),
    ),
)
"""What needs a call."""

OUTCOMES: Final = {
    "facts": "Facts",
    "corrections": "Corrections",
    "repeats": "Repeats",
    "refused": "Refused",
}
COUNTS: Final = [
    Query(f'max by (source) (measurements_events_total{{outcome="{outcome}"}})', heading)
    for outcome, heading in OUTCOMES.items()
]
BY_SOURCE: Final = (
    Sheet(
        title="Sources",
        queries=[
            Query(f"time() - {LATEST}", "Last spoke of, ago"),
            Query(SILENT, "Silent"),
            Query(SUSPENDED, "Suspended"),
            *COUNTS,
            Query("max by (source) (measurements_balance_difference)", "Difference"),
        ],
        about="Counts are exact and of all time: they come from the database. Silent is in"
        " service hours, 0 where the source speaks or need not.",
        key="source",
        units={"Last spoke of, ago": "s", "Silent": "s"},
        limits={"Silent": NEVER, "Suspended": NEVER, "Difference": NEVER},
    ),
    Graph(
        title="Events a second, by source",
        queries=[
            Query(
                "sum by (source) (max by (source, outcome)"
                " (rate(measurements_events_total[$__rate_interval])))",
                "{{source}}",
            )
        ],
        about="Whatever became of them.",
        unit="cps",
    ),
    Graph(
        title="Silent, by source",
        queries=[Query(SILENT, "{{source}}")],
        about="For how long, in service hours.",
        unit="s",
    ),
)
"""A line for each source."""

MEAN: Final = (
    "sum by (part) (rate(measurements_intake_seconds_sum[$__rate_interval]))"
    " / sum by (part) (rate(measurements_intake_seconds_count[$__rate_interval]))"
)
INTAKE: Final = (
    Graph(
        title="Events a second, by outcome",
        queries=[
            Query(
                "sum by (outcome) (max by (source, outcome)"
                " (rate(measurements_events_total[$__rate_interval])))",
                "{{outcome}}",
            )
        ],
        about="Refusals are events that no promise can be judged by: their emitter sees why.",
        unit="cps",
        width=8,
    ),
    Graph(
        title="Refused over HTTP a second, by reason",
        queries=[
            Query(
                "sum by (reason) (rate(measurements_edge_refused_total[$__rate_interval]))",
                "{{reason}}",
            )
        ],
        about="Before Kafka; each is on its emitter's page.",
        unit="cps",
        width=8,
    ),
    Graph(
        title="A request with events, by part",
        queries=[Query(MEAN, "{{part}}")],
        about="Mean time. 'acknowledge' waits for Kafka, 'authorise' and 'refuse' for the"
        " database, 'receive' for the emitter. No line where nothing comes.",
        unit="s",
        width=8,
        stacked=True,
    ),
)
"""What becomes of events, and what a request with events takes."""


def build() -> Dashboard:
    """Return the dashboard."""
    return page(
        "sources",
        "Sources",
        (
            ("At a glance", GLANCE),
            ("By source", BY_SOURCE),
            ("Intake", INTAKE),
        ),
        about="The systems that report what happened: who speaks, who is silent, what is refused.",
        since="24h",
    )
