"""*Each service*: processes, memory, database, clock, where the time goes; then each one's own."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.flow import quantile
from deploy.grafana.panels import (
    NEVER,
    Colour,
    Figure,
    Graph,
    Least,
    Limits,
    Query,
    Sheet,
    choice,
    page,
)

CHOSEN: Final = 'job=~"$service"'
NAME: Final = "{{job}}"
PROCESS: Final = "{{job}} {{instance}}"


def per_second(label: str, counter: str) -> str:
    """Return an expression of a counter's rate by one label."""
    return f"sum by ({label}) (rate({counter}[$__rate_interval]))"


OVERVIEW: Final = Sheet(
    title="Services",
    queries=[
        Query(f"count by (job) (up{{{CHOSEN}}} == 1)", "Processes"),
        Query(
            f"time() - max by (job) (process_start_time_seconds{{{CHOSEN}}})",
            "Last start, ago",
        ),
        Query(f"sum by (job) (process_resident_memory_bytes{{{CHOSEN}}})", "Memory"),
        Query(f"max by (job) (cartas_database_bytes{{{CHOSEN}}})", "Database"),
        Query(
            f"count by (job) (count by (job, version) (cartas_schema_info{{{CHOSEN}}}))",
            "Versions",
        ),
        Query(
            f"max by (job) (abs(cartas_clock_ahead_seconds{{{CHOSEN}}}))",
            "Clock off",
        ),
    ],
    about="Two versions of the schema are two programs at work: an upgrade that is not"
    " finished. The clock is compared with PostgreSQL's, which is followed.",
    key="job",
    units={
        "Last start, ago": "s",
        "Memory": "bytes",
        "Database": "bytes",
        "Clock off": "s",
    },
    limits={"Clock off": Limits(watch=0.5, bad=2), "Versions": Limits(watch=2)},
)
"""A line for each service."""

PROCESSES: Final = (
    Graph(
        title="Memory",
        queries=[Query(f"process_resident_memory_bytes{{{CHOSEN}}}", PROCESS)],
        about="Resident. It should level off.",
        unit="bytes",
        width=8,
    ),
    Graph(
        title="CPU",
        queries=[Query(f"rate(process_cpu_seconds_total{{{CHOSEN}}}[$__rate_interval])", PROCESS)],
        about="Of one core; a process cannot use more than one.",
        unit="percentunit",
        limits=Limits(watch=0.8),
        width=8,
    ),
    Graph(
        title="Open files of those allowed",
        queries=[
            Query(
                f"process_open_fds{{{CHOSEN}}} / process_max_fds{{{CHOSEN}}}",
                PROCESS,
            )
        ],
        about="Connections count as files.",
        unit="percentunit",
        limits=Limits(watch=0.5, bad=0.8),
        width=8,
    ),
    Graph(
        title="Databases",
        queries=[Query(f"max by (job) (cartas_database_bytes{{{CHOSEN}}})", NAME)],
        about="Their growth tells when the disk is full.",
        unit="bytes",
    ),
    Graph(
        title="Clocks off",
        queries=[Query(f"abs(cartas_clock_ahead_seconds{{{CHOSEN}}})", PROCESS)],
        about="Each process's clock less PostgreSQL's, either way.",
        unit="s",
        limits=Limits(watch=0.5, bad=2),
    ),
)
"""What the operating system gives them."""

WORK: Final = (
    Graph(
        title="A batch: 99 % are faster",
        queries=[
            Query(
                quantile("0.99", f"cartas_batch_seconds_bucket{{{CHOSEN}}}", by="job, topic"),
                "{{job}} {{topic}}",
            )
        ],
        about="One transaction, from decoding to commit. No line where nothing comes.",
        unit="s",
        limits=Limits(watch=1, bad=5),
    ),
    Graph(
        title="Records in a batch",
        queries=[
            Query(
                "sum by (job, topic)"
                f" (rate(cartas_batch_records_sum{{{CHOSEN}}}[$__rate_interval]))"
                " / sum by (job, topic)"
                f" (rate(cartas_batch_records_count{{{CHOSEN}}}[$__rate_interval]))",
                "{{job}} {{topic}}",
            )
        ],
        about="Mean. Large batches mean that there is much to catch up with.",
    ),
    Graph(
        title="Where the time goes",
        queries=[
            Query(
                f"sum by (job, loop, part)"
                f" (rate(cartas_part_seconds_sum{{{CHOSEN}}}[$__rate_interval]))",
                "{{job}} {{loop}} {{part}}",
            )
        ],
        about="Seconds a second that the parts of a consumer's or the relay's turn take.",
        unit="percentunit",
    ),
    Graph(
        title="Messages published a second",
        queries=[
            Query(
                f"sum by (job) (rate(cartas_outbox_published_total{{{CHOSEN}}}[$__rate_interval]))",
                NAME,
            )
        ],
        about="Messages that Kafka has acknowledged.",
        unit="cps",
    ),
    Figure(
        title="Relays without a leader",
        query=f"sum(max by (job, shard) (cartas_outbox_relay_leader{{{CHOSEN}}}) == bool 0)",
        about="Shards of outboxes that no process publishes.",
        limits=NEVER,
        width=24,
    ),
)
"""What transactions and the parts of a loop take."""

