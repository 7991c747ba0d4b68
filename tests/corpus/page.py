"""The corpus as a page for readers: what is promised, how it is judged, what came out at the edges.

Sentences and formulas are the product's; verdicts are those written by hand, which the tests hold
the product to.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final

from shared.explaining import Version
from tests.corpus.judging import judge_of
from tests.corpus.reading import Fields, Promise, Trial, corpus, counts

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "promises.md"
_HEAD: Final = """\
# The 79 promises

Written by `python -m tests.corpus` from [promises.yaml](../tests/corpus/promises.yaml), which
holds the {trials} sets of facts behind these verdicts, each with its reason. Verdicts and figures
are written by hand; sentences and formulas are generated from the criterion; a test for each row
and edge holds the two together. Whose promises they are, and what they say, comes from published
cartas; the words are ours. [criteria.md](criteria.md) explains the forms.

Two rows cannot be encoded whole, and `cartas load` says the same:

{uncodable}

| row | promise, as judged | criterion | at the edges |
| --- | --- | --- | --- |
"""


def text() -> str:
    """Return the page: the same for the same corpus and model."""
    promises = corpus().promises
    head = _HEAD.format(
        trials=sum(len(promise.trials) for promise in promises),
        uncodable="\n".join(
            dict.fromkeys(_uncodable(promise) for promise in promises if promise.uncodable)
        ),
    )
    return head + "".join(f"| {' | '.join(_row(promise))} |\n" for promise in promises)


def _uncodable(promise: Promise) -> str:
    return f"- {promise.row}, {promise.body}: {promise.uncodable}"


def _row(promise: Promise) -> Iterator[str]:
    judge = judge_of(promise)
    reading = f"<br>*{promise.reading}*" if promise.reading else ""
    yield f"{promise.row}. {promise.body}{reading}"
    version = Version(judge.carta, judge.compromiso)
    sentence = version.sentence
    formulas = [f"*{_cell(formula)}*" for formula in version.formulas]
    note = [_cell(promise.note)] if promise.note else []
    yield "<br>".join([_cell(sentence), *formulas, *note])
    yield _criterion(promise.declared)
    yield "<br>".join(_edge(trial) for trial in promise.trials)


def _criterion(declared: Fields) -> str:
    """Return the criterion in short: its forms and targets, window, and smallest sample."""
    criterion = declared["criterio"]
    parts = criterion.get("partes", [criterion])
    inherited = {key: criterion[key] for key in ("reloj",) if key in criterion}
    lines = [
        _part({**inherited, **part}, part.get("umbral", declared.get("umbral"))) for part in parts
    ]
    if "partes" in criterion:
        lines.insert(0, "`all_of`")
    lines.append(declared["ventana"])
    if "min_muestra" in declared:
        lines.append(f"n ≥ {declared['min_muestra']}")
    return "<br>".join(lines)


def _part(part: Fields, target: Fields | None) -> str:
    held = [f"`{part['forma']}`"]
    limit = part.get("limite", part.get("aprobatorio", {}))
    if "valor" in limit:
        unit = part.get("reloj", {}).get("unidad", "")
        held.append(f"item {_sign(limit['op'])} {limit['valor']} {unit}".rstrip())
    elif limit:
        held.append(f"item {_sign(limit['op'])} by its {limit.get('por', limit.get('campo'))}")
    if target is None:
        return ", ".join([*held, "informative"])
    unit, worst = target.get("unidad", "%"), target.get("inaceptable")
    held.append(f"{_sign(target['op'])} {target['objetivo']} {unit}")
    return ", ".join(held) + (f" (unacceptable {worst})" if worst else "")


def _sign(op: str) -> str:
    return {"<=": "≤", ">=": "≥", "<": "&lt;", ">": "&gt;"}[op]


def _edge(trial: Trial) -> str:
    outcome = _outcome(trial.expected)
    if trial.after is not None:
        outcome += f"; then {_outcome(trial.after)}"
    return f"{_cell(trial.edge)}: {outcome}"


def _outcome(expected: Fields) -> str:
    whole = "partes" not in expected
    parts = [expected] if whole else expected["partes"]
    figures = [figure for each in parts if (figure := _figure(each) or ("" if whole else "—"))]
    verdict = f"**{expected['veredicto']}**"
    if "motivo" in expected:
        verdict += f" ({expected['motivo']})"
    return f"{', '.join(figures)} → {verdict}" if figures else verdict


def _figure(expected: Fields) -> str:
    if "cuentas" in expected:
        met, decided = counts(expected["cuentas"])
        share = _rounded(100 * met / decided)
        return f"{expected['cuentas']} {share if share[0] == '≈' else f'= {share}'} %"
    return _rounded(Fraction(expected["valor"])) if "valor" in expected else ""


def _rounded(number: Fraction) -> str:
    """Round half up, to two decimals or to as many as part it from a whole number; mark with ≈."""
    near = _near(number, 100)
    if near != number and near.denominator == 1:
        near = _near(number, 1_000_000)
    written = f"{Decimal(near.numerator) / near.denominator:,f}"
    return written if near == number else f"≈ {written}"


def _near(number: Fraction, scale: int) -> Fraction:
    return Fraction(int(number * scale + Fraction(1, 2)), scale)


def _cell(words: str) -> str:
    """Return words that a table's cell and Markdown leave as they are."""
    for sign, safe in (("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("*", "\\*")):
        words = words.replace(sign, safe)
    return words
