"""Puts the code of a mutant in the place of the code of a function that is already imported."""

from __future__ import annotations

import ast
import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from tests.mutation.mutants import PROJECT, Mutant

Place = tuple[str, str, int]
"""A code object's file, qualified name and first line."""


def functions() -> Mapping[Place, list[FunctionType]]:
    """Return every function of this project that exists, decorated and wrapped ones included."""
    found: defaultdict[Place, list[FunctionType]] = defaultdict(list)
    gc.unfreeze()  # what is frozen is not among get_objects()
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(str(PROJECT)):
            found[_place(each.__code__)].append(each)
    return found


def put_in(mutant: Mutant, known: Mapping[Place, list[FunctionType]]) -> None:
    """Give the function its mutated code. Raises LookupError where there is no such function."""
    file = str(PROJECT / mutant.module)
    place = (file, mutant.function, mutant.first_line)
    source = mutant.source()
    code = next(each for each in _codes(compile(source, file, "exec")) if _place(each) == place)
    if not known.get(place):
        raise LookupError(place)
    for function in known[place]:
        function.__code__ = code
        _set_defaults(function, _node_of(source, mutant.first_line))


def _place(code: CodeType) -> Place:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _node_of(source: str, first_line: int) -> ast.FunctionDef:
    """Return the function whose decorators or own line come first on that line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            lines = [node.lineno, *(decorator.lineno for decorator in node.decorator_list)]
            if min(lines) == first_line:
                return node
    raise LookupError(first_line)


def _set_defaults(function: FunctionType, node: ast.FunctionDef) -> None:
    """Set the defaults that are written as constants; the others are not mutated."""
    given = function.__defaults__ or ()
    function.__defaults__ = (
        tuple(
            _constant(written, old) for written, old in zip(node.args.defaults, given, strict=True)
        )
        or None
    )
    for argument, written in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        defaults: dict[str, Any] = function.__kwdefaults__ or {}
        if written is not None:
            defaults[argument.arg] = _constant(written, defaults[argument.arg])


def _constant(written: ast.expr, old: object) -> object:
    return written.value if isinstance(written, ast.Constant) else old
