"""SNMP by snmpsim's full responder: v1 and v2c by the community, and v3 with the user `sha256` (SHA-256, AES-128).

A recording's name is the community, or over v3 the context; `self` is the default context of its own engine."""

import getpass
import subprocess
import sys
import threading

import persona

# Tags of ASN.1, as a recording has them.
INTEGER, OCTETS, OID, TIME_TICKS = 2, 4, 6, 67
CHASSIS = 3


def recording(plate):
    """Lines of OID|tag|value in the order of the OIDs (RFC 3418, RFC 6933)."""
    system = {1: plate["description"], 5: plate["name"], 6: plate["location"]}
    row = {
        2: plate["description"], 7: plate["name"], 8: plate["hardware"], 9: plate["firmware"], 10: plate["software"],
        11: plate["serial"], 12: plate["vendor"], 13: plate["model"],
    }
    lines = {(1, 3, 6, 1, 2, 1, 1, column, 0): (OCTETS, text) for column, text in system.items()}
    lines[1, 3, 6, 1, 2, 1, 1, 2, 0] = (OID, f"1.3.6.1.4.1.{plate['vendor_number']}.{plate['product_number']}")
    # Version 1 answers all that a GET asks for, or nothing of it.
    lines[1, 3, 6, 1, 2, 1, 1, 3, 0] = (TIME_TICKS, 4711)
    lines |= {(1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, column, 1): (OCTETS, text) for column, text in row.items()}
    lines[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 5, 1] = (INTEGER, CHASSIS)
    return [f"{'.'.join(map(str, oid))}|{tag}|{value}" for oid, (tag, value) in sorted(lines.items())]


def begin(port):
    command = [sys.executable, "-u", "-m", "snmpsim.commands.responder", "--data-dir", data, "--cache-dir", persona.FOLDER / "cache"]
    # As another user it would not reach a Python that lies in a home folder.
    command += ["--process-user", getpass.getuser(), "--process-group", getpass.getuser()]
    command += ["--v3-user", "sha256", "--v3-auth-key", plate["secret"], "--v3-auth-proto", "SHA256"]
    command += ["--v3-priv-key", plate["privacy"], "--v3-priv-proto", "AES", "--agent-udpv4-endpoint", f"127.0.0.1:{port}"]
    # It says that it listens before it does.
    program = persona.child(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return program, persona.until_it_listens(program, port, "udp")


plate = persona.read()["plate"]
data = persona.FOLDER / "data"
data.mkdir()
for name in (plate["community"], "self"):
    (data / f"{name}.snmprec").write_text("\n".join(recording(plate)) + "\n")
persona.ready(persona.started(begin, persona.LISTENS))
threading.Event().wait()
