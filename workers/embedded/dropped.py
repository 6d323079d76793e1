"""`python -I -S dropped.py UID GID FOLDER SIGNAL PROGRAM …`: run a program as another user, inside FOLDER.

PostgreSQL refuses to run as root, and the user it runs as may be unable to reach a folder below a closed one.
FOLDER is therefore opened here, while still root, and reached as /proc/self/fd/3 afterwards: no parent folder
has to be opened to others, and nothing but FOLDER itself becomes reachable.
"""

import ctypes
import os
import sys

FOLDER_FD = 3
FOLDER = f"/proc/self/fd/{FOLDER_FD}"
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Drop root for good, ask for SIGNAL at the parent's death, and become the program."""
    uid, gid, folder, number = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.dup2(fd, FOLDER_FD)
    os.set_inheritable(FOLDER_FD, True)
    os.chdir("/")
    parent = os.getppid()
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    # Only now: a change of credentials clears the setting.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606 - the supervisor's own argv, no shell wanted


if __name__ == "__main__":
    main()
