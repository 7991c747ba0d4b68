"""API reference pages without scripts: OpenAPI and AsyncAPI as plain HTML."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/docs.css"></head>
<body><main><h1>{title}</h1><p>{description}</p>
<p>For programs: <a href="{source}">{source}</a></p>
{sections}</main></body></html>
"""
STYLE = """
body { font-family: system-ui, sans-serif; line-height: 1.45; margin: 0 auto; max-width: 60rem;
  padding: 1rem; color: #0b0c0c; background: #fff; }
h2 { border-top: 1px solid #b1b4b6; padding-top: 1rem; overflow-wrap: anywhere; }
pre { background: #f3f5f7; padding: 0.75rem; overflow: auto; max-height: 30rem; }
code { font-size: 0.95em; }
a { color: #1b4f8f; }
"""


def openapi_page(document: dict[str, Any]) -> str:
    """Return every operation with its parameters, body and answers."""
    sections = [
        _operation(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = document.get("components", {}).get("schemas", {})
    return _page(document["info"], "/openapi.json", [*sections, *_schemas(schemas)])


def asyncapi_page(document: dict[str, Any]) -> str:
    """Return every topic that is read or written, and the messages on it."""
    operations = document.get("operations", {}).values()
    actions = {
        operation["channel"]["$ref"].rpartition("/")[2]: operation["action"]
        for operation in operations
    }
    sections = [
        _channel(name, channel, actions.get(name, "send"))
        for name, channel in document.get("channels", {}).items()
    ]
    schemas = document.get("components", {}).get("schemas", {})
    return _page(document["info"], "/asyncapi.json", [*sections, *_schemas(schemas)])


def _page(info: dict[str, Any], source: str, sections: Iterable[str]) -> str:
    return _PAGE.format(
        title=escape(str(info["title"])),
        description=escape(str(info.get("description") or "")),
        source=source,
        sections="\n".join(sections),
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<li><code>{escape(parameter['name'])}</code> in {escape(parameter['in'])}"
        f"{', required' if parameter.get('required') else ''}</li>"
        for parameter in operation.get("parameters", [])
    )
    answers = ", ".join(
        f"{escape(status)} {escape(answer.get('description', ''))}"
        for status, answer in operation.get("responses", {}).items()
    )
    about = escape(operation.get("description") or operation.get("summary") or "")
    return (
        f"<section><h2><code>{escape(method.upper())} {escape(path)}</code></h2><p>{about}</p>"
        f"{f'<ul>{parameters}</ul>' if parameters else ''}<p>Answers: {answers}</p></section>"
    )


def _channel(name: str, channel: dict[str, Any], action: str) -> str:
    word = "reads" if action == "receive" else "writes"
    about = escape(str(channel.get("description") or ""))
    address = escape(str(channel.get("address") or name))
    return f"<section><h2>{word} <code>{address}</code></h2><p>{about}</p></section>"


def _schemas(schemas: dict[str, Any]) -> list[str]:
    return [
        f"<section><h2>{escape(name)}</h2><pre tabindex='0'>"
        f"{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre></section>"
        for name, schema in schemas.items()
    ]
