"""Rights that a confined child gives up for good (Linux seccomp; elsewhere the other walls must do)."""

import ctypes
import errno
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
RET_ALLOW = 0x7FFF0000
RET_EPERM = 0x00050000 | errno.EPERM
RET_KILL = 0x80000000
LOAD_WORD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
X32_CALLS = 0x40000000  # x86-64 also offers every call under a second number from here on

# audit architecture, then the numbers of socket, connect, execve, execveat, ptrace, process_vm_writev,
# io_uring_setup (it opens sockets without the socket call)
CALLS = {
    "x86_64": (0xC000003E, (41, 42, 59, 322, 101, 311, 425)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 117, 271, 425)),
}


def forbid_network_and_programs() -> bool:
    """From here on opening a socket or starting a program fails with EPERM; False where it is not possible."""
    calls = CALLS.get(os.uname().machine)
    if sys.platform != "linux" or calls is None:
        return False
    program = _filter(audit_arch=calls[0], forbidden=calls[1])
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, one, none, none, none) != 0:
        return False
    mode = ctypes.c_ulong(SECCOMP_MODE_FILTER)
    return bool(libc.prctl(PR_SET_SECCOMP, mode, header, none, none) == 0)


def _filter(*, audit_arch: int, forbidden: tuple[int, ...]) -> bytes:
    """The classic BPF program: right architecture, then number by number."""
    steps = [
        _step(LOAD_WORD, value=4),  # seccomp_data.arch
        _step(JUMP_EQUAL, value=audit_arch, if_true=1),
        _step(RETURN, value=RET_KILL),
        _step(LOAD_WORD, value=0),  # seccomp_data.nr
        _step(JUMP_AT_LEAST, value=X32_CALLS, if_true=len(forbidden) + 1),
    ]
    for place, number in enumerate(forbidden):
        steps.append(_step(JUMP_EQUAL, value=number, if_true=len(forbidden) - place))
    steps += [_step(RETURN, value=RET_ALLOW), _step(RETURN, value=RET_EPERM)]
    return b"".join(steps)


def _step(code: int, *, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
