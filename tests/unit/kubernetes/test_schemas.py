"""Each object is what the API of Kubernetes, and of KEDA, takes; nothing in it is unknown there."""

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.support.kustomize import Manifest, build
from tests.unit.kubernetes.conftest import OVERLAY

VERSIONS = ("1.31", "1.37")
KEDA = "github.com/kedacore/keda/v2@v2.18.1"
KEDA_SUM = "h1:h6bRt/IOxxtZpJlHSqhdH/lcInH7Z9obxg/JvWOmGAw="
CUSTOM = {
    "ScaledObject": "scaledobjects",
    "TriggerAuthentication": "triggerauthentications",
}


def name_of(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def strict(schema: Any) -> Any:
    """The same schema where an object that names its members takes no others."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


@cache
def keda() -> Path:
    """The definitions of KEDA's own kinds, as Go's client has them; skips where it has none."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("go is not installed: it brings the definitions of KEDA's kinds")
    done = subprocess.run(
        [go, "mod", "download", "-json", KEDA], capture_output=True, timeout=60, check=False
    )
    module = json.loads(done.stdout or "{}")
    if "Dir" not in module:
        pytest.skip(f"{KEDA} cannot be had: {module.get('Error') or done.stderr.decode()[-300:]}")
    assert module["Sum"] == KEDA_SUM
    return Path(module["Dir"]) / "config" / "crd" / "bases"


def custom_schema(manifest: Manifest) -> Any:
    """The schema of the version that it names, with the metadata that every object has."""
    file = keda() / f"keda.sh_{CUSTOM[manifest['kind']]}.yaml"
    definition = yaml.safe_load(file.read_text())["spec"]
    group, _, version = manifest["apiVersion"].partition("/")
    assert (group, manifest["kind"]) == (definition["group"], definition["names"]["kind"])
    [found] = [each for each in definition["versions"] if each["name"] == version]
    return strict(found["schema"]["openAPIV3Schema"]) | {"additionalProperties": False}


def validate(manifest: Manifest) -> None:
    """Raise jsonschema.ValidationError where an API server would refuse it, or not know a word."""
    if manifest["kind"] in CUSTOM:
        jsonschema.validate(manifest, custom_schema(manifest))
        return
    for version in VERSIONS:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_every_object_fits_the_schema_of_its_kind(manifests: list[Manifest]) -> None:
    for manifest in manifests:
        if manifest["kind"] not in CUSTOM:
            validate(manifest)


def test_what_scales_by_lag_fits_the_definitions_of_keda(manifests: list[Manifest]) -> None:
    own = [manifest for manifest in manifests if manifest["kind"] in CUSTOM]
    assert own
    for manifest in own:
        validate(manifest)


@pytest.mark.parametrize(
    ("kind", "word"), [("Deployment", "replica"), ("ScaledObject", "maxReplicas")]
)
def test_a_word_that_the_api_does_not_know_is_found(
    manifests: list[Manifest], kind: str, word: str
) -> None:
    manifest = next(each for each in manifests if each["kind"] == kind)
    manifest["spec"][word] = 2
    with pytest.raises(jsonschema.ValidationError, match=word):
        validate(manifest)


def test_no_two_objects_have_one_name(manifests: list[Manifest]) -> None:
    names = [name_of(manifest) for manifest in manifests]
    assert len(set(names)) == len(names)


def test_kustomize_builds_the_same() -> None:
    """Whichever program is there; our own reading of a kustomization is what other tests use."""
    program = next(
        (found for name in ("kustomize", "kubectl") if (found := shutil.which(name))), ""
    )
    if not program:
        pytest.skip("neither kustomize nor kubectl is installed")
    word = "build" if program.endswith("kustomize") else "kustomize"
    built = subprocess.run([program, word, str(OVERLAY)], capture_output=True, check=True)
    theirs = [each for each in yaml.safe_load_all(without_hash(built.stdout.decode())) if each]
    ours = build(OVERLAY)
    assert sorted(theirs, key=name_of) == sorted(ours, key=name_of)


def without_hash(text: str) -> str:
    return re.sub(r"\b(cartas-settings)-[a-z0-9]{10}\b", r"\1", text)
