"""A receiver of webhooks: HTTP by Python's own library, signatures by the `standardwebhooks` package, events by the `cloudevents` package.

    webhook_receiver.py PORT SECRET CERTIFICATE ANSWERS

PORT may be 0. SECRET is a `whsec_` text. CERTIFICATE is the path of a PEM file without its ending (.crt, .pem), `make:` and a path where one is to be made, or `-` for none. ANSWERS
are statuses, with a comma between, that are given one after another before anything is taken, each with `retry-after: 0`; a number below 100 is a pause of so many
seconds before an answer that comes too late, and `cut` closes the connection instead.

It says `READY PORT` on standard error, then a JSON object a line: {"taken": id, "webhook": id, "type": ..., "event": {...}} or {"refused": why}.
"""

import json
import pathlib
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from standardwebhooks.webhooks import Webhook

import certificate


def say(what):
    print(json.dumps(what), file=sys.stderr, flush=True)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    answers = []
    secret = ""

    def log_message(self, *_):
        pass

    def answer(self, status, text=""):
        self.send_response(status)
        self.send_header("retry-after", "0")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.lock:
            answer = self.answers.pop(0) if self.answers else ""
        if answer == "cut":
            self.close_connection = True
            return
        if answer:
            say({"answered": int(answer)})
            return self.answer(int(answer), "not now")
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            Webhook(self.secret).verify(body, headers)
            event = from_structured_event(HTTPMessage(headers, body))
        except Exception as error:  # noqa: BLE001 - whatever a library says is why it is refused
            say({"refused": f"{type(error).__name__}: {error}"})
            return self.answer(401, "the signature is not good")
        say({"taken": event.get_id(), "webhook": headers["webhook-id"], "type": event.get_type(), "source": event.get_source(), "event": event.get_data()})
        self.answer(204)


def main():
    port, secret, place, answers = sys.argv[1:]
    Receiver.secret = secret
    Receiver.answers = [answer for answer in answers.split(",") if answer]
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver)
    if place != "-":
        if place.startswith("make:"):
            place = place.removeprefix("make:")
            certificate.make("urn:nameplate:rig", pathlib.Path(place))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place + ".crt", place + ".pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"READY {server.server_address[1]}", file=sys.stderr, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
