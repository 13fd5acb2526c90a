"""Modbus TCP by uModbus: registers, and no identity at all."""

from socketserver import TCPServer

import persona
from umodbus.server.tcp import RequestHandler, get_server

told = persona.read()
registers = told["registers"]
server = get_server(TCPServer, ("127.0.0.1", 0), RequestHandler)


@server.route(slave_ids=[told["unit"]], function_codes=[3, 4], addresses=list(range(len(registers))))
def register(slave_id, function_code, address):
    return registers[address]


persona.ready(server.server_address[1])
server.serve_forever()
