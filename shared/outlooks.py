"""What can still become of a running promise, told in Spanish from its published numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Final

from shared import spanish
from shared.contracts.results import Forecast, Outlook, PartResult, Prospect, VolumeBasis
from shared.criteria import Availability, Clock, Criterion, Op, Part, Percentile, Share
from shared.criteria.phrases import amount, capitalised
from shared.criteria.words import duration

PLACES: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class _Noun:
    """What a figure counts, with the ending of its gender."""

    one: str
    many: str
    ending: str = "o"


_CASES: Final = _Noun("caso", "casos")
_NOUNS: Final = {
    "nps": _Noun("respuesta", "respuestas", "a"),
    "deadline": _Noun("fecha", "fechas", "a"),
    "nested_share": _Noun("grupo", "grupos"),
}
_BEYOND: Final = {
    Op.AT_MOST: ("pasa de {}", "pasan de {}"),
    Op.LESS: ("llega a {}", "llegan a {}"),
    Op.AT_LEAST: ("queda por debajo de {}", "quedan por debajo de {}"),
    Op.MORE: ("no pasa de {}", "no pasan de {}"),
}
_FAILS: Final = {
    "nps": ("es de 0 a 6", "son de 0 a 6"),
    "deadline": ("no llega a tiempo", "no llegan a tiempo"),
}
_BOUNDS: Final = {
    Op.AT_MOST: "{} o menos",
    Op.LESS: "menos de {}",
    Op.AT_LEAST: "{} o más",
    Op.MORE: "más de {}",
}
_FOR_GOOD: Final = {
    Prospect.SECURED: "Ya se cumple, pase lo que pase en lo que resta del periodo.",
    Prospect.LOST: "Ya no puede cumplirse en este periodo.",
}
_TOTALS: Final = frozenset({"count", "sum", "ratio", "availability"})
_EARLIER: Final = {
    VolumeBasis.DECLARED: "espera la carta",
    VolumeBasis.LAST_YEAR: "en el mismo periodo del año anterior",
    VolumeBasis.PREVIOUS: "en el periodo anterior",
}
_LATER: Final = {
    "o": "Los que lleguen después pueden cambiarlo.",
    "a": "Las que lleguen después pueden cambiarlo.",
}


def declared_for(parts: Sequence[PartResult], criterion: Criterion | None) -> list[Part | None]:
    """Return what is promised of each part; None where the criterion known here has another."""
    promised: Sequence[Part] = () if criterion is None else criterion.parts
    return [
        next((each for each in promised[n : n + 1] if each.figure.form == part.form), None)
        for n, part in enumerate(parts)
    ]


def sentences(part: PartResult, declared: Part | None) -> tuple[str, ...]:
    """Return what is known and what can become of it; nothing of a part without an outlook.

    `declared` is what the carta promises, where known: it gives the limit its words. A forecast is
    called one, with the volume that it rests on and where that comes from.
    """
    if part.outlook is None:
        return ()
    return tuple(_sentences(_Told(part, declared, part.outlook)))


def headline(part: PartResult, declared: Part | None) -> str:
    """Return the one sentence that says how much may still go wrong; empty without an outlook."""
    return "" if part.outlook is None else _decisive(_Told(part, declared, part.outlook))


def forecast_sentence(part: PartResult, declared: Part | None) -> str:
    """Return what as many cases as are expected would make of it; empty without a forecast."""
    if part.outlook is None or part.forecast is None:
        return ""
    return capitalised(_forecast(_Told(part, declared, part.outlook), part.forecast))


@dataclass(frozen=True, slots=True)
class _Told:
    """A part with the outlook that is being told: its own, or its forecast."""

    part: PartResult
    declared: Part | None
    outlook: Outlook

    @property
    def noun(self) -> _Noun:
        return _NOUNS.get(self.part.form, _CASES)

    @property
    def op(self) -> Op:
        return Op(self.part.target_op or Op.AT_LEAST)

    @property
    def unit(self) -> str:
        return self.part.unit

    @property
    def fails(self) -> tuple[str, str]:
        """How one case goes against the promise, and how several do."""
        if not self.op.wants_more and self.part.form in ("share_within", "nested_share"):
            return "cuenta", "cuentan"
        figure = None if self.declared is None else self.declared.figure
        if isinstance(figure, Share) and isinstance(figure.value, Clock):
            limit = figure.limit
            if limit.value is not None and not limit.seasons:
                return self._beyond(limit.op, amount(limit.value, figure.value))
        if isinstance(figure, Percentile) and self.part.target is not None:
            return self._beyond(self.op, spanish.quantity(self.part.target, self.unit, decimals=2))
        return _FAILS.get(self.part.form, ("no cumple", "no cumplen"))

    @staticmethod
    def _beyond(op: Op, bound: str) -> tuple[str, str]:
        one, many = _BEYOND[op]
        return one.format(bound), many.format(bound)


def _sentences(told: _Told) -> Iterator[str]:
    outlook, noun = told.outlook, told.noun
    if outlook.due:
        counted = spanish.counted(outlook.due, noun.one, noun.many)
        verb = "Ya cuenta" if outlook.due == 1 else "Ya cuentan"
        failed = f", {spanish.number(outlook.failed)} en contra" if outlook.failed else ""
        yield f"{verb} {counted}{failed}."
    yield _decisive(told)
    if told.part.forecast is not None:
        yield f"Pronóstico: {_forecast(told, told.part.forecast)}"


def _decisive(told: _Told) -> str:
    for_good = _FOR_GOOD.get(told.outlook.prospect)
    if for_good is not None:
        return for_good
    return _distance(told) if told.part.form in _TOTALS else _of_cases(told)


def _of_cases(told: _Told) -> str:
    outlook = told.outlook
    if not outlook.due + outlook.open:
        return f"Aún no hay {told.noun.many} en el periodo."
    if outlook.prospect is Prospect.BEHIND:
        return _behind(told)
    start = _what_is_open(told)
    if outlook.prospect is Prospect.SAFE:
        return f"{start}; pase lo que pase, con lo conocido se cumple. {_later(told)}"
    if outlook.may_fail is None:
        verb = f"debe{_plural(outlook.open)} promediar"
        return f"{start}; para cumplir {verb} {_needed(told)}."
    return f"{start}; {_last_straw(told, outlook.may_fail)}, no se cumple{_unless(told)}."


def _unless(told: _Told) -> str:
    """Say that new cases can make up for it, unless a failure is for good or no others come."""
    part, figure = told.part, None if told.declared is None else told.declared.figure
    is_worst = isinstance(figure, Percentile) and figure.p == 100 and not told.op.wants_more
    every = 100 if told.op.wants_more else 0
    if (
        part.form == "deadline"
        or is_worst
        or (part.form == "share_within" and part.target == every)
    ):
        return ""
    return f", salvo que {told.noun.many} nuev{told.noun.ending}s lo compensen"


def _later(told: _Told) -> str:
    return _LATER[told.noun.ending]


def _what_is_open(told: _Told) -> str:
    """`Quedan 12 casos abiertos`, `Queda 1 fecha por llegar`, `No quedan casos abiertos`."""
    noun, count = told.noun, told.outlook.open
    still = "por llegar" if told.part.form == "deadline" else f"abiert{noun.ending}{_s(count)}"
    if not count:
        return f"No quedan {noun.many} {still}"
    verb = "Queda" if count == 1 else "Quedan"
    return f"{verb} {spanish.counted(count, noun.one, noun.many)} {still}"


def _last_straw(told: _Told, may_fail: int) -> str:
    """`si 3 más pasan de 10 días hábiles`: one more than may fail."""
    outlook, (one, many) = told.outlook, told.fails
    if outlook.open == 1:
        return f"si {one}"
    count = may_fail + 1
    more = " más" if outlook.failed else ""
    if count == 1:
        return f"si un{'a' if told.noun.ending == 'a' else 'o'}{more} {one}"
    return f"si {spanish.number(count)}{more} {many}"


def _behind(told: _Told) -> str:
    outlook, noun = told.outlook, told.noun
    ending = noun.ending
    best = ""
    if outlook.open:
        all_open = f"tod{ending}s l{'a' if ending == 'a' else 'o'}s abiert{ending}s salgan bien"
        best = (
            f", aunque {all_open}" if outlook.open > 1 else f", aunque {_the_open(noun)} salga bien"
        )
    figure = "" if outlook.best is None else f": quedaría en {_shown(told, outlook.best)}"
    return (
        f"Con l{'a' if ending == 'a' else 'o'}s {noun.many} conocid{ending}s no alcanza{best}"
        f"{figure}. Solo {noun.many} nuev{ending}s pueden compensarlo."
    )


def _the_open(noun: _Noun) -> str:
    return f"{'la' if noun.ending == 'a' else 'el'} que está abiert{noun.ending}"


def _shown(told: _Told, exact: str) -> str:
    """Write a figure that misses its target as it is: never rounded to the target."""
    value = Fraction(exact)
    rounding = ROUND_FLOOR if told.op.wants_more else ROUND_CEILING
    return spanish.figure(_rounded(value, rounding), told.unit, goal=told.part.target)


def _rounded(value: Fraction, rounding: str) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(PLACES, rounding=rounding)


def _needed(told: _Told) -> str:
    """Round to the safe side: who reaches what is written has reached what is needed."""
    rounding = ROUND_CEILING if told.op.wants_more else ROUND_FLOOR
    value = _rounded(Fraction(told.outlook.needed or "0"), rounding)
    return _BOUNDS[told.op].format(spanish.quantity(value, told.unit, decimals=2))


def _distance(told: _Told) -> str:
    """Say how far a total is from its target."""
    distance = Fraction(told.outlook.distance or "0")
    if told.op.wants_more and told.part.form != "availability":
        return _missing(told, distance)
    left = _rounded(distance, ROUND_FLOOR)
    if told.part.form == "availability":
        return f"El servicio puede faltar {_time(told, left)} más en este periodo sin incumplir."
    much = spanish.quantity(left, _unit(told), decimals=2)
    return f"Hasta la meta queda{_plural(left)} {much}; lo que la pase incumple."


def _missing(told: _Told, distance: Fraction) -> str:
    if distance <= 0:
        return "Con lo conocido se alcanza la meta; lo que llegue después puede cambiarlo."
    lacking = _rounded(distance, ROUND_CEILING)
    much = spanish.quantity(lacking, _unit(told), decimals=2)
    return f"Falta{_plural(lacking)} {much} para la meta."


def _unit(told: _Told) -> str:
    """A ratio is told in what its numerator counts."""
    return "casos" if told.part.form == "ratio" else told.unit


def _time(told: _Told, value: Decimal) -> str:
    figure = None if told.declared is None else told.declared.figure
    return duration(value, figure.value.unit) if isinstance(figure, Availability) else str(value)


def _forecast(told: _Told, forecast: Forecast) -> str:
    noun = told.noun
    expected = spanish.counted(forecast.expected, noun.one, noun.many)
    where = "" if forecast.basis is VolumeBasis.DECLARED else f" ({forecast.window})"
    start = f"si llegan {expected}, como {_EARLIER[forecast.basis]}{where},"
    return f"{start} {_foretold(_Told(told.part, told.declared, forecast))}."


def _foretold(told: _Told) -> str:
    forecast, article = told.outlook, "las" if told.noun.ending == "a" else "los"
    open_ones = f"{article} {spanish.number(forecast.open)} que faltan"
    if forecast.prospect in (Prospect.SECURED, Prospect.SAFE):
        return "se cumple de todos modos"
    if forecast.prospect in (Prospect.BEHIND, Prospect.LOST):
        return (
            "no alcanza"
            if told.part.form == "count"
            else f"no alcanza aunque {open_ones} salgan bien"
        )
    if forecast.may_fail is None:
        return f"{open_ones} deben promediar {_needed(told)}"
    return f"de {open_ones} pueden fallar hasta {spanish.number(forecast.may_fail)}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _plural(count: int | Decimal) -> str:
    return "" if count == 1 else "n"
