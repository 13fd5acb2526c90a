"""Modbus by pymodbus, with FC 43/14 and FC 17. The identity is process-wide there: one persona, one process.

The word says how it is reached: `tcp`, `rtu` (RTU's frames over TCP), `serial` (a pair of terminals by socat, of which the test has the
other end), `ser2net` (the same pair behind a serial device server: TCP in front, whose bytes go to the line as they are)."""

import asyncio
import subprocess

import persona
from pymodbus import FramerType, ModbusDeviceIdentification
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusSerialServer, ModbusTcpServer

BAUD = 19200


def terminals():
    """Two ends of a serial line: the server's and the other."""
    ends = [persona.FOLDER / "server", persona.FOLDER / "line"]
    socat = ["socat", "-d", "-d", *(f"pty,raw,echo=0,link={end}" for end in ends)]
    says = persona.child(socat, stderr=subprocess.PIPE, text=True).stderr
    for line in says:
        if "starting data transfer loop" in line:
            return ends
    raise SystemExit("socat ended")


def device_server(line):
    """ser2net in front of a serial line; gives its TCP port."""
    file = persona.FOLDER / "ser2net.yaml"

    def begin(port):
        lines = ["connection: &line", f"  accepter: tcp,127.0.0.1,{port}", f"  connector: serialdev,{line},{BAUD}n81,local"]
        file.write_text("\n".join(lines) + "\n")
        # -d: in the foreground, and it says on standard error what it could not do.
        program = persona.child(["/usr/sbin/ser2net", "-n", "-d", "-c", file], stderr=subprocess.PIPE, text=True)
        return program, persona.until_it_listens(program, port)

    return persona.started(begin, persona.LISTENS)


async def main():
    told = persona.read()
    blocks = {name: ModbusSequentialDataBlock(1, list(told["registers"])) for name in ("hr", "ir", "di", "co")}
    device = ModbusDeviceContext(**blocks)
    silent = told["silent_for_others"]
    context = ModbusServerContext(devices={told["unit"]: device} if silent else device, single=not silent)
    identity = ModbusDeviceIdentification(info={int(key): text for key, text in told["objects"].items()})
    shared = {"identity": identity, "ignore_missing_devices": silent}
    if persona.WORD in ("tcp", "rtu"):
        framer = FramerType.RTU if persona.WORD == "rtu" else FramerType.SOCKET
        server = ModbusTcpServer(context, framer=framer, address=("127.0.0.1", 0), **shared)
    else:
        ours, other = terminals()
        server = ModbusSerialServer(context, framer=FramerType.RTU, port=str(ours), baudrate=BAUD, **shared)
    await server.serve_forever(background=True)
    if persona.WORD == "serial":
        persona.ready(other)
    elif persona.WORD == "ser2net":
        persona.ready(device_server(other))
    else:
        persona.ready(server.transport.sockets[0].getsockname()[1])
    await asyncio.get_running_loop().create_future()


asyncio.run(main())
