"""DNP3 over TCP by dnp3py: points alone. To group 0 it answers IIN2.1, object unknown. The persona's unit is its address, its registers
are analog inputs."""

import asyncio

import persona
from dnp3.database import AnalogInputConfig, Database
from dnp3.outstation import Outstation, OutstationConfig, OutstationTcpRunner
from dnp3.outstation.config import UnsolicitedConfig


async def main():
    told = persona.read()
    points = Database()
    for index, value in enumerate(told["registers"]):
        points.add_analog_input(index, AnalogInputConfig())
        points.update_analog_input(index, value=value)
    settings = OutstationConfig(address=told["unit"], unsolicited=UnsolicitedConfig(enabled=False))
    runner = OutstationTcpRunner(outstation=Outstation(database=points, config=settings), host="127.0.0.1", port=0)
    running = asyncio.create_task(runner.run())
    while not runner.is_running:
        await asyncio.sleep(persona.POLL_SECONDS)
    persona.ready(runner.local_address[1])
    await running


asyncio.run(main())
