"""BACnet/IP by bacpypes3: the device object alone. It has a loopback address of its own, so that it may use BACnet's own port, and no
broadcast: /32."""

import asyncio

import persona
from bacpypes3.ipv4.app import NormalApplication
from bacpypes3.local.device import DeviceObject
from bacpypes3.pdu import IPv4Address

BACNET_PORT = 47808


async def main():
    plate = persona.read()["plate"]
    device = DeviceObject(
        objectIdentifier=("device", plate["instance"]),
        objectName=plate["name"],
        vendorIdentifier=plate["vendor_number"],
        vendorName=plate["vendor"],
        modelName=plate["model"],
        firmwareRevision=plate["firmware"],
        applicationSoftwareVersion=plate["software"],
        serialNumber=plate["serial"],
        location=plate["location"],
        description=plate["description"],
    )
    address = f"{persona.own_address()}:{BACNET_PORT}"
    application = NormalApplication(device, IPv4Address(address))
    await asyncio.gather(*application.normal.server._transport_tasks)
    persona.ready(address)
    await asyncio.get_running_loop().create_future()


asyncio.run(main())
