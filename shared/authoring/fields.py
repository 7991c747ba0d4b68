"""Typed fields of a catalogue, read from marked nodes; every fault is noted and reading goes on.

A field with a fault gives a stand-in, so that one run shows all faults; nothing that was read from
a file with faults is ever used.
"""

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from pydantic import JsonValue

from shared.authoring.faults import Fault, Report
from shared.authoring.marked_yaml import Items, Mapping, Node, Scalar
from shared.criteria.words import alternatives

T = TypeVar("T")

CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
EVENT_KIND: Final = re.compile(r"(?=.{1,64}\Z)[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
CODE_EXPECTED: Final = "un código de letras sin acento, dígitos y _ . : - (hasta 64, sin espacios)"
EVENT_EXPECTED: Final = "un tipo de evento como ticket.issued"
NO_TEXT: Final = "?"
NO_CODE: Final = "sin-codigo"
NO_EVENT: Final = "sin.evento"
NO_DATE: Final = date(2000, 1, 1)
MAX_TEXT = 2000
MAX_ITEMS = 5000
FEW: Final = 5
"""So many names are listed whole in a message; of more, the nearest."""
NEAREST: Final = 3
_INTEGER = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"[0-9]{1,7}(\.[0-9]{1,3})?")
_YES = frozenset({"true", "sí", "si"})
_NO = frozenset({"false", "no"})


