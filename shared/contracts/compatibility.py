"""Whether a message type's changed JSON Schema still fits what stands on its topic.

Messages are kept for 400 days and more: a new consumer must take every old one, and what an old
consumer reads must stay. What neither can do is a new message type (`….v2`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]

# A lower maximum and a higher minimum take less than before; so does any other pattern.
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_EXACT = ("const", "pattern", "format", "propertyNames", "patternProperties")


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """Return what a consumer could not take any more, each with its place; empty when compatible.

    `old` and `new` are JSON Schemas as pydantic makes them, definitions included.
    """
    return list(_Comparison(old, new).compare(old, new, "$"))


def is_compatible(old: Schema, new: Schema) -> bool:
    """Return whether messages of `old` and consumers of `old` go on under `new`."""
    return not incompatibilities(old, new)


@dataclass(slots=True)
class _Comparison:
    old_root: Schema
    new_root: Schema
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def compare(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair):
            if pair in self._seen:
                return
            self._seen.add(pair)
        old, new = _resolve(old, self.old_root), _resolve(new, self.new_root)
        if "anyOf" in old or "oneOf" in old or "anyOf" in new or "oneOf" in new:
            yield from self._alternatives(old, new, place)
            return
        yield from _narrowed(old, new, place)
        yield from self._members(old, new, place)
        for inner in ("items", "additionalProperties"):
            yield from self._inner(old.get(inner), new.get(inner), f"{place}[{inner}]")

    def _alternatives(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        """Each old alternative needs a new one that takes it."""
        offered = _alternatives_of(new)
        for number, alternative in enumerate(_alternatives_of(old)):
            fits = (self._fits(alternative, candidate) for candidate in offered)
            if not any(fits):
                yield f"{place}: alternative {number} is not taken any more"

    def _fits(self, old: Schema, new: Schema) -> bool:
        trial = _Comparison(self.old_root, self.new_root, set(self._seen))
        return not any(trial.compare(old, new, ""))

    def _members(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before.keys() - after.keys():
            yield f"{place}.{name}: removed"
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{place}.{name}: required now"
        for name in sorted(set(old.get("required", ())) - set(new.get("required", ()))):
            yield f"{place}.{name}: not required any more, and old consumers need it"
        for name in before.keys() & after.keys():
            yield from self.compare(before[name], after[name], f"{place}.{name}")

    def _inner(self, old: Any, new: Any, place: str) -> Iterator[str]:
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from self.compare(old, new, place)
        elif new is False and old is not False:
            yield f"{place}: closed"
        elif isinstance(new, Mapping) and new and not isinstance(old, Mapping) and old is not False:
            yield f"{place}: restricted"


def _resolve(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _alternatives_of(schema: Schema) -> list[Schema]:
    found: list[Schema] = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return found


def _narrowed(old: Schema, new: Schema, place: str) -> Iterator[str]:
    if "type" in new and old.get("type") not in (new["type"], "integer" if _number(new) else None):
        yield f"{place}: type {old.get('type')} became {new['type']}"
    if "enum" in new and (lost := set(old.get("enum", [...])) - set(new["enum"])):
        yield f"{place}: values removed: {sorted(map(str, lost))}"
    for name in _EXACT:
        if name in new and old.get(name) != new[name]:
            yield f"{place}: {name} changed"
    for name in _UPPER_BOUNDS:
        if name in new and (name not in old or new[name] < old[name]):
            yield f"{place}: {name} lowered"
    for name in _LOWER_BOUNDS:
        if name in new and (name not in old or new[name] > old[name]):
            yield f"{place}: {name} raised"


def _number(schema: Schema) -> bool:
    return schema.get("type") == "number"
