#!/usr/bin/env python3
"""Checks an exported log of nameplate; an implementation of its own, from docs/evidence.md (sections 2, 3, 4 and 8) and the texts that it names.

    verify_log.py FILE [--key FINGERPRINT] [--after FILE] [--without-payloads]
    verify_log.py --list FILE [--key FINGERPRINT]     FILE names an exported log a line; prints a verdict a line

Prints `authentic`, `unknown signer <fingerprint>` or `refused: <why>`, and how many payloads are not in it; exits with 0, 2 or 6, and with 3
where a file cannot be read. Reads line by line. Needs Python 3.9 and the package `cryptography` for Ed25519.
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

FORMAT = "nameplate-log/1"
LINE_BYTES_MAX = 128 * 1024 * 1024
PART_BYTES = 1024 * 1024
INTEGER_MAX = 2**64 - 1
FIRST_KEYS = {"checkpoint", "edge", "first", "format", "keys", "origin", "payloads", "public_key"}
KINDS = set("key key_change observation touch import advisories approval baseline hand change evaluation happening account update patches evidence".split())
PAYLOAD_LINE = re.compile(rb'\{"(payload|part|gone)":"([0-9a-f]*)"\}')


class Refused(Exception):
    """What does not hold, in words."""


def need(holds, why):
    if not holds:
        raise Refused(why)


# --- canonical JSON (docs/evidence.md, 2) -------------------------------------------------------------------------------------


def ordered(value):
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    return [ordered(item) for item in value] if isinstance(value, list) else value


def no_float(text):
    raise Refused(f"{text!r} is no integer")


def integer(text):
    need(len(text) <= 20 and 0 <= int(text) <= INTEGER_MAX, f"{text[:20]} is no integer from 0 to 2^64-1")
    return int(text)


def canonical(data, what):
    """The value of a canonical text."""
    try:
        value = json.loads(data.decode("utf-8"), parse_float=no_float, parse_constant=no_float, parse_int=integer)
        same = json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8") == data
    except (ValueError, RecursionError) as error:
        raise Refused(f"{what} cannot be read: {error}") from None
    need(same, f"{what} is not canonical")
    return value


def exactly(value, keys, what):
    need(isinstance(value, dict) and set(value) == set(keys), f"{what} does not have exactly the keys {sorted(keys)}")
    return value


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def of_hex(text, what, length):
    need(isinstance(text, str) and re.fullmatch("(?:[0-9a-f]{2})*", text) and len(text) == 2 * length, f"{what} is not {length} bytes in hexadecimal")
    return bytes.fromhex(text)


def of_base64(text, what, length):
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Refused(f"{what} is not base64") from None
    need(base64.b64encode(data).decode("ascii") == text and len(data) == length, f"{what} is not the base64 of {length} bytes")
    return data


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# --- keys and checkpoints (docs/evidence.md, 4) -------------------------------------------------------------------------------


class Keys:
    """The keys of one log, and from which size on each signs."""

    def __init__(self, first):
        self.origin = f"nameplate/{sha256(first).hex()[:16]}"
        self.all = [(0, first)]

    def vouch(self, change, index):
        new, signature = of_hex(change["public_key"], "the new key", 32), of_hex(change["signature"], "its signature", 64)
        need(all(new != key for _, key in self.all), "the new key was this log's before")
        old = self.all[-1][1]
        text = f"nameplate-key-change/1\n{self.origin}\n{old.hex()}\n{new.hex()}\n"
        verify(old, signature, text, "the key before it did not sign the new one")
        self.all.append((index + 1, new))

    def at(self, size):
        return [key for since, key in self.all if since <= size][-1]


def verify(key, signature, text, why):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode("utf-8"))
    except (InvalidSignature, ValueError):
        raise Refused(why) from None


class Checkpoint:
    """A note, read; `believe` looks at its signature."""

    def __init__(self, note):
        need(isinstance(note, str), "the checkpoint is no text")
        lines = note.split("\n")
        need(len(lines) == 6 and lines[3] == "" and lines[5] == "", "the checkpoint is not three lines, an empty one and one signature")
        need(re.fullmatch("0|[1-9][0-9]{0,19}", lines[1], re.ASCII) and int(lines[1]) <= INTEGER_MAX, "the checkpoint's size is no number")
        self.origin, self.size = lines[0], int(lines[1])
        self.root = of_base64(lines[2], "the checkpoint's root", 32)
        self.text, self.line = "\n".join(lines[:3]) + "\n", lines[4]

    def believe(self, keys):
        need(self.origin == keys.origin, "the checkpoint is of another log")
        key = keys.at(self.size)
        dash, _, rest = self.line.partition(" ")
        name, _, blob = rest.rpartition(" ")
        need(dash == "\u2014" and name == self.origin, "the signature line is not by the log's name")
        blob = of_base64(blob, "the signature", 4 + 64)
        need(blob[:4] == sha256(self.origin.encode("utf-8"), b"\n\x01", key)[:4], "the signature is by another key")
        verify(key, blob[4:], self.text, "the checkpoint's signature does not hold")


# --- the tree (RFC 6962, 2.1) -------------------------------------------------------------------------------------------------


class Tree:
    """A tree that grows at its right edge: whole subtrees, the largest first."""

    def __init__(self, size, edge):
        need(len(edge) == bin(size).count("1"), f"the edge is not that of a tree of {size} entries")
        heights = [bit for bit in reversed(range(64)) if size >> bit & 1]
        self.size, self.subtrees = size, list(zip(heights, edge))

    def grow(self, record):
        height, node = 0, sha256(b"\x00", record)
        while self.subtrees and self.subtrees[-1][0] == height:
            node = sha256(b"\x01", self.subtrees.pop()[1], node)
            height += 1
        self.subtrees.append((height, node))
        self.size += 1

    def root(self):
        nodes = [node for _, node in self.subtrees]
        node = nodes.pop() if nodes else sha256()
        while nodes:
            node = sha256(b"\x01", nodes.pop(), node)
        return node


# --- the file (docs/evidence.md, 8) -------------------------------------------------------------------------------------------


def lines_of(file):
    while True:
        line = file.readline(LINE_BYTES_MAX + 2)
        if not line:
            return
        need(line.endswith(b"\n"), "cut off: its last line has no end" if len(line) <= LINE_BYTES_MAX else "a line is too long")
        yield line[:-1]


def read_first(line):
    first = exactly(canonical(line, "the first line"), FIRST_KEYS, "the first line")
    need(first["format"] == FORMAT, "it is of an unknown format")
    need(is_integer(first["first"]) and isinstance(first["payloads"], bool), "the first line has keys of the wrong types")
    need(isinstance(first["edge"], list) and isinstance(first["keys"], list), "the first line has keys of the wrong types")
    return first


def names_of(body):
    """The payloads that a record names, in its order."""
    if body["kind"] == "observation":
        exactly(body, {"decoder", "interpretation", "kind", "observation", "profile_sha256"}, "an observation")
        messages = body["observation"].get("messages") if isinstance(body["observation"], dict) else None
        need(isinstance(messages, list), "an observation has no messages")
        names = messages + ([] if body["profile_sha256"] is None else [body["profile_sha256"]])
    elif body["kind"] == "advisories":
        exactly(body, {"documents", "from", "kind", "lists"}, "a delivery of advisories")
        need(isinstance(body["documents"], list) and isinstance(body["lists"], list), "a delivery of advisories has no lists")
        each = body["documents"] + body["lists"]
        names = [one.get("sha256") if isinstance(one, dict) else None for one in each]
    else:
        return []
    return [of_hex(name, "a payload's name", 32) for name in names]


def read_record(line, index, first, keys):
    """The body of the record that has to stand next."""
    record = exactly(canonical(line, f"the record of entry {index}"), {"body", "index", "time_ns"}, f"the record of entry {index}")
    need(is_integer(record["index"]) and is_integer(record["time_ns"]), f"entry {index} has no index or time")
    need(record["index"] == index, f"reordered or doubled: entry {record['index']} stands where entry {index} should")
    body = record["body"]
    need(isinstance(body, dict) and isinstance(body.get("kind"), str) and body["kind"] in KINDS, f"entry {index} is of no known kind")
    own = {"kind": "key", "origin": first["origin"], "public_key": first["public_key"]}
    need(body == own if index == 0 else body["kind"] != "key", f"entry {index} is not the log's first key, or is one too many")
    if body["kind"] == "key_change":
        exactly(body, {"by", "kind", "public_key", "signature", "why"}, "a change of the key")
        need(isinstance(body["by"], str) and isinstance(body["why"], str), "a change of the key does not say by whom and why")
        keys.vouch(body, index)
    return body


class Payloads:
    """Those that have to stand next, and what there was of the first of them."""

    def __init__(self, wanted):
        self.wanted, self.named, self.due, self.part, self.missing = wanted, set(), [], None, 0

    def name(self, names):
        for name in names:
            if name not in self.named:
                self.named.add(name)
                if self.wanted:
                    self.due.append(name)
                else:
                    self.missing += 1

    def line(self, kind, digits):
        need(self.due, "a payload stands there that no record before it names, or a second time")
        if kind == "gone":
            need(self.part is None and digits == self.due.pop(0).hex(), "another payload is gone than the one that should stand there")
            self.missing += 1
            return
        need(len(digits) % 2 == 0, "a payload is not hexadecimal")
        data = bytes.fromhex(digits)
        whole = len(data) == PART_BYTES if kind == "part" else len(data) <= PART_BYTES and (self.part is None or data)
        need(whole, "a payload is not cut into its parts as it should be")
        self.part = self.part or hashlib.sha256()
        self.part.update(data)
        if kind == "payload":
            need(self.part.digest() == self.due.pop(0), "a payload does not hash to its name")
            self.part = None


def check(file, earlier=None):
    """The fingerprints of the keys under which all of it hangs together, the first one first, and how many payloads are not in it."""
    lines = lines_of(file)
    first = read_first(next(lines, b""))
    keys = Keys(of_hex(first["public_key"], "the public key", 32))
    need(first["origin"] == keys.origin, "the origin does not follow from the key")
    for change in first["keys"]:
        # Before the range, so every checkpoint of it is by this key or a later one.
        keys.vouch(exactly(change, {"public_key", "signature"}, "a change of the key"), first["first"] - 1)
    checkpoint = Checkpoint(first["checkpoint"])
    need(first["first"] < checkpoint.size and (first["first"] > 0 or not first["keys"]), "the checkpoint covers no entry of the range, or keys stand before entry 0")
    tree = Tree(first["first"], [of_hex(node, "the edge", 32) for node in first["edge"]])
    payloads = Payloads(first["payloads"])

    def hold_against_earlier():
        if earlier and earlier.size == tree.size:
            earlier.believe(keys)
            need(earlier.root == tree.root(), "forked: it does not go on from what was seen before")

    if earlier:
        need(earlier.origin == keys.origin, "another log than what was seen before")
        need(first["first"] <= earlier.size, "a gap behind what was seen before")
        need(earlier.size <= checkpoint.size, "older than what was seen before")
    hold_against_earlier()
    for line in lines:
        payload = PAYLOAD_LINE.fullmatch(line)
        if payload:
            payloads.line(payload[1].decode(), payload[2].decode())
            continue
        need(not payloads.due, f"cut off or reordered: a payload of entry {tree.size - 1} is missing")
        need(tree.size < checkpoint.size, "merged or doubled: more stands behind its end")
        payloads.name(names_of(read_record(line, tree.size, first, keys)))
        tree.grow(line)
        hold_against_earlier()
    need(tree.size == checkpoint.size and not payloads.due, f"cut off: it ends before entry {tree.size} or a payload of the one before")
    checkpoint.believe(keys)
    need(tree.root() == checkpoint.root, "the entries do not give the root that is signed")
    return [sha256(key).hex() for _, key in keys.all], payloads.missing


def verdict(path, told):
    """One line, and the exit code."""
    with open(path, "rb") as file:
        try:
            earlier = seen_before(told.after) if told.after else None
            fingerprints, missing = check(file, earlier)
        except Refused as why:
            # What a stranger wrote may stand in the reason; nothing of it moves a terminal.
            return f"refused: {ascii(str(why))[1:-1]}", 6
    line, code = ("authentic", 0) if told.key in fingerprints else (f"unknown signer {fingerprints[0]}", 2)
    if missing:
        line += f", {missing} payloads not in it"
        code = code if told.without_payloads else 6
    return line, code


def seen_before(path):
    with open(path, "rb") as file:
        line = file.readline(LINE_BYTES_MAX)
        if line.startswith(b"{"):
            return Checkpoint(read_first(line.rstrip(b"\n"))["checkpoint"])
        return Checkpoint((line + file.read(16 * 1024)).decode("utf-8", "replace"))


def main():
    parser = argparse.ArgumentParser(description="Checks an exported log of nameplate.")
    parser.add_argument("file", nargs="?", help="the exported log")
    parser.add_argument("--list", metavar="FILE", help="a file that names an exported log a line")
    parser.add_argument("--key", metavar="FINGERPRINT", help="SHA-256 of one of the site's public keys, 64 hexadecimal digits")
    parser.add_argument("--after", metavar="FILE", help="the exported log or checkpoint that was seen before")
    parser.add_argument("--without-payloads", action="store_true", help="be content with the records alone")
    told = parser.parse_args()
    if (told.file is None) == (told.list is None):
        parser.error("either FILE or --list FILE")
    worst = 0
    try:
        paths = [told.file] if told.list is None else open(told.list, encoding="utf-8").read().splitlines()
        for path in paths:
            line, code = verdict(path, told)
            print(line)
            worst = max(worst, code)
    except OSError as error:
        print(error, file=sys.stderr)
        return 3
    return worst


if __name__ == "__main__":
    sys.exit(main())
