"""A webhook receiver in twenty lines; PARLANCE_WEBHOOK_SECRET is the endpoint's `whsec_…`."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from parlance import WebhookVerificationError, webhooks


class Hooks(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            event = webhooks.unwrap(body, dict(self.headers.items()), secret=os.environ["PARLANCE_WEBHOOK_SECRET"])
        except WebhookVerificationError:
            self.send_response(400)
        else:
            print(event.id, event.type, flush=True)  # put it into a queue of yours, and work afterwards
            self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Hooks).serve_forever()
