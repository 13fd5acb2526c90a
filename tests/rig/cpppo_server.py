"""EtherNet/IP by cpppo, by TCP and UDP on one port: ListIdentity, and the Identity object to Get_Attribute. A process of its own, never linked."""

import subprocess
import sys
import threading

import persona


def identity(plate):
    """cpppo's configuration file; of the revision's two bytes the low one is the major revision."""
    return [
        "[Identity]",
        f"Vendor Number = {plate['vendor_number']}",
        f"Device Type = {plate['device_type']}",
        f"Product Code Number = {plate['product_number']}",
        f"Product Revision = {plate['minor'] << 8 | plate['major']}",
        f"Serial Number = {plate['serial_number']}",
        f"Product Name = {plate['model']}",
        "[TCPIP]",
        'Interface Configuration = {"ip_address": "127.0.0.1"}',
    ]


def begin(port):
    address = f"127.0.0.1:{port}"
    command = [sys.executable, "-u", "-m", "cpppo.server.enip", "-A", "-c", file, "-a", address, "SCADA=INT[10]"]
    program = persona.child(command, cwd=persona.FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return program, program.stdout


file = persona.FOLDER / "cpppo.cfg"
file.write_text("\n".join(identity(persona.read()["plate"])) + "\n")
persona.ready(persona.started(begin, "Network UDP Server address"))
threading.Event().wait()
