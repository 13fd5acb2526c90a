"""Telnet by telnetlib3: it negotiates its options, then shows the persona's description and asks for a name."""

import asyncio

import persona
import telnetlib3


async def shell(reader, writer):
    """What a device shows before anybody has logged in."""
    writer.write(f"\r\n{plate['description']}\r\n{plate['firmware']}\r\n\r\nlogin: ")
    await writer.drain()
    heard.append(await reader.read(64))
    writer.close()


async def main():
    """Until it is ended."""
    port = persona.free_port()
    server = await telnetlib3.create_server("127.0.0.1", port, shell=shell, connect_maxwait=1.0)
    persona.ready(port)
    await server.wait_closed()


heard = []
plate = persona.read()["plate"]
asyncio.run(main())
