"""What `kustomize build` makes of a folder, as far as ours use it: no program is needed for it.

Of a kustomization it knows resources, namespace, images, configMapGenerator (from .env files,
created or merged) and patches of which each is a file that is merged into the object it names.
Anything else is refused. Names of ConfigMaps get no hash. A test compares it with the real program.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

Manifest = dict[str, Any]
KNOWN: Final = {
    "apiVersion",
    "kind",
    "resources",
    "namespace",
    "images",
    "configMapGenerator",
    "patches",
}
OF_THE_CLUSTER: Final = {"Namespace"}


def build(folder: Path) -> list[Manifest]:
    """Return the objects. Raises ValueError at what it does not know."""
    said = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := said.keys() - KNOWN:
        raise ValueError(f"{folder}: {unknown}")
    found = [each for name in said["resources"] for each in _resource(folder / name)]
    for generator in said.get("configMapGenerator", ()):
        _generate(found, generator, folder)
    for patch in said.get("patches", ()):
        _patch(found, yaml.safe_load((folder / patch["path"]).read_text()))
    for image in said.get("images", ()):
        _rename_images(found, image)
    for manifest in found:
        if "namespace" in said and manifest["kind"] not in OF_THE_CLUSTER:
            manifest["metadata"]["namespace"] = said["namespace"]
    return found


def _resource(path: Path) -> list[Manifest]:
    if path.is_dir():
        return build(path.resolve())
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def _generate(found: list[Manifest], generator: Manifest, folder: Path) -> None:
    data = {
        name: value
        for file in generator["envs"]
        for name, _, value in _assignments((folder / file).read_text())
    }
    if generator.get("behavior") == "merge":
        _only(found, "ConfigMap", generator["name"])["data"].update(data)
        return
    metadata = {"name": generator["name"]}
    found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def _assignments(text: str) -> Iterator[tuple[str, str, str]]:
    lines = (line.strip() for line in text.splitlines())
    return (line.partition("=") for line in lines if line and not line.startswith("#"))


def _only(found: list[Manifest], kind: str, name: str) -> Manifest:
    [one] = [each for each in found if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return one


def _patch(found: list[Manifest], patch: Manifest) -> None:
    _merge(_only(found, patch["kind"], patch["metadata"]["name"]), patch)


def _merge(into: Manifest, patch: Manifest) -> None:
    for name, value in patch.items():
        assert not isinstance(value, list), f"{name}: how lists are merged depends on the kind"
        if isinstance(value, dict):
            _merge(into.setdefault(name, {}), value)
        else:
            into[name] = value


def _rename_images(found: list[Manifest], image: Manifest) -> None:
    for container in (each for manifest in found for each in containers(manifest)):
        if container["image"] == image["name"]:
            container["image"] = f"{image['newName']}:{image['newTag']}"


def containers(manifest: Manifest) -> Iterator[Manifest]:
    """Yield the containers of a Deployment or a Job, those that run first included."""
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    yield from pod.get("initContainers", ())
    yield from pod.get("containers", ())
