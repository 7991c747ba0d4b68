"""A mapping with the place of each of its members, for errors that can be found."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Self

import yaml
from pydantic import ValidationError

from services.measurements.domain.mapping import Mapping
from shared.errors import CartasError

MAX_MAPPING_BYTES = 256 * 1024
MAX_DEPTH = 24
MAX_FAULTS = 100
MERGE = "tag:yaml.org,2002:merge"


class MappingError(CartasError):
    """The mapping, or the file's header beside it, is wrong; the message has one line a fault."""


class MappingFile:
    """A mapping and the text it was written in."""

    def __init__(self, name: str, text: str) -> None:
        """Parse. Raises MappingError with every fault, each with its line."""
        self.name = name
        try:
            self._root, declared = _parsed(text)
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise MappingError(f"{name}:{line}: not YAML: {error.reason}") from None
        except yaml.MarkedYAMLError as error:
            raise MappingError(f"{name}:{_line(error)}: not YAML: {error.problem}") from None
        try:
            self.mapping = Mapping.model_validate(declared)
        except ValidationError as error:
            raise MappingError(self._faults(error)) from None

    @classmethod
    def from_bytes(cls, name: str, content: bytes) -> Self:
        """Parse what stands in a file. Raises MappingError."""
        if len(content) > MAX_MAPPING_BYTES:
            raise MappingError(f"{name}: larger than {MAX_MAPPING_BYTES} bytes")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise MappingError(f"{name}:{line}: not UTF-8") from None
        return cls(name, text)

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
        for fault in error.errors(include_input=False, include_url=False)[:MAX_FAULTS]:
            # Steps that tell one form of a member from another are not in the file.
            path = [step for step in fault["loc"] if not str(step).startswith("<")]
            where = ".".join(map(str, path)) or "mapping"
            faults.append(f"{self.name}:{self.line(path)}: {where}: {fault['msg']}")
        if error.error_count() > MAX_FAULTS:
            faults.append(f"{self.name}: and {error.error_count() - MAX_FAULTS} more faults")
        return "\n".join(faults)


def _step(node: "yaml.Node | None", step: str | int) -> "yaml.Node | None":
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item: yaml.Node = node.value[step]
        return item
    return None


def _line(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return 1 if mark is None else int(mark.line) + 1


def _parsed(text: str) -> tuple["yaml.Node | None", Any]:
    loader = _Loader(text)
    root = loader.get_single_node()
    return root, None if root is None else loader.construct_document(root)


class _Loader(yaml.SafeLoader):
    """What a mapping needs of YAML: no tags, no references, no key twice, no endless nesting.

    Whatever cannot be read raises MarkedYAMLError; a line is known of all but what is no text.
    """

    _depth = 0

    def compose_node(self, parent: "yaml.Node | None", index: int) -> "yaml.Node | None":
        """Compose what follows, unless it is refused."""
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        self._refuse_extras(event)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _refused(f"more than {MAX_DEPTH} levels", event)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    @staticmethod
    def _refuse_extras(event: "yaml.Event") -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refused("anchors and aliases are not taken", event)
        if getattr(event, "tag", None) is not None:
            raise _refused("tags are not taken", event)
        if any("\ud800" <= letter <= "\udfff" for letter in getattr(event, "value", "")):
            raise _refused("half a character", event)

    def construct_mapping(self, node: "yaml.MappingNode", deep: bool = False) -> dict[Any, Any]:
        """Construct it, unless a key stands in it twice or stands for other mappings."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                raise _refused("a key is a text", key)
            if key.value in seen:
                raise _refused(f'the key "{key.value}" stands here twice', key)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: "yaml.Node", deep: bool = False) -> Any:
        """Construct it; a date or a number that cannot be one is a fault like the others."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError):
            raise _refused("a value that cannot be read", node) from None


def _refused(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)
