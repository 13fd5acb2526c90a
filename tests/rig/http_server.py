"""HTTP by Python's own server, in clear or over TLS (its word: clear, tls12, tls13): `Server` is model and software version, the title the description."""

import http.server
import ssl

import certificate
import page
import persona


class Pages(http.server.BaseHTTPRequestHandler):
    """One page, and 404 for the rest."""

    sys_version = ""

    def do_GET(self):
        """The page."""
        if self.path != "/":
            self.send_error(404)
            return
        body = page.of(plate).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing: standard output belongs to the test."""


plate = persona.read()["plate"]
Pages.server_version = f"{plate['model']}/{plate['software']}"
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
if persona.WORD in page.VERSIONS:
    _, key = certificate.make("urn:rig:web", persona.FOLDER / "server", plate["name"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = page.VERSIONS[persona.WORD]
    context.load_cert_chain(persona.FOLDER / "server.crt", key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
persona.ready(server.server_address[1])
server.serve_forever()
