"""Every Python process that has this folder on its PYTHONPATH writes down whom its sockets connect to.

One file per process in `RECORDED_CONNECTS`: its command, then a line "host port" for each connect to an address of IP
and each look-up of a name. What C libraries connect by themselves is not seen: libpq, to PostgreSQL.
"""

import os
import sys


def _record() -> None:
    path = f"{os.environ['RECORDED_CONNECTS']}/{os.getpid()}.txt"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(file, f"{' '.join(sys.orig_argv)}\n".encode())

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in {"socket.connect", "socket.sendto"}:
            address = arguments[1]
            if isinstance(address, tuple):
                os.write(file, f"{address[0]} {address[1]}\n".encode())
        elif event == "socket.getaddrinfo":
            os.write(file, f"{arguments[0]} {arguments[1]}\n".encode())

    sys.addaudithook(hook)


if "RECORDED_CONNECTS" in os.environ:
    _record()
