"""MELSEC 3E over TCP by virtual-plc: the type name is the persona's model, as an iQ-R gives it; the type code stays the library's."""

import dataclasses
import threading

import persona
from virtual_plc import profiles
from virtual_plc.server import Server

PROFILE = "iQ-R"

told = persona.read()
profiles.PROFILES[PROFILE] = dataclasses.replace(profiles.PROFILES[PROFILE], cpu_name=told["plate"]["model"])
server = Server(host="127.0.0.1", port=0, profile=PROFILE)
server.start()
persona.ready(server.address[1])
threading.Event().wait()
