"""Reads a draft from its file: YAML as plain data, whoever wrote it."""

import json
from pathlib import Path

import yaml
from pydantic import ValidationError

from services.evaluator.domain.drafts import Draft, DraftError

MAX_BYTES = 64 * 1024


def read_draft(file: Path) -> Draft:
    """Return the draft. Raises DraftError, which names each field that is wrong."""
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DraftError(f"more than {MAX_BYTES} bytes")
    try:
        _refuse_references(content)
        # As JSON, so that what YAML takes for a date or a float is read as the model says.
        said = json.dumps(yaml.safe_load(content), default=str)
        return Draft.model_validate_json(said)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        told = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise DraftError("; ".join(told)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DraftError(f"not YAML: {error}") from error


def _refuse_references(content: bytes) -> None:
    """A few aliases of aliases are billions of nodes."""
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(content)):
        raise DraftError("aliases (*name) are not read")
