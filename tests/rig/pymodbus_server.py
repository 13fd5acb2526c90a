"""Modbus TCP by pymodbus, with FC 43/14 and FC 17. The identity is process-wide there: one persona, one process."""

import asyncio

import persona
from pymodbus import ModbusDeviceIdentification
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer


async def main():
    told = persona.read()
    blocks = {name: ModbusSequentialDataBlock(1, list(told["registers"])) for name in ("hr", "ir", "di", "co")}
    device = ModbusDeviceContext(**blocks)
    silent = told["silent_for_others"]
    context = ModbusServerContext(devices={told["unit"]: device} if silent else device, single=not silent)
    identity = ModbusDeviceIdentification(info={int(key): text for key, text in told["objects"].items()})
    server = ModbusTcpServer(context, identity=identity, address=("127.0.0.1", 0), ignore_missing_devices=silent)
    await server.serve_forever(background=True)
    persona.ready(server.transport.sockets[0].getsockname()[1])
    await asyncio.get_running_loop().create_future()


asyncio.run(main())