class Section:
    """One mapping of the file. Getters take the author's own keys; `close` finds unknown ones."""

    def __init__(self, node: Node, path: str, report: Report) -> None:
        self.path = path
        self.report = report
        self.line = node.line
        self._used: set[str] = set()
        if not isinstance(node, Mapping):
            self.fault(None, "se esperaba un grupo de campos «clave: valor»")
            node = Mapping(node.line)
        self._node = node

    def fault(self, key: str | None, message: str) -> None:
        """Note a fault of a field, or of the whole section when `key` is None."""
        self.report.faults.append(self._placed(key, message))

    def warn(self, key: str | None, message: str) -> None:
        """Note something doubtful that does not stop the load."""
        self.report.warnings.append(self._placed(key, message))

    def _placed(self, key: str | None, message: str) -> Fault:
        if key is None:
            return Fault(self.line, self.path, message)
        return Fault(self._node.lines.get(key, self.line), self.path_of(key), message)

    def path_of(self, key: str) -> str:
        """Return the author's path of a field."""
        return f"{self.path}.{key}" if self.path else key

    def __contains__(self, key: str) -> bool:
        return self._present(key) is not None

    def names(self) -> tuple[str, ...]:
        """Return the keys as written."""
        return tuple(self._node.nodes)

    def line_of(self, key: str) -> int:
        """Return the line of a key, or of the section where the key is absent."""
        return self._node.lines.get(key, self.line)

    def peek(self, key: str) -> Node | None:
        """Return what the author wrote under `key`, or None; that makes no key known."""
        return self._present(key)

    def node(self, key: str) -> Node | None:
        """Return what the author wrote under `key`, or None; the key counts as known."""
        self._used.add(key)
        return self._present(key)

    def _present(self, key: str) -> Node | None:
        found = self._node.nodes.get(key)
        return None if isinstance(found, Scalar) and found.text is None else found

    def is_group(self, key: str) -> bool:
        """Say whether the author wrote a group of fields under `key`."""
        return isinstance(self._present(key), Mapping)

    def ignore(self, *keys: str) -> None:
        """Accept fields that explain something to people and that nothing is made of."""
        self._used.update(keys)

    def close(self) -> None:
        """Note every key that nobody asked for: a misspelt field must not be lost in silence."""
        for key in self._node.nodes:
            if key not in self._used:
                self.fault(key, f"campo desconocido{self._hint(key)}")

    def _hint(self, key: str) -> str:
        """A figure alone is the rest of one with a comma: `{valor: 20,5}` has a key 5."""
        if _INTEGER.fullmatch(key):
            return "; un número va con punto decimal y sin comas"
        near = difflib.get_close_matches(key, self._used, n=1)
        return f"; ¿quiso decir «{near[0]}»?" if near else ""

    def _scalar(self, key: str) -> str | None:
        """Return the text of a field; None, and the fault noted, where it is missing or no text."""
        node = self.node(key)
        if node is None:
            self.fault(key, "falta este campo")
            return None
        if not isinstance(node, Scalar) or node.text is None:
            self.fault(key, "se esperaba un solo valor, no una lista ni un grupo")
            return None
        return node.text.strip()

    def text(self, key: str, *, longest: int = MAX_TEXT) -> str:
        """Return a text of 1 to `longest` characters."""
        text = self._scalar(key)
        if text is None:
            return NO_TEXT
        if not 1 <= len(text) <= longest:
            self.fault(key, f"se esperaba un texto de 1 a {longest} caracteres")
            return NO_TEXT
        return text

    def optional_text(self, key: str, *, longest: int = MAX_TEXT) -> str | None:
        """Return a text, or None where the field is absent or empty."""
        return None if self.node(key) is None else self.text(key, longest=longest)

    def matching(self, key: str, pattern: re.Pattern[str], expected: str, *, stand_in: str) -> str:
        """Return a text that matches the whole of `pattern`; `expected` says so to the author."""
        text = self._scalar(key)
        if text is None:
            return stand_in
        if not pattern.fullmatch(text):
            self.fault(key, f"se esperaba {expected}, no «{_short(text)}»")
            return stand_in
        return text

    def code(self, key: str) -> str:
        """Return an identifier: letters, digits and _ . : - up to 64, without spaces or accents."""
        return self.matching(key, CODE, CODE_EXPECTED, stand_in=NO_CODE)

    def event(self, key: str) -> str:
        """Return the kind of an event, such as `ticket.issued`."""
        return self.matching(key, EVENT_KIND, EVENT_EXPECTED, stand_in=NO_EVENT)

    def integer(self, key: str, lowest: int, highest: int, *, default: int | None = None) -> int:
        """Return a whole number within both bounds."""
        if default is not None and self.node(key) is None:
            return default
        text = self._scalar(key)
        if text is None:
            return lowest
        if _INTEGER.fullmatch(text) and lowest <= int(text) <= highest:
            return int(text)
        self.fault(key, f"se esperaba un entero de {lowest} a {highest}, no «{_short(text)}»")
        return lowest

    def decimal(self, key: str, highest: int) -> Decimal:
        """Return an exact number from 0 to `highest`."""
        text = self._scalar(key)
        value = None if text is None else as_decimal(text, highest)
        if text is not None and value is None:
            hint = "; va con punto decimal y sin signos" if {",", "%"} & set(text) else ""
            self.fault(key, f"se esperaba un número de 0 a {highest}, no «{_short(text)}»{hint}")
        return Decimal(0) if value is None else value

    def optional_decimal(self, key: str, highest: int) -> Decimal | None:
        """Return an exact number, or None where the field is absent."""
        return None if self.node(key) is None else self.decimal(key, highest)

    def day(self, key: str) -> date:
        """Return a date written as year-month-day."""
        text = self._scalar(key)
        if text is None:
            return NO_DATE
        value = as_date(text)
        if value is None:
            self.fault(key, f"se esperaba una fecha como 2026-09-16, no «{_short(text)}»")
            return NO_DATE
        return value

    def optional_day(self, key: str) -> date | None:
        """Return a date, or None where the field is absent."""
        return None if self.node(key) is None else self.day(key)

    def boolean(self, key: str, *, default: bool) -> bool:
        """Return yes or no: `true`, `false`, `sí`, `no`."""
        if self.node(key) is None:
            return default
        text = (self._scalar(key) or "").lower()
        if text not in _YES | _NO:
            self.fault(key, f"se esperaba true o false, no «{_short(text)}»")
        return text in _YES

    def choice(
        self,
        key: str,
        choices: MappingOf[str, T],
        *,
        default: str | None = None,
        otherwise: T | None = None,
    ) -> T:
        """Return the meaning of one of a closed list of words.

        `default` is the word where the field is absent, `otherwise` stands in where it is wrong.
        """
        if default is not None and self.node(key) is None:
            return choices[default]
        text = self._scalar(key)
        if text is not None and text in choices:
            return choices[text]
        if text is not None:
            self.fault(key, f"se esperaba uno de: {', '.join(choices)}; no «{_short(text)}»")
        return otherwise if otherwise is not None else next(iter(choices.values()))

    def section(self, key: str) -> "Section":
        """Return a group of fields that must be there."""
        node = self.node(key)
        if node is None:
            return _Absent(self, key)
        return Section(node, self.path_of(key), self.report)

    def optional_section(self, key: str) -> "Section | None":
        """Return a group of fields, or None where it is absent."""
        return None if self.node(key) is None else self.section(key)

    def sections(self, key: str, named_by: str | None = None) -> list["Section"]:
        """Return the groups of a list, each path naming the group by its field `named_by`."""
        return [
            Section(node, f"{self.path_of(key)}[{_name(node, named_by) or place}]", self.report)
            for place, node in enumerate(self._items(key), start=1)
        ]

    def _items(self, key: str) -> list[Node]:
        node = self.node(key)
        if node is None:
            return []
        if not isinstance(node, Items):
            self.fault(key, "se esperaba una lista")
            return []
        if len(node.nodes) > MAX_ITEMS:
            self.fault(key, f"se esperaban a lo sumo {MAX_ITEMS} elementos")
            return []
        return node.nodes

    def words(
        self, key: str, pattern: re.Pattern[str], expected: str, *, most: int = 50
    ) -> tuple[str, ...]:
        """Return the texts of a list; a single text counts as a list of one."""
        node = self.node(key)
        nodes = [node] if isinstance(node, Scalar) else self._items(key)
        if len(nodes) > most:
            self.fault(key, f"se esperaban a lo sumo {most} elementos")
            return ()
        return tuple(text for place in nodes if (text := self._word(key, place, pattern, expected)))

    def _word(self, key: str, node: Node, pattern: re.Pattern[str], expected: str) -> str | None:
        text = node.text.strip() if isinstance(node, Scalar) and node.text else None
        if text is None or not pattern.fullmatch(text):
            shown = "otra cosa" if text is None else f"«{_short(text)}»"
            message = f"se esperaba en la lista {expected}, no {shown}"
            self.report.faults.append(Fault(node.line, self.path_of(key), message))
            return None
        return text

    def plain(self) -> dict[str, JsonValue]:
        """Return the section as the author wrote it, numbers and dates as text."""
        return {key: plain(node) for key, node in self._node.nodes.items()}


