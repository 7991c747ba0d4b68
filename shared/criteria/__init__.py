"""The criterion algebra: what can be promised, and whether it was kept."""

from shared.criteria.model import (
    Anchor,
    AnyCriterion,
    Clock,
    Criterion,
    Instant,
    Limit,
    Mean,
    Op,
    Part,
    Population,
    Share,
    Target,
    Unsupported,
    Window,
    WindowKind,
)

__all__ = [
    "Anchor",
    "AnyCriterion",
    "Clock",
    "Criterion",
    "Instant",
    "Limit",
    "Mean",
    "Op",
    "Part",
    "Population",
    "Share",
    "Target",
    "Unsupported",
    "Window",
    "WindowKind",
]