EVALUATOR: Final = (
    Graph(
        title="Verdicts a second",
        queries=[Query(per_second("status", "cartas_verdicts_total"), "{{status}}")],
        about="Verdicts of cases that were given or changed.",
        unit="cps",
        width=8,
    ),
    Graph(
        title="Results published a second",
        queries=[Query("sum(rate(cartas_results_published_total[$__rate_interval]))", "results")],
        about="A running result is published once a second at most.",
        unit="cps",
        width=8,
    ),
    Graph(
        title="Said of promises a second",
        queries=[Query(per_second("kind", "cartas_statements_total"), "{{kind}}")],
        about="Late cases, risks, breaches, recoveries.",
        unit="cps",
        width=8,
    ),
    Figure(
        title="Services to judge again",
        query="max(cartas_rejudging_services)",
        about="Their stored cases wait to be judged by a promise or calendar that changed.",
        limits=Colour(),
        width=6,
    ),
    Figure(
        title="Cases without a promise",
        query="sum(cartas_cases_without_promise_total)",
        about="Revisions of cases about which nothing is promised, since the processes started:"
        " stored, not judged.",
        limits=Colour(),
        width=6,
    ),
    Figure(
        title="Known already",
        query="sum(cartas_case_repeats_total)",
        about="Revisions of cases that came again, since the processes started.",
        limits=Colour(),
        width=6,
    ),
    Figure(
        title="Results recomputed",
        query="sum(cartas_results_recomputed_total)",
        about="Counted again from the stored facts, since the processes started: by the nightly"
        " sample.",
        limits=Colour(),
        width=6,
    ),
)
"""What the evaluator judges."""

PORTAL: Final = (
    Graph(
        title="Pages a second, by status",
        queries=[Query(per_second("status", "portal_pages_total"), "{{status}}")],
        about="A 5xx is a fault of ours or a peer that is away.",
        unit="cps",
        width=8,
    ),
    Graph(
        title="A page: 95 % are faster",
        queries=[
            Query(quantile("0.95", "portal_page_seconds_bucket"), "all pages"),
        ],
        about="From a request's arrival to the start of its answer.",
        unit="s",
        limits=Limits(watch=0.5, bad=2.5),
        width=8,
    ),
    Graph(
        title="Calls without an answer a second",
        queries=[Query(per_second("peer", "portal_peer_away_total"), "{{peer}}")],
        about="A part of some page was missing, and the page said so.",
        unit="cps",
        limits=Limits(watch=0.1),
        width=8,
    ),
    Graph(
        title="Sign-ins an hour",
        queries=[
            Query(
                "3600 * " + per_second("outcome", "portal_sign_ins_total"),
                "{{outcome}}",
            )
        ],
        about="One-time links asked for, opened, and tried in vain. Many in vain are guessing.",
        width=24,
    ),
)
"""How pages are served."""

OTHERS: Final = (
    Graph(
        title="buzon: steps an hour",
        queries=[Query("3600 * " + per_second("step", "buzon_steps_total"), "{{step}}")],
        about="What posts did with folios.",
        width=8,
    ),
    Graph(
        title="buzon: not taken an hour",
        queries=[Query("3600 * " + per_second("reason", "buzon_not_taken_total"), "{{reason}}")],
        about="Many unknown folios are somebody's guessing.",
        width=8,
    ),
    Graph(
        title="notifier: mail that waits",
        queries=[Query("max by (what) (notifier_waiting)", "{{what}}")],
        about="All of it, what was due or tried, alerts nobody gets.",
        width=8,
    ),
    Figure(
        title="cartas: cartas in the catalogue",
        query='sum(max by (status) (cartas_catalogue_states{kind="carta", status="active"}))',
        about="Versions that are active; 0 means that nothing is judged.",
        limits=Colour(),
        width=8,
    ),
    Figure(
        title="cartas: next certificate ends in",
        query="min(cartas_certificate_end_timestamp_seconds) - time()",
        about="Of certified cartas in force (UNE 93200); negative where one has ended.",
        unit="s",
        limits=Least(90 * 86_400),
        width=8,
    ),
    Figure(
        title="cartas: calendars without next year",
        query="max(cartas_calendars_missing_next_year)",
        about="Working calendars without a day off in the next year, from November on: load"
        " them, or terms of January end on a wrong day.",
        limits=NEVER,
        width=8,
    ),
)
"""What else the services tell of themselves."""

FREE: Final = 'max by (broker) (measurements_kafka_disk_bytes{what="free"})'
TOTAL: Final = 'max by (broker) (measurements_kafka_disk_bytes{what="total"})'
DISKS: Final = (
    Graph(
        title="Used of Kafka's fullest disk",
        queries=[Query(f"1 - {FREE} / {TOTAL}", "broker {{broker}}")],
        about="Of each broker, as it tells; nothing where we may not ask (ACL).",
        unit="percentunit",
        limits=Limits(watch=0.8, bad=0.9),
    ),
    Graph(
        title="Used of PostgreSQL's disk",
        queries=[
            Query(
                'max(1 - cartas_database_disk_bytes{what="free"}'
                ' / ignoring (what) cartas_database_disk_bytes{what="total"})',
                "PostgreSQL",
            )
        ],
        about="Where CARTAS_POSTGRES_DIR names its folder on the services' machine; nothing else.",
        unit="percentunit",
        limits=Limits(watch=0.8, bad=0.9),
    ),
    Graph(
        title="Free on Kafka's fullest disk",
        queries=[Query(FREE, "broker {{broker}}")],
        about="Of each broker, as it tells.",
        unit="bytes",
        width=24,
    ),
)
"""The room that brokers have."""


def build() -> Dashboard:
    """Return the dashboard."""
    return page(
        "services",
        "Each service",
        (
            ("All services", (OVERVIEW,)),
            ("Processes", PROCESSES),
            ("Where the time goes", WORK),
            ("evaluator", EVALUATOR),
            ("portal", PORTAL),
            ("notifier, buzon, cartas", OTHERS),
            ("Disks", DISKS),
        ),
        about="What each service needs and does. The rows from *evaluator* on do not heed the"
        " choice of services.",
        since="6h",
        variables=[choice("service", "Service", metric="cartas_schema_info", of="job")],
    )
