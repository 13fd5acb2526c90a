"""DNP3 over TCP by dnp3-outstation: whatever is read, group 0 too, it answers with its analogs and sets no bit. Wrong by design, and so a
case of its own: what was not asked for is no identity. The persona's unit is its address, the master's is 1; its registers are the analogs."""

import asyncio

import persona
from dnp3_outstation import AsyncOutstation


async def main():
    told = persona.read()
    outstation = AsyncOutstation(host="127.0.0.1", port=0, master_addr=1, outstation_addr=told["unit"])
    for index, value in enumerate(told["registers"]):
        outstation.set_analog(idx=index, value=float(value))
    await outstation.start()
    persona.ready(outstation.port)
    await asyncio.get_running_loop().create_future()


asyncio.run(main())