class _Absent(Section):
    """Stands in for a group that is missing: one fault, which names the fields it must have."""

    def __init__(self, owner: Section, key: str) -> None:
        super().__init__(Mapping(owner.line), owner.path_of(key), owner.report)
        self._missed: list[str] = []
        self._place: int | None = None
        if not isinstance(owner, _Absent):
            self._place = len(self.report.faults)
        owner.fault(key, "falta este grupo de campos")

    def fault(self, key: str | None, message: str) -> None:
        """Add a field to those that the group must have."""
        if self._place is None or key is None or key in self._missed:
            return
        self._missed.append(key)
        noted = self.report.faults[self._place]
        told = f"falta este grupo de campos: {', '.join(self._missed)}"
        self.report.faults[self._place] = replace(noted, message=told)


def plain(node: Node) -> JsonValue:
    """Return a node as JSON: texts stay as written, so that no number is rounded."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Items):
        return [plain(each) for each in node.nodes]
    return {key: plain(each) for key, each in node.nodes.items()}


def as_decimal(text: str, highest: int) -> Decimal | None:
    """Return the number, or None where it is none or is beyond `highest`."""
    if not _NUMBER.fullmatch(text):
        return None
    value = Decimal(text)
    return value if value <= highest else None


def as_date(text: str) -> date | None:
    """Return a date between 1990 and 2100 written as year-month-day, or None."""
    try:
        value = date.fromisoformat(text)
    except ValueError:
        return None
    return value if len(text) == 10 and 1990 <= value.year <= 2100 else None


def slug(text: str) -> str:
    """Return a code made from a name: lower case, without accents, words joined by hyphens."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[:64].strip("-")


def listed(words: Iterable[str]) -> str:
    """Return words for a message, or that there are none."""
    return ", ".join(words) or "(no hay ninguno)"


def suggested(name: str, known: Collection[str], *, also: Collection[str] = ()) -> str:
    """Return the end of a message about a name that is not known: all that there are, if few.

    Else how many there are, and the nearest three among them and what they are `also` called.
    """
    if len(known) <= FEW:
        return f"; hay: {', '.join(known)}" if known else "; no hay ninguno"
    return f" (hay {len(known)}){nearest(name, (*known, *also))}"


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return the question whether one of the nearest three was meant, or nothing."""
    lowered = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), lowered, n=NEAREST, cutoff=cutoff)
    quoted = [f"«{lowered[each]}»" for each in near]
    return f"; ¿quiso decir {alternatives(quoted)}?" if near else ""


def _name(node: Node, named_by: str | None) -> str | None:
    if named_by is None or not isinstance(node, Mapping):
        return None
    name = node.nodes.get(named_by)
    return _short(name.text) if isinstance(name, Scalar) and name.text else None


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
