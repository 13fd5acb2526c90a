"""DNP3 over TCP by py1815: its link, transport and application layers, and in front of them a provider of group 0 alone.

The persona's objects are attributes of set 0 by variation; its unit is the outstation's address, the master's is 1."""

import asyncio

import persona
from py1815 import OutstationServer, Session, UnknownObject

VISIBLE_STRING = 1
ALL_ATTRIBUTES = 254


class Attributes:
    """Group 0, qualifier 00, set 0: type, length, value for each (IEEE 1815, annex A.2)."""

    def __init__(self, texts):
        self.texts = {int(variation): text.encode() for variation, text in texts.items()}

    def attribute(self, variation):
        text = self.texts[variation]
        return bytes([0, variation, 0, 0, 0, VISIBLE_STRING, len(text)]) + text

    def read_blocks(self, headers):
        blocks = []
        for header in headers:
            if header.group != 0 or header.start not in (None, 0):
                raise UnknownObject(header.group)
            if header.variation == ALL_ATTRIBUTES:
                blocks += [self.attribute(variation) for variation in sorted(self.texts)]
            elif header.variation in self.texts:
                blocks.append(self.attribute(header.variation))
            else:
                raise UnknownObject(header.variation)
        return blocks

    def read(self, headers):
        return b"".join(self.read_blocks(headers))


async def main():
    told = persona.read()
    session = Session(Attributes(told["objects"]), outstation_address=told["unit"], master_address=1)
    server = OutstationServer(session, bind="127.0.0.1:0")
    await server.start()
    persona.ready(server.port)
    await asyncio.get_running_loop().create_future()


asyncio.run(main())
