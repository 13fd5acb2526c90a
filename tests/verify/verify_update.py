#!/usr/bin/env python3
"""Checks an update file of nameplate; an implementation of its own, from docs/updates.md and the texts that it names.

    verify_update.py FILE [--key FINGERPRINT]

Prints what the manifest says and `authentic`, `unknown signer <fingerprint>` or `refused: <why>`; exits with 0, 2 or 6. Whether it expired, or is older than
what was applied, only the gateway can say. Needs Python 3.9 and the package `cryptography` for Ed25519; the rest is the standard library.
"""

import argparse
import base64
import hashlib
import sys
import zipfile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

OWN = ("manifest", "manifest.sig")


class Refused(Exception):
    """What does not hold, in words."""


def need(holds, why):
    if not holds:
        raise Refused(why)


def signed(note, public, manifest, files):
    """The note is over this manifest, by this key, in the name of updates."""
    origin = "nameplate/" + hashlib.sha256(public).hexdigest()[:16] + "/update"
    root = base64.b64encode(hashlib.sha256(manifest).digest()).decode()
    text, _, signature = note.partition("\n\n")
    text += "\n"
    need(text == f"{origin}\n{files}\n{root}\n", "manifest.sig is over something else")
    start = f"\u2014 {origin} "
    need(signature.startswith(start) and signature.endswith("\n") and signature.count("\n") == 1, "manifest.sig has no one signature")
    raw = base64.b64decode(signature[len(start):-1], validate=True)
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
    need(len(raw) == 68 and raw[:4] == key_id, "manifest.sig is by another key")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text.encode())
    except InvalidSignature:
        raise Refused("manifest.sig does not hold") from None


def check(path):
    """The manifest's head as a dictionary, and the signer's fingerprint."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        need(len(set(names)) == len(names), "a name stands there twice")
        content = {name: archive.read(name) for name in names}
    need(all(name in content for name in OWN), "it has no manifest or no signature")
    lines = content["manifest"].decode("utf-8").split("\n")
    need(lines[0] == "nameplate update 1" and lines[-1] == "", "the manifest is of no known format")
    head, listed = {}, {}
    for line in lines[1:-1]:
        parts = line.split("  ", 2)
        if len(parts) == 3:
            listed[parts[2]] = (parts[0], int(parts[1]))
        else:
            need(not listed, "the manifest is out of order")
            key, _, value = line.partition(" ")
            need(key not in head, "the manifest says something twice")
            head[key] = value
    public = bytes.fromhex(head["key"])
    signed(content["manifest.sig"].decode("utf-8"), public, content["manifest"], len(listed))
    found = {name: (hashlib.sha256(data).hexdigest(), len(data)) for name, data in content.items() if name not in OWN}
    need(found == listed, "the files are others than the manifest names")
    return head, hashlib.sha256(public).hexdigest()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("file")
    arguments.add_argument("--key", help="the fingerprint that is trusted")
    said = arguments.parse_args()
    try:
        head, fingerprint = check(said.file)
    except (Refused, zipfile.BadZipFile, KeyError, ValueError) as error:
        print(f"refused: {error}")
        return 6
    for key in ("publisher", "kind", "version", "made", "expires"):
        print(f"{key} {head[key]}")
    if said.key == fingerprint:
        print("authentic")
        return 0
    print(f"unknown signer {fingerprint}")
    return 2


if __name__ == "__main__":
    sys.exit(main())
