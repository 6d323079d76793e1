"""A receiver with the official library: `python receiver.py 3000 secret.txt`."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = Webhook(Path(sys.argv[2]).read_text("ascii").strip()).verify(body, dict(self.headers))
            sys.stdout.write(f"{self.headers['webhook-id']} {event['type']} {event['data']['id']}\n")
            self.send_response(204)
        except WebhookVerificationError:
            self.send_response(400)
        self.end_headers()


HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
