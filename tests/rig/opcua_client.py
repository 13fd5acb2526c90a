"""What asyncua's client reads of a server: opcua_client.py PORT FOLDER [none|secure]. Prints BuildInfo by its node, and the properties of
each device by its name, as JSON."""

import asyncio
import json
import sys
from pathlib import Path

import certificate
from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

DI = "http://opcfoundation.org/UA/DI/"
DEVICE_SET = 5001
# Server_ServerStatus_BuildInfo and its parts but the date (OPC 10000-6, annex A).
BUILD = range(2261, 2266)


async def main(port, folder, security):
    client = Client(f"opc.tcp://127.0.0.1:{port}/rig")
    if security == "secure":
        client.application_uri = "urn:rig:client"
        made, key = certificate.make(client.application_uri, Path(folder) / "client")
        await client.set_security(SecurityPolicyBasic256Sha256, str(made), str(key), mode=ua.MessageSecurityMode.SignAndEncrypt)
    said = {}
    async with client:
        for node in BUILD:
            said[str(node)] = await client.get_node(f"i={node}").read_value()
        index = await client.get_namespace_index(DI)
        for device in await client.get_node(f"ns={index};i={DEVICE_SET}").get_children():
            read = {}
            for part in await device.get_properties():
                value = await part.read_value()
                read[(await part.read_browse_name()).Name] = value.Text if isinstance(value, ua.LocalizedText) else value
            said[(await device.read_browse_name()).Name] = read
    print(json.dumps(said))


asyncio.run(main(*sys.argv[1:4]))
