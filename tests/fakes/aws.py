"""AWS on loopback: moto, behind a door that checks what moto does not: who may take on which role, and why."""

from __future__ import annotations

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import boto3
import httpx

_ERROR = "<ErrorResponse><Error><Code>{code}</Code><Message>secret-bucket</Message></Error></ErrorResponse>"
_S3_ERROR = "<Error><Code>{code}</Code><Message>secret-bucket</Message></Error>"


class FakeAws:
    """`trusts` holds, for each role, the external id that its policy asks for; "" lets everybody in."""

    def __init__(self, moto_url: str) -> None:
        self.trusts: dict[str, str] = {}
        self.policies: list[Any] = []  # of the sessions that were given out
        self.written: list[str] = []  # paths of every finished write
        self.faults: deque[tuple[int, str]] = deque()  # status and code of S3's next answers
        self._moto = httpx.Client(base_url=moto_url, trust_env=False)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.s3: Any = boto3.session.Session(aws_access_key_id="a", aws_secret_access_key="b").client(
            "s3", endpoint_url=moto_url, region_name="us-east-1"
        )

    def keys(self, bucket: str) -> list[str]:
        """What stands in a bucket."""
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def read(self, bucket: str, key: str) -> tuple[bytes, str]:
        """An object and its type."""
        found = self.s3.get_object(Bucket=bucket, Key=key)
        return found["Body"].read(), found["ContentType"]

    def respond(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        """Status, type and body of the answer to one request."""
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            wanted = self.trusts.get(asked["RoleArn"])
            if wanted is None or wanted not in ("", asked.get("ExternalId")):
                return 403, "text/xml", _ERROR.format(code="AccessDenied").encode()
            self.policies.append(json.loads(asked["Policy"]))
        elif self.faults:
            status, code = self.faults.popleft()
            return status, "application/xml", _S3_ERROR.format(code=code).encode()
        answer = self._moto.request(method, path, headers=headers, content=body)
        if answer.status_code == 200 and method in {"PUT", "POST"} and not path.endswith("uploads"):
            self.written.append(path.partition("?")[0])
        self.etag = answer.headers.get("etag")
        return answer.status_code, answer.headers.get("content-type", "text/xml"), answer.content

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._moto.close()
        self.s3.close()


def _handler(fake: FakeAws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content_type, answer = fake.respond(self.command, self.path, headers, body)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            if self.command == "PUT" and status == 200 and fake.etag:
                self.send_header("ETag", fake.etag)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_PUT = do_DELETE = do_any

        def log_message(self, *_: object) -> None:
            pass

    return Handler
