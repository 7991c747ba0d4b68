"""A browser without scripts: it follows links, fills in the forms it was shown, keeps cookies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self

import httpx


@dataclass(slots=True)
class Form:
    """A form as it was shown: where it goes, what it holds, which buttons it has."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    offered: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def has(self, name: str) -> bool:
        return name in self.values or name in self.offered


@dataclass(slots=True)
class Page:
    """An answer with its visible text and its forms."""

    status: int
    address: str
    html: str
    text: str
    forms: list[Form]

    def form(self, name: str, value: str | None = None) -> Form:
        """The form that has this field, or this button where a value is given."""
        for each in self.forms:
            if (name, value) in each.buttons or (value is None and each.has(name)):
                return each
        raise AssertionError(f"no form with {name} {value or ''} on {self.address}: {self.text}")


class _Reader(HTMLParser):
    """Gathers forms and text."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(found.get("action", ""))
            self.forms.append(self._form)
        elif self._form is not None:
            self._field(tag, found, self._form)

    def _field(self, tag: str, found: Mapping[str, str], form: Form) -> None:
        name, value = found.get("name", ""), found.get("value", "")
        if tag == "input" and found.get("type") in ("radio", "checkbox"):
            form.offered.setdefault(name, []).append(value)
            if "checked" in found:
                form.values[name] = value
        elif tag == "input" and name:
            form.values[name] = value
        elif tag == "textarea":
            self._area = name
            form.values[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select is not None:
            form.offered.setdefault(self._select, []).append(value)
            if "selected" in found or self._select not in form.values:
                form.values[self._select] = value
        elif tag == "button" and name:
            form.buttons.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None and self._form is not None:
            self._form.values[self._area] += data
        self.words.append(data)


class Browser:
    """One visitor."""

    def __init__(self, address: str) -> None:
        self._http = httpx.AsyncClient(base_url=address, timeout=20, follow_redirects=True)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def open(self, address: str) -> Page:
        return _page(await self._http.get(address))

    async def submit(
        self, form: Form, button: tuple[str, str] | None = None, **values: str
    ) -> Page:
        """Send the form with these answers; what it does not offer cannot be chosen."""
        for name, value in values.items():
            assert form.has(name), f"no field {name}"
            assert value in form.offered.get(name, [value]), f"{name} does not offer {value}"
        sent = {**form.values, **values}
        if button is not None:
            assert button in form.buttons, form.buttons
            sent[button[0]] = button[1]
        return _page(await self._http.post(form.action, data=sent))


def _page(response: httpx.Response) -> Page:
    reader = _Reader()
    reader.feed(response.text)
    text = " ".join(" ".join(reader.words).split())
    return Page(response.status_code, str(response.url), response.text, text, reader.forms)
