#!/usr/bin/env python3
"""Validates CycloneDX documents with the project's own library: its strict schema of 1.6, and that every reference in it is to something that is there.

    validate_cyclonedx.py FILE...

Prints a line a file; exits with 1 where one is not valid.
"""

import json
import sys

from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator


def refs(component):
    yield component["bom-ref"]
    for part in component.get("components", []):
        yield from refs(part)


def main():
    validator = make_schemabased_validator(OutputFormat.JSON, SchemaVersion.V1_6)
    failed = False
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            text = file.read()
        error = validator.validate_str(text)
        bom = json.loads(text)
        there = [bom["metadata"]["component"]["bom-ref"]] + [ref for component in bom["components"] for ref in refs(component)]
        named = {ref for composition in bom.get("compositions", []) for ref in composition["assemblies"]}
        wrong = error or (len(there) != len(set(there)) and "a bom-ref twice") or (named - set(there) or None)
        failed |= wrong is not None and wrong is not False
        print(f"{name}: {wrong or f'{len(there)} components'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
