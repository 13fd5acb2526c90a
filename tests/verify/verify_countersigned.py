#!/usr/bin/env python3
"""Checks that a witness countersigned a checkpoint; an implementation of its own, from C2SP signed-note and tlog-cosignature.

    verify_countersigned.py NOTE KEY      KEY is the witness's verifier key: NAME+KEY ID+BASE64

Prints `ORIGIN SIZE SECONDS`, or `refused` and why; exits with 0 or 6. Needs the package `cryptography`.
"""

import base64
import hashlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def check(note, verifier_key):
    name, key_id, encoded = verifier_key.split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    digest = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if key[0] != 4 or len(key) != 33 or digest.hex() != key_id:
        return "refused: no witness's key"
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, blob = line.split(" ")
        blob = base64.b64decode(blob, validate=True)
        if (dash, signer, blob[:4]) != ("\u2014", name, digest):
            continue
        seconds = int.from_bytes(blob[4:12], "big")
        message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
        try:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(blob[12:], message)
        except InvalidSignature:
            return "refused: the signature does not hold"
        origin, size, _ = text.splitlines()
        return f"{origin} {size} {seconds}"
    return "refused: this witness did not sign it"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        said = check(file.read(), sys.argv[2])
    print(said)
    return 6 if said.startswith("refused") else 0


if __name__ == "__main__":
    sys.exit(main())
