"""A free port on the loopback address, reserved so that two starts at once cannot choose the same one."""

import errno
import socket
import sys
from dataclasses import dataclass

from workers.embedded.errors import PortTaken

NEXT_PORTS = 100


@dataclass(frozen=True, slots=True)
class ReservedPort:
    """A port and the socket that keeps others off it; `instead_of` is the taken port it replaces, 0 if none."""

    number: int
    reservation: socket.socket | None
    instead_of: int = 0

    def fds(self) -> list[int]:
        """Return what has to stay open for as long as the port is used."""
        return [self.reservation.fileno()] if self.reservation else []


def _can_listen(number: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def _reserve(number: int) -> ReservedPort | None:
    """Return the port if nobody listens on it or has reserved it.

    Servers may share a port by SO_REUSEPORT without noticing, so a free port is not enough. The name is in
    Linux' abstract namespace: visible to every user of the same network, gone with the last process.
    """
    if not _can_listen(number):
        return None
    if sys.platform != "linux":
        return ReservedPort(number, None)
    reservation = socket.socket(socket.AF_UNIX)
    try:
        reservation.bind(f"\0parlance-port-{number}")
    except OSError:
        reservation.close()
        return None
    return ReservedPort(number, reservation)


def choose_port(wanted: int, *, explicit: bool) -> ReservedPort:
    """Return the wanted port; a taken one is replaced by a free one, unless the user asked for it by number."""
    if (port := _reserve(wanted)) is not None:
        return port
    if explicit:
        raise PortTaken(f"Port {wanted} is taken by another program. Stop that program, or choose another with --port.")
    for number in range(wanted + 1, wanted + NEXT_PORTS):
        if (port := _reserve(number)) is not None:
            return ReservedPort(port.number, port.reservation, instead_of=wanted)
    raise PortTaken(f"Ports {wanted} to {wanted + NEXT_PORTS - 1} are taken. Choose one with --port.")
