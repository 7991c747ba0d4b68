"""The mutants of a module: what is changed, where, and how it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Final

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

PROJECT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("shared/criteria", "shared/worktime")
_UNTOUCHED_CALLS: Final = {"len", "isinstance"}
_CONTEXT: Final = 24
"""Characters that are shown on either side of a change."""


@dataclass(frozen=True, slots=True, eq=False)
class Mutant:
    """One change in `function`, whose code begins on `first_line` (decorators included).

    `lines` are those of the changed node. `change` tells it from the function's other mutants.
    """

    module: str
    function: str
    first_line: int
    lines: range
    change: str
    of: str
    node: cst.CSTNode
    replacement: cst.CSTNode
    tree: cst.Module

    @property
    def key(self) -> str:
        """The same as long as the function's text is."""
        return sha256(f"{self.module}\0{self.of}\0{self.change}".encode()).hexdigest()[:20]

    def source(self) -> str:
        """Return the whole module with the change."""
        changed = self.tree.deep_replace(self.node, self.replacement)
        assert isinstance(changed, cst.Module)
        return changed.code


def modules() -> tuple[str, ...]:
    """Return the files that are mutated, by path; those that only import have no mutants."""
    files = sorted(file for package in PACKAGES for file in (PROJECT / package).glob("*.py"))
    return tuple(str(file.relative_to(PROJECT)) for file in files if file.name != "__init__.py")


def mutants_of(module: str) -> list[Mutant]:
    """Return every mutant of a file, in the order of its text."""
    wrapper = MetadataWrapper(cst.parse_module((PROJECT / module).read_text(encoding="utf-8")))
    finder = _Finder(module, wrapper.module)
    wrapper.visit(finder)
    return finder.found


class _Finder(cst.CSTVisitor):
    """Walks the functions; annotations, decorators and texts of exceptions stay as they are."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, module: str, tree: cst.Module) -> None:
        super().__init__()
        self.found: list[Mutant] = []
        self._module = module
        self._tree = tree
        self._names: list[str] = []
        self._function: tuple[cst.FunctionDef, str, str] | None = None
        self._raising = 0
        self._seen: Counter[tuple[str, str]] = Counter()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.Decorator) or _is_untouched(node):
            return False
        if isinstance(node, cst.ClassDef):
            self._names.append(node.name.value)
        elif isinstance(node, cst.FunctionDef) and self._function is None:
            name = ".".join([*self._names, node.name.value])
            self._function = node, name, self._tree.code_for_node(node).strip()
        self._raising += isinstance(node, cst.Raise)
        if self._function is not None:
            self.found.extend(self._mutants(node))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.ClassDef):
            self._names.pop()
        elif self._function is not None and original_node is self._function[0]:
            self._function = None
        self._raising -= isinstance(original_node, cst.Raise)

    def _mutants(self, node: cst.CSTNode) -> Iterator[Mutant]:
        assert self._function is not None
        function, name, text = self._function
        for kind, operator in mutation_operators:
            if not isinstance(node, kind) or (self._raising and operator is operator_string):
                continue
            for replacement in operator(node):
                change = self._change(name, node, replacement)
                yield Mutant(
                    module=self._module,
                    function=name,
                    first_line=self._first_line(function),
                    lines=self._lines(node),
                    change=change,
                    of=text,
                    node=node,
                    replacement=replacement,
                    tree=self._tree,
                )

    def _change(self, function: str, node: cst.CSTNode, replacement: cst.CSTNode) -> str:
        change = _difference(self._text(node), self._text(replacement))
        self._seen[function, change] += 1
        number = self._seen[function, change]
        return change if number == 1 else f"{change} #{number}"

    def _text(self, node: cst.CSTNode) -> str:
        return " ".join(self._tree.code_for_node(node).split())

    def _first_line(self, function: cst.FunctionDef) -> int:
        return min(self._range(each).start.line for each in (function, *function.decorators))

    def _lines(self, node: cst.CSTNode) -> range:
        found = self._range(node)
        return range(found.start.line, found.end.line + 1)

    def _range(self, node: cst.CSTNode) -> CodeRange:
        found = self.get_metadata(PositionProvider, node)
        assert isinstance(found, CodeRange)
        return found


def _is_untouched(node: cst.CSTNode) -> bool:
    """Return whether a change would be nonsense: isinstance() and len() of something else."""
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value in _UNTOUCHED_CALLS
    )


def _difference(before: str, after: str) -> str:
    """Write a change as `before → after`; what is alike at either end of long ones is left out."""
    head = _alike(before, after)
    tail = _alike(before[head:][::-1], after[head:][::-1])
    skipped = max(head - _CONTEXT, 0), max(tail - _CONTEXT, 0)
    return f"{_shown(before, *skipped)} → {_shown(after, *skipped)}"


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts begin with in common."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _shown(text: str, head: int, tail: int) -> str:
    """Leave out whole words only where more than a mark's width is gained."""
    start, end = (head if head > 3 else 0), (tail if tail > 3 else 0)
    return ("…" if start else "") + text[start : len(text) - end] + ("…" if end else "")
