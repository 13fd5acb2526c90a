"""FTP by pyftpdlib: the banner is the persona's description."""

import logging

import persona
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

logging.disable(logging.CRITICAL)
FTPHandler.banner = persona.read()["plate"]["description"]
FTPHandler.authorizer = DummyAuthorizer()
server = FTPServer(("127.0.0.1", 0), FTPHandler)
persona.ready(server.address[1])
server.serve_forever(handle_exit=False)
