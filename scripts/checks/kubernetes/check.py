"""Manifests in a page against the schema that a CustomResourceDefinition has for their kind."""

import re
import sys
from pathlib import Path

import yaml

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


def wrong(value: object, schema: dict, place: str) -> list[str]:
    """What the schema has against the value; fields that it does not know are wrong too."""
    if schema.get("x-kubernetes-int-or-string"):
        return [] if isinstance(value, (int, str)) else [f"{place} must be a number or a text"]
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return [f"{place} must be of type {kind}, but is {value!r}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place} must be one of {schema['enum']}, but is {value!r}")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{place} must be at least {schema['minimum']}, but is {value}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{place} does not match {schema['pattern']}: {value!r}")
    if isinstance(value, dict):
        found += [f"{place} lacks {name}" for name in schema.get("required", []) if name not in value]
        known, other = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            if name in known:
                found += wrong(inner, known[name], f"{place}.{name}")
            elif isinstance(other, dict):
                found += wrong(inner, other, f"{place}.{name}")
            elif not (other or schema.get("x-kubernetes-preserve-unknown-fields") or (place.endswith(".metadata") and not known)):
                found.append(f"{place} has no {name}")
    if isinstance(value, list):
        for i, inner in enumerate(value):
            found += wrong(inner, schema.get("items", {}), f"{place}[{i}]")
    return found


def main(page: str, definition: str) -> int:
    crd = next(one for one in yaml.safe_load_all(Path(definition).read_text()) if one)
    spec = crd["spec"]
    schemas = {f"{spec['group']}/{one['name']}": one["schema"]["openAPIV3Schema"] for one in spec["versions"]}
    blocks = re.findall(r"^```yaml\n(.*?)^```", Path(page).read_text(), re.S | re.M)
    manifests = [one for block in blocks for one in yaml.safe_load_all(block) if one.get("kind") == spec["names"]["kind"]]
    found = [
        sentence
        for one in manifests
        for sentence in (
            wrong(one, schemas[one["apiVersion"]], one["kind"])
            if one["apiVersion"] in schemas
            else [f"{one['apiVersion']} is none of {', '.join(schemas)}"]
        )
    ]
    print("\n".join(found) or f"kubernetes: {len(manifests)} manifest of kind {spec['names']['kind']} fits {', '.join(schemas)}")
    return 1 if found or not manifests else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
