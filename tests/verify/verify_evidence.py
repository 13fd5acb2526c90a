#!/usr/bin/env python3
"""Checks an evidence bundle of nameplate; an implementation of its own, from docs/evidence.md and the texts that it names.

    verify_evidence.py BUNDLE [--key FINGERPRINT] [--page FILE]
    verify_evidence.py --list FILE [--key FINGERPRINT]     FILE names a bundle a line; prints a verdict a line

Prints `authentic`, `unknown signer <fingerprint>` or `refused: <why>`; exits with 0, 2 or 6, and with 3 where a file cannot be read.
Needs Python 3.9 and the package `cryptography` for Ed25519; the rest is the standard library.
"""

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "nameplate-evidence/1"
BUNDLE_BYTES_MAX = 64 * 1024 * 1024
ENTRIES_MAX = 100_000
INTEGER_MAX = 2**64 - 1
BUNDLE_KEYS = {"checkpoint", "entries", "format", "origin", "page", "payloads", "profiles", "public_key"}
KINDS = {"key", "key_change", "observation", "touch", "import", "advisories", "approval", "baseline", "hand", "change", "evaluation", "happening", "account", "update", "patches", "evidence"}


class Refused(Exception):
    """What does not hold, in words."""


def need(holds, why):
    if not holds:
        raise Refused(why)


# --- canonical JSON (docs/evidence.md, 2) -------------------------------------------------------------------------------------


def ordered(value):
    """The same value; the keys of its objects rise by UTF-16 code units (RFC 8785, 3.2.3)."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    return [ordered(item) for item in value] if isinstance(value, list) else value


def canonical(value):
    """The only text of a value. Python's escapes are those of RFC 8785."""
    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def no_float(text):
    raise Refused(f"{text!r} is no integer")


def integer(text):
    # Shorter than Python's own limit on digits, so that this is the error that shows.
    need(len(text) <= 20 and 0 <= int(text) <= INTEGER_MAX, f"{text[:20]} is no integer from 0 to 2^64-1")
    return int(text)


def read_canonical(data, what):
    try:
        text = data.decode("utf-8")
        value = json.loads(text, parse_float=no_float, parse_constant=no_float, parse_int=integer)
        same = canonical(value) == data
    except (ValueError, RecursionError) as error:
        raise Refused(f"{what} cannot be read: {error}") from None
    need(same, f"{what} is not canonical")
    return value


def exactly(value, keys, what):
    need(isinstance(value, dict) and set(value) == set(keys), f"{what} does not have exactly the keys {sorted(keys)}")
    return value


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def of_hex(text, what, length=None):
    need(isinstance(text, str) and re.fullmatch("(?:[0-9a-f]{2})*", text), f"{what} is not lower case hexadecimal")
    data = bytes.fromhex(text)
    need(length is None or len(data) == length, f"{what} is not {length} bytes")
    return data


def of_base64(text, what, length):
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Refused(f"{what} is not base64") from None
    need(base64.b64encode(data).decode("ascii") == text and len(data) == length, f"{what} is not the base64 of {length} bytes")
    return data


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# --- the signed checkpoint (C2SP signed-note, tlog-checkpoint) ----------------------------------------------------------------


def check_keys(entries, origin, first):
    """All keys of the log, in order: each but the first is vouched for by the one before."""
    keys = [first]
    for at, entry in enumerate(entries):
        record = entry.get("record") if isinstance(entry, dict) else None
        if not isinstance(record, str) or at > 0 and '"kind":"key' not in record:
            continue
        body = read_canonical(record.encode("utf-8"), f"the record at {at}")
        body = body.get("body") if isinstance(body, dict) else None
        kind = body.get("kind") if isinstance(body, dict) else None
        if at == 0:
            need(body == {"kind": "key", "origin": origin, "public_key": first.hex()}, "entry 0 is not this key")
            continue
        need(kind != "key", "another entry than the first is a first key")
        if kind != "key_change":
            continue
        exactly(body, {"by", "kind", "public_key", "signature", "why"}, "a change of the key")
        need(isinstance(body["by"], str) and isinstance(body["why"], str), "a change of the key does not say by whom and why")
        new, signature = of_hex(body["public_key"], "the new key", 32), of_hex(body["signature"], "its signature", 64)
        need(new not in keys, "the new key was this log's before")
        text = f"nameplate-key-change/1\n{origin}\n{keys[-1].hex()}\n{new.hex()}\n"
        try:
            Ed25519PublicKey.from_public_bytes(keys[-1]).verify(signature, text.encode("utf-8"))
        except (InvalidSignature, ValueError):
            raise Refused("the key before it did not sign the new one") from None
        keys.append(new)
    return keys


