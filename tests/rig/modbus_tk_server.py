"""Modbus TCP by modbus_tk: registers, and no identity at all."""

import threading

import modbus_tk.defines
import modbus_tk.modbus_tcp
import persona


class Server(modbus_tk.modbus_tcp.TcpServer):
    """Tells the port once it listens: the library binds in its own thread."""

    def _do_init(self):
        super()._do_init()
        persona.ready(self._sock.getsockname()[1])


told = persona.read()
server = Server(port=0, address="127.0.0.1", error_on_missing_slave=not told["silent_for_others"])
registers = told["registers"]
slave = server.add_slave(told["unit"])
slave.add_block("holding", modbus_tk.defines.HOLDING_REGISTERS, 0, len(registers))
slave.set_values("holding", 0, registers)
server.start()
threading.Event().wait()
