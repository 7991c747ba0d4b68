"""A mapping with the place of each of its members, for errors that can be found."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from services.measurements.domain.mapping import Mapping
from shared.errors import CartasError

MAX_MAPPING_BYTES = 256 * 1024


class MappingError(CartasError):
    """The mapping, or the file's header beside it, is wrong; the message has one line a fault."""


class MappingFile:
    """A mapping and the text it was written in."""

    def __init__(self, name: str, text: str) -> None:
        """Parse. Raises MappingError with every fault, each with its line."""
        self.name = name
        if len(text) > MAX_MAPPING_BYTES:
            raise MappingError(f"{name}: larger than {MAX_MAPPING_BYTES} bytes")
        try:
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
            declared: Any = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise MappingError(f"{name}: not YAML: {_where(error)}") from None
        try:
            self.mapping = Mapping.model_validate(declared)
        except ValidationError as error:
            raise MappingError(self._faults(error)) from None

    def check_header(self, file: str, header: Sequence[str]) -> None:
        """Raise MappingError unless the file has every column that the mapping names, once."""
        present = Counter(header)
        faults = [
            f'{file}: there is no column "{column}", named in {self.name}:{self.line(path)}'
            if not present[column]
            else f'{file}: {present[column]} columns are named "{column}",'
            f" as in {self.name}:{self.line(path)}"
            for column, path in self.mapping.columns()
            if present[column] != 1
        ]
        if faults:
            columns = ", ".join(sorted(present))
            raise MappingError("\n".join([*faults, f"{file}: its columns are: {columns}"]))

    def line(self, path: Iterable[str | int]) -> int:
        """Return the line of a member, or of the nearest one around it that there is."""
        node = self._root
        for step in path:
            inner = _step(node, step)
            if inner is None:
                break
            node = inner
        return 1 if node is None else int(node.start_mark.line) + 1

    def _faults(self, error: ValidationError) -> str:
        faults = []
        for fault in error.errors(include_input=False, include_url=False):
            # Steps that tell one form of a member from another are not in the file.
            path = [step for step in fault["loc"] if not str(step).startswith("<")]
            where = ".".join(map(str, path)) or "mapping"
            faults.append(f"{self.name}:{self.line(path)}: {where}: {fault['msg']}")
        return "\n".join(faults)


def _step(node: "yaml.Node | None", step: str | int) -> "yaml.Node | None":
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item: yaml.Node = node.value[step]
        return item
    return None


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or type(error).__name__
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem)