def check_checkpoint(note, origin, public_key):
    """The size and the root hash that the key signed."""
    need(isinstance(note, str), "the checkpoint is no text")
    lines = note.split("\n")
    need(len(lines) == 6 and lines[3] == "" and lines[5] == "", "the checkpoint is not three lines, an empty one and one signature")
    need(lines[0] == origin, "the checkpoint is of another log")
    need(re.fullmatch("0|[1-9][0-9]{0,19}", lines[1], re.ASCII) and int(lines[1]) <= INTEGER_MAX, "the checkpoint's size is no number")
    root = of_base64(lines[2], "the checkpoint's root", 32)
    dash, _, rest = lines[4].partition(" ")
    name, _, blob = rest.rpartition(" ")
    need(dash == "\u2014" and name == origin, "the signature line is not by the log's name")
    blob = of_base64(blob, "the signature", 4 + 64)
    key_id = sha256(origin.encode("utf-8"), b"\n\x01", public_key)[:4]
    need(blob[:4] == key_id, "the signature is by another key")
    signed = "\n".join(lines[:3]) + "\n"
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(blob[4:], signed.encode("utf-8"))
    except (InvalidSignature, ValueError):
        raise Refused("the checkpoint's signature does not hold") from None
    return int(lines[1]), root


# --- the tree (RFC 9162, 2.1.3.2) ---------------------------------------------------------------------------------------------


def root_of(leaf, index, size, path):
    """Where an inclusion proof leads; index < size."""
    fn, sn, node = index, size - 1, leaf
    for sibling in path:
        need(sn != 0, f"the proof of entry {index} is too long")
        if fn & 1 or fn == sn:
            node = sha256(b"\x01", sibling, node)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = sha256(b"\x01", node, sibling)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, f"the proof of entry {index} is too short")
    return node


def check_entry(entry, size, root):
    """The record of an entry whose proof leads to the root."""
    exactly(entry, {"index", "proof", "record"}, "an entry")
    index = entry["index"]
    need(is_integer(index) and index < size, f"the checkpoint does not cover entry {index}")
    need(isinstance(entry["proof"], list) and isinstance(entry["record"], str), f"entry {index} has keys of the wrong types")
    text = entry["record"].encode("utf-8")
    path = [of_hex(step, f"the proof of entry {index}", 32) for step in entry["proof"]]
    need(root_of(sha256(b"\x00", text), index, size, path) == root, f"the proof of entry {index} does not lead to the checkpoint's root")
    record = exactly(read_canonical(text, f"the record of entry {index}"), {"body", "index", "time_ns"}, f"the record of entry {index}")
    need(is_integer(record["index"]) and record["index"] == index, f"the record of entry {index} is of another index")
    need(is_integer(record["time_ns"]), f"entry {index} has no time")
    body = record["body"]
    need(isinstance(body, dict) and isinstance(body.get("kind"), str) and body["kind"] in KINDS, f"entry {index} is of no known kind")
    return body


# --- what hangs together (docs/evidence.md, 5) --------------------------------------------------------------------------------


def check_list(indices, bodies, page):
    """The list that the log holds of this bundle, and the page that it names."""
    last = exactly(bodies[-1], {"entries", "kind", "page_sha256", "subject"}, "the last entry")
    need(last["kind"] == "evidence" and isinstance(last["subject"], str), "the last entry is not the log's list of this bundle")
    listed = last["entries"]
    need(isinstance(listed, list) and all(map(is_integer, listed)), "the log's list of this bundle is no list of indices")
    need(listed == indices[:-1], "the entries are not those that the log lists for this bundle")
    need(sha256(of_text(page, "the page")).hex() == last["page_sha256"], "the page does not hash to what the log says")


