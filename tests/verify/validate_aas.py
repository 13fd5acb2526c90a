#!/usr/bin/env python3
"""Validates environments of Asset Administration Shells (JSON) with two implementations that are not ours, and holds them against their templates.

    validate_aas.py FILE...

1. aas-core (the metamodel's own reference: https://github.com/aas-core-works): the whole of IDTA 01001-3-0 with its constraints.
2. aas-test-engines (the Industrial Digital Twin Association's official test tooling): the same, by other code. Of templates it knows IDTA 02006-2-0 alone, so
3. IDTA 02006-3-0-1 clause 3.1 and IDTA 02007-1-0 table 3, copied by hand: names, kinds, what they are meant by, how often they may stand.
4. Each reference leads to something that is there, and nothing lies about that no shell has.

Prints a line a file; exits with 1 where one is not valid.
"""

import json
import sys

from aas_core3 import jsonization, verification
from aas_test_engines import file as engine

# idShort: kind, type of its value, semanticId, demanded.
NAMEPLATE = {
    "URIOfTheProduct": ("Property", "xs:anyURI", "0112/2///61987#ABN590#002", True),
    "ManufacturerName": ("MultiLanguageProperty", None, "0112/2///61987#ABA565#009", True),
    "ManufacturerProductDesignation": ("MultiLanguageProperty", None, "0112/2///61987#ABA567#009", True),
    "AddressInformation": (
        "SubmodelElementCollection", None, "https://admin-shell.io/zvei/nameplate/1/0/ContactInformations/AddressInformation", True),
    "ManufacturerProductRoot": ("MultiLanguageProperty", None, "0112/2///61360_7#AAS011#001", False),
    "ManufacturerProductFamily": ("MultiLanguageProperty", None, "0112/2///61987#ABP464#002", False),
    "ManufacturerProductType": ("Property", "xs:string", "0112/2///61987#ABA300#008", False),
    "OrderCodeOfManufacturer": ("Property", "xs:string", "0112/2///61987#ABA950#008", True),
    "ProductArticleNumberOfManufacturer": ("Property", "xs:string", "0112/2///61987#ABA581#007", False),
    "SerialNumber": ("Property", "xs:string", "0112/2///61987#ABA951#009", False),
    "YearOfConstruction": ("Property", "xs:string", "0112/2///61987#ABP000#002", False),
    "DateOfManufacture": ("Property", "xs:date", "0112/2///61987#ABB757#007", False),
    "HardwareVersion": ("Property", "xs:string", "0112/2///61987#ABA926#008", False),
    "FirmwareVersion": ("Property", "xs:string", "0112/2///61987#ABA302#006", False),
    "SoftwareVersion": ("Property", "xs:string", "0112/2///61987#ABA601#008", False),
    "CountryOfOrigin": ("Property", "xs:string", "0112/2///61987#ABP462#001", False),
    "AssetSpecificProperties": ("SubmodelElementCollection", None, "0173-1#02-ABI218#003/0173-1#01-AGZ672#004", False),
}
SOFTWARE = "https://admin-shell.io/idta/SoftwareNameplate/1/0"
INSTANCE = {
    name: ("Property", "xs:string", f"{SOFTWARE}/SoftwareNameplate/SoftwareNameplateInstance/{name}", False)
    for name in ("InstanceName", "InstalledVersion", "InstalledOnHost")
}
TEMPLATES = {
    "Nameplate": ("https://admin-shell.io/idta/nameplate/3/0/Nameplate", NAMEPLATE),
    "SoftwareNameplate": (
        SOFTWARE, {"SoftwareNameplate_Instance": ("SubmodelElementCollection", None, f"{SOFTWARE}/SoftwareNameplateInstance", False)}),
}


def meant(element):
    return element["semanticId"]["keys"][0]["value"]


def against(elements, template):
    names = [element["idShort"] for element in elements]
    for name in set(names):
        if names.count(name) > 1:
            yield f"{name} stands {names.count(name)} times"
        if name not in template:
            yield f"{name} is not of the template"
    for element in elements:
        kind, value_type, semantic, _ = template.get(element["idShort"], (None, None, None, False))
        if kind and (element["modelType"], element.get("valueType"), meant(element)) != (kind, value_type, semantic):
            yield f"{element['idShort']} is {element['modelType']} {element.get('valueType')} {meant(element)}"
    for name, (_, _, _, demanded) in template.items():
        if demanded and name not in names:
            yield f"{name} is missing"


def templates(submodels):
    for submodel in submodels:
        semantic, template = TEMPLATES.get(submodel["idShort"], (None, None))
        if template is None or meant(submodel) != semantic:
            yield f"{submodel['id']}: of no template"
            continue
        elements = submodel["submodelElements"]
        problems = list(against(elements, template))
        for collection in elements:
            if collection["idShort"] == "SoftwareNameplate_Instance":
                problems += against(collection["value"], INSTANCE)
        yield from (f"{submodel['id']}: {problem}" for problem in problems)


def references(shells, submodels):
    there = [submodel["id"] for submodel in submodels]
    named = [key["value"] for shell in shells for reference in shell["submodels"] for key in reference["keys"]]
    if sorted(there) != sorted(named):
        yield f"submodels that no shell has, or that are not there: {sorted(set(there) ^ set(named))[:3]}"
    assets = {shell["assetInformation"]["globalAssetId"] for shell in shells}
    ids = there + [shell["id"] for shell in shells]
    if len(ids) != len(set(ids)):
        yield "an id twice"
    for shell in shells:
        for specific in shell["assetInformation"].get("specificAssetIds", []):
            if specific["name"] == "partOf" and specific["value"] not in assets:
                yield f"{shell['id']}: part of {specific['value']}, which is not there"


def problems(name):
    with open(name, encoding="utf-8") as file:
        document = json.load(file)
    environment = jsonization.environment_from_jsonable(document)
    yield from (f"{error.path}: {error.cause}" for error in verification.verify(environment))
    with open(name, encoding="utf-8") as file:
        result = engine.check_json_file(file)
    if not result.ok():
        result.dump()
        yield "aas-test-engines: see above"
    shells, submodels = document.get("assetAdministrationShells", []), document.get("submodels", [])
    yield from templates(submodels)
    yield from references(shells, submodels)


def main():
    failed = False
    for name in sys.argv[1:]:
        found = list(problems(name))
        failed |= bool(found)
        print(f"{name}: {'; '.join(found[:20]) or 'valid'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
