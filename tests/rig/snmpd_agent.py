"""SNMP by Net-SNMP's snmpd, a program of the machine: v1, v2c, and v3 with the users `none`, `auth`, `sha256` and `sha512`."""

import os
import subprocess
import threading

import persona

ENTRY = ".1.3.6.1.2.1.47.1.1.1.1"
ROW = 1
CHASSIS = 3


def configuration(plate):
    """snmpd.conf: the persona's system group, and one row of entPhysicalTable in place of the agent's own (RFC 6933)."""
    columns = {
        2: plate["description"], 7: plate["name"], 8: plate["hardware"], 9: plate["firmware"], 10: plate["software"],
        11: plate["serial"], 12: plate["vendor"], 13: plate["model"], 15: plate["location"],
    }
    secret, privacy = plate["secret"], plate["privacy"]
    return [
        f"rocommunity {plate['community']} 127.0.0.0/8",
        f"sysDescr {plate['description']}",
        f"sysObjectID 1.3.6.1.4.1.{plate['vendor_number']}.{plate['product_number']}",
        f"sysName {plate['name']}",
        f"sysLocation {plate['location']}",
        # The same one is the same one, with whatever firmware.
        f"engineID rig-{plate['serial_number']}",
        "createUser none",
        f'createUser auth SHA-256 "{secret}"',
        f'createUser sha256 SHA-256 "{secret}" AES "{privacy}"',
        f'createUser sha512 SHA-512 "{secret}" AES-256 "{privacy}"',
        "rouser none noauth",
        "rouser auth auth",
        "rouser sha256 priv",
        "rouser sha512 priv",
        f"override {ENTRY}.5.{ROW} integer {CHASSIS}",
        *(f'override {ENTRY}.{column}.{ROW} octet_str "{text}"' for column, text in columns.items()),
    ]


def begin(port):
    # Without smux, which takes TCP port 199 of the machine; -C: nothing of the machine's own configuration.
    command = ["/usr/sbin/snmpd", "-f", "-Lo", "-I", "-smux", "-C", "-c", file, f"udp:127.0.0.1:{port}"]
    places = {**os.environ, "SNMP_PERSISTENT_DIR": str(persona.FOLDER), "SNMPCONFPATH": str(persona.FOLDER), "MIBS": ""}
    program = persona.child(command, env=places, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return program, program.stdout


file = persona.FOLDER / "snmpd.conf"
file.write_text("\n".join(configuration(persona.read()["plate"])) + "\n")
persona.ready(persona.started(begin, "NET-SNMP version"))
threading.Event().wait()