def named(bodies):
    """The payloads and the profiles that the observations name."""
    payloads, profiles = set(), set()
    for body in bodies:
        if body["kind"] == "observation":
            exactly(body, {"decoder", "interpretation", "kind", "observation", "profile_sha256"}, "an observation")
            messages = body["observation"].get("messages") if isinstance(body["observation"], dict) else None
            need(isinstance(messages, list), "an observation has no messages")
            payloads.update(of_hex(name, "a payload's name", 32).hex() for name in messages)
            if body["profile_sha256"] is not None:
                profiles.add(of_hex(body["profile_sha256"], "a profile's name", 32).hex())
    return payloads, profiles


def check_hashed(things, names, bytes_of, what):
    need(isinstance(things, dict), f"{what}s are no object")
    for name in sorted(names - set(things)):
        raise Refused(f"{what} {name} is missing")
    for name, content in things.items():
        need(name in names, f"no entry names {what} {name}")
        need(sha256(bytes_of(content, what)).hex() == name, f"{what} {name} does not hash to its name")


def of_text(text, what):
    need(isinstance(text, str), f"{what} is no text")
    return text.encode("utf-8")


def check(data):
    """The fingerprints of the keys by which all of the bundle hangs together, the log's first one first."""
    need(len(data) <= BUNDLE_BYTES_MAX, "the bundle is too large")
    need(data.endswith(b"\n"), "no line feed ends the bundle")
    bundle = exactly(read_canonical(data[:-1], "the bundle"), BUNDLE_KEYS, "the bundle")
    need(bundle["format"] == FORMAT, "the bundle is of an unknown format")
    public_key = of_hex(bundle["public_key"], "the public key", 32)
    fingerprint = sha256(public_key).hex()
    origin = bundle["origin"]
    need(origin == f"nameplate/{fingerprint[:16]}", "the origin does not follow from the key")
    entries = bundle["entries"]
    need(isinstance(entries, list) and 0 < len(entries) <= ENTRIES_MAX, "the entries are no list, none, or too many")
    keys = check_keys(entries, origin, public_key)
    size, root = check_checkpoint(bundle["checkpoint"], origin, keys[-1])
    bodies = [check_entry(entry, size, root) for entry in entries]
    indices = [entry["index"] for entry in entries]
    need(all(a < b for a, b in zip(indices, indices[1:])), "the indices do not rise")
    need(indices[0] == 0 and indices[-1] == size - 1, "the bundle does not reach from entry 0 to the end of the checkpoint")
    check_list(indices, bodies, bundle["page"])
    payloads, profiles = named(bodies)
    check_hashed(bundle["payloads"], payloads, of_hex, "payload")
    check_hashed(bundle["profiles"], profiles, of_text, "profile")
    return [sha256(key).hex() for key in keys], bundle["page"]


def verdict(data, pinned, page_file=None):
    """One line, and the exit code. What holds gives its page."""
    try:
        fingerprints, page = check(data)
    except Refused as why:
        # What a stranger wrote may stand in the reason; nothing of it moves a terminal.
        return f"refused: {ascii(str(why))[1:-1]}", 6
    if page_file:
        with open(page_file, "x", encoding="utf-8", newline="") as file:
            file.write(page)
    return ("authentic", 0) if pinned in fingerprints else (f"unknown signer {fingerprints[0]}", 2)


def main():
    parser = argparse.ArgumentParser(description="Checks an evidence bundle of nameplate.")
    parser.add_argument("bundle", nargs="?", help="the bundle")
    parser.add_argument("--list", metavar="FILE", help="a file that names a bundle a line")
    parser.add_argument("--key", metavar="FINGERPRINT", help="SHA-256 of the site's public key, 64 hexadecimal digits")
    parser.add_argument("--page", metavar="FILE", help="where the page for people goes, if the bundle holds")
    told = parser.parse_args()
    if (told.bundle is None) == (told.list is None):
        parser.error("either BUNDLE or --list FILE")
    worst = 0
    try:
        paths = [told.bundle] if told.list is None else open(told.list, encoding="utf-8").read().splitlines()
        for path in paths:
            with open(path, "rb") as file:
                line, code = verdict(file.read(BUNDLE_BYTES_MAX + 1), told.key, told.page)
            print(line)
            worst = max(worst, code)
    except OSError as error:
        print(error, file=sys.stderr)
        return 3
    return worst


if __name__ == "__main__":
    sys.exit(main())
