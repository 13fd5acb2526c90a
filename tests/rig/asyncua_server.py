"""OPC UA by asyncua: BuildInfo, and one device in the DeviceSet of OPC 10000-100 (DI), made by hand.

The word `none`: no security, anonymous. `secure`: Basic256Sha256, Sign or SignAndEncrypt alone; its self-signed certificate lies in the
folder as server.der. Any client's certificate is taken."""

import asyncio
import datetime

import certificate
import persona
from asyncua import Server, ua

DI = "http://opcfoundation.org/UA/DI/"
DEVICE_SET = 5001
APPLICATION = "urn:rig:asyncua"


async def main():
    plate = persona.read()["plate"]
    server = Server()
    await server.init()
    server.set_server_name(plate["name"])
    await server.set_application_uri(APPLICATION)
    built = datetime.datetime(2024, 5, 17)
    # Product URI, manufacturer, product name, software version, build number, build date.
    await server.set_build_info(f"urn:{plate['name']}", plate["vendor"], plate["model"], plate["firmware"], plate["software"], built)
    if persona.WORD == "secure":
        made, key = certificate.make(APPLICATION, persona.FOLDER / "server")
        await server.load_certificate(made)
        await server.load_private_key(key)
        secure = ua.SecurityPolicyType
        server.set_security_policy([secure.Basic256Sha256_Sign, secure.Basic256Sha256_SignAndEncrypt])
    else:
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    di = await server.register_namespace(DI)
    devices = await server.nodes.objects.add_object(ua.NodeId(DEVICE_SET, di), ua.QualifiedName("DeviceSet", di))
    device = await devices.add_object(di, plate["name"])
    properties = {
        "Manufacturer": ua.LocalizedText(plate["vendor"]), "Model": ua.LocalizedText(plate["model"]), "ProductCode": plate["code"],
        "SoftwareRevision": plate["firmware"], "HardwareRevision": plate["hardware"], "DeviceRevision": plate["software"],
        "SerialNumber": plate["serial"], "RevisionCounter": ua.Variant(plate["major"], ua.VariantType.Int32),
    }
    for name, value in properties.items():
        await device.add_property(di, name, value)
    port = await listen(server)
    persona.ready(port)
    await asyncio.get_running_loop().create_future()


async def listen(server):
    """Starts it on a port that was free just now: it tells clients its own address, and so must know it before."""
    for _ in range(persona.TRIES):
        port = persona.free_port()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/rig")
        try:
            await server.start()
            return port
        except OSError:
            await server.stop()
    raise SystemExit("no port")


asyncio.run(main())
