"""YAML as plain text nodes that know their line; only what a catalogue needs, safe for any input.

Nothing is resolved: `2026-01-01`, `09:00` and `true` stay the text that the author wrote, and
whoever reads a field says what it must be. Anchors, aliases, tags and several documents are
refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from shared.authoring.faults import Fault, Report

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 24
MAX_NODES = 200_000
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
# What YAML 1.1 calls printable; libyaml refuses the rest without naming the line. Nor what it alone
# takes for the end of a line: every line named after one would be another than editors show.
_UNPRINTABLE = re.compile(
    "[^\x09\x0a\x0d\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd"
    "\U00010000-\U0010ffff]"
)


@dataclass(slots=True)
class Scalar:
    """A text, or None where the author left the value empty."""

    line: int
    text: str | None


@dataclass(slots=True)
class Items:
    """A list."""

    line: int
    nodes: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Keys in the author's order, with the line of each key."""

    line: int
    nodes: dict[str, "Node"] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


Node: TypeAlias = Scalar | Items | Mapping


class UnreadableError(Exception):
    """The file is no YAML that can be read further; `fault` says where and why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def parse(content: bytes, report: Report) -> Node:
    """Return the document's root. Repeated keys go to `report`; worse raises UnreadableError."""
    text = _decoded(content)
    try:
        return _Builder(report).build(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _unreadable(line, _problem(error)) from None
    except yaml.YAMLError:
        raise _unreadable(1, "no es YAML que se pueda leer") from None


def _unreadable(line: int, message: str) -> UnreadableError:
    return UnreadableError(Fault(line, "", message))


def _decoded(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise _unreadable(1, f"el archivo pesa más de {MAX_BYTES // 1024 // 1024} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(line, "el archivo debe estar en UTF-8") from None
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise _unreadable(line, f"hay un carácter no admitido (U+{ord(found[0]):04X})")
    return text


_PROBLEMS = (
    (
        "mapping values are not allowed",
        "sobra un «:» o la sangría no es la de su grupo; un texto con «:» va entre comillas",
    ),
    ("could not find expected ':'", "falta un «:» después de la clave"),
    ("did not find expected key", "se esperaba una clave; revise la sangría"),
    ("did not find expected '-'", "se esperaba un «-»; revise la sangría"),
    (
        "found character that cannot start",
        "hay un tabulador, o un signo sin comillas: van entre ellas '>=' y '%'",
    ),
    ("found unexpected end of stream", "faltan comillas o un corchete de cierre"),
    ("did not find expected ',' or", "falta una coma, un corchete o una llave de cierre"),
)


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem)
    known = (text for start, text in _PROBLEMS if start in problem)
    return "no es YAML válido: " + next(known, "revise la sangría, las comillas y los «:»")


class _Builder:
    """Builds nodes from parser events with its own stack: no depth of nesting can break it."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._open: list[Items | Mapping] = []
        self._keys: list[Scalar | None] = []
        self._root: Node | None = None
        self._count = 0

    def build(self, events: Iterator[yaml.Event]) -> Node:
        for event in events:
            mark = event.start_mark
            self._take(event, mark.line + 1 if mark else 1)
        if self._root is None:
            raise _unreadable(1, "el archivo está vacío")
        return self._root

    def _take(self, event: yaml.Event, line: int) -> None:
        if isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self._keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise _unreadable(line, "no se admiten alias («*nombre»); repita el texto")
        elif isinstance(event, yaml.NodeEvent):
            self._refuse_extras(event, line)
            self._add(_node(event, line))
        elif isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
            raise _unreadable(line, "el archivo debe tener un solo documento («---»)")

    def _refuse_extras(self, event: yaml.NodeEvent, line: int) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            raise _unreadable(line, f"el archivo tiene más de {MAX_NODES:,} elementos")
        if event.anchor is not None:
            raise _unreadable(line, "no se admiten anclas («&nombre»); repita el texto")
        if getattr(event, "tag", None) is not None:
            raise _unreadable(line, "no se admiten etiquetas («!nombre»); quítela")

    def _add(self, node: Node) -> None:
        if not self._open:
            self._root = node
        else:
            self._add_to(self._open[-1], node)
        if not isinstance(node, Scalar):
            if len(self._open) == MAX_DEPTH:
                raise _unreadable(node.line, f"hay más de {MAX_DEPTH} niveles, uno dentro de otro")
            self._open.append(node)
            self._keys.append(None)

    def _add_to(self, parent: Items | Mapping, node: Node) -> None:
        if isinstance(parent, Items):
            parent.nodes.append(node)
            return
        key = self._keys[-1]
        if key is None:
            self._keys[-1] = self._checked_key(parent, node)
            return
        name = key.text or ""
        parent.nodes.setdefault(name, node)
        parent.lines.setdefault(name, key.line)
        self._keys[-1] = None

    def _checked_key(self, parent: Mapping, node: Node) -> Scalar:
        if not isinstance(node, Scalar) or node.text is None:
            raise _unreadable(node.line, "la clave de un campo debe ser un texto")
        if node.text in parent.nodes:
            first = parent.lines[node.text]
            message = f"la clave «{node.text}» está repetida (ya está en la línea {first})"
            self._report.faults.append(Fault(node.line, "", message))
        return node


def _node(event: yaml.NodeEvent, line: int) -> Node:
    if isinstance(event, yaml.MappingStartEvent):
        return Mapping(line)
    if isinstance(event, yaml.SequenceStartEvent):
        return Items(line)
    assert isinstance(event, yaml.ScalarEvent)
    empty = not event.style and event.value in _NULLS
    return Scalar(line, None if empty else event.value)
