"""What the services say of their balances, as an operator reads it."""

from typing import Any

from ops.verifying import Finding, Outcome, events, population, recomputed

SOURCE = "https://turnos.example"


def balance(**differing: Any) -> dict[str, Any]:
    counts = {"events": 10, "facts": 7, "repeats": 1, "corrections": 1, "refused": 1}
    return {
        "sources": [{"source": SOURCE, **counts}],
        "differing": [{"source": SOURCE, **differing}] if differing else [],
    }


def test_events_that_are_accounted_for() -> None:
    told = "10 events = 7 facts + 1 repeats + 1 corrections + 1 refused"
    assert list(events(balance())) == [Finding(f"events {SOURCE}", Outcome.AGREES, told)]


def test_a_day_that_differs_stands_instead_of_its_source() -> None:
    body = balance(day="2026-11-23", events=10, outcomes=9, counted=8, stored=8)
    told = "10 events, 9 outcomes; 8 facts counted, 8 stored"
    assert list(events(body)) == [Finding(f"events {SOURCE} 2026-11-23", Outcome.DIFFERS, told)]


def test_a_day_that_was_never_counted_is_told_without_its_source() -> None:
    body = balance(day="2026-11-23", events=0, outcomes=0, counted=0, stored=5) | {"sources": []}
    [finding] = events(body)
    assert finding.outcome is Outcome.DIFFERS


def test_a_new_system_has_nothing_to_compare() -> None:
    [first] = events({"sources": [], "differing": []})
    [second] = population({"compared": 0, "verdicts": 0, "differing": 0, "worst": []})
    [third] = recomputed({"results": []})
    assert {each.outcome for each in (first, second, third)} == {Outcome.AGREES}


def test_windows_that_differ_are_named_before_the_whole() -> None:
    worst = [{"window": "m/RC-01/u/2026-09", "part": 0, "verdicts": 5, "counts": 6}]
    body = {"compared": 3, "verdicts": 20, "differing": 1, "worst": worst}
    assert list(population(body)) == [
        Finding("population m/RC-01/u/2026-09", Outcome.DIFFERS, "part 0: 5 verdicts, 6 counted"),
        Finding("population", Outcome.DIFFERS, "20 verdicts in 3 parts of windows, 1 differ"),
    ]


def test_each_recomputed_result_is_told_with_its_differences() -> None:
    same = {"result": "m/a/u/w", "outcome": "same", "agrees": True, "differences": []}
    other = {
        "result": "m/b/u/w",
        "outcome": "different",
        "agrees": False,
        "differences": ["parts[0].met: stored 7, recomputed 1"],
    }
    assert list(recomputed({"results": [same, other]})) == [
        Finding("recompute m/a/u/w", Outcome.AGREES, "same"),
        Finding(
            "recompute m/b/u/w", Outcome.DIFFERS, "different; parts[0].met: stored 7, recomputed 1"
        ),
    ]
