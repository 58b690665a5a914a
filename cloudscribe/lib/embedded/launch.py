"""Become what a process may run as, then be it: a script for `python -I -S` without imports of ours.

PostgreSQL refuses to run as root or as a user without a name. Then this script enters a user namespace of
its own, in which the user is `nobody`: the server sees itself unprivileged while its files stay the user's
outside. Where namespaces are refused (many containers), root hands the server's folders to `nobody` and
becomes that user.

Usage: launch.py [--parent PID] [--signal NUMBER] [--unprivileged] [--own DIRECTORY]... -- COMMAND ARGUMENT...
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pathlib
import pwd
import signal
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
NOBODY = 65534
REMEDY = (
    "PostgreSQL runs neither as root nor without a user name: start as an ordinary user, move the project "
    "and CLOUDSCRIBE_DATA to where every user may go, or set DATABASE_URL."
)


def _die_with(parent: int, number: int) -> None:
    """Have the kernel (Linux only) send `number` when the parent ends; one that is gone ends us now."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def _unfit() -> bool:
    """Whether PostgreSQL refuses this user: root, or a number without a name (some containers)."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return True
    return os.geteuid() == 0


def _enter_namespace() -> bool:
    """Make this user `nobody` inside a new user namespace; False where the kernel refuses."""
    if sys.platform != "linux":
        return False
    uid, gid = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        return False
    pathlib.Path("/proc/self/setgroups").write_text("deny")
    pathlib.Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1")
    pathlib.Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1")
    return True


def _hand_over(directory: pathlib.Path, uid: int, gid: int) -> None:
    """Give a folder to the unprivileged user, once."""
    if directory.stat().st_uid == uid:
        return
    for path in directory.rglob("*"):
        os.chown(path, uid, gid, follow_symlinks=False)
    # The folder itself last: it is the mark that all of it was handed over.
    os.chown(directory, uid, gid)


def _become_nobody(owned: list[pathlib.Path]) -> None:
    """Drop root for good, after handing the server's folders over."""
    if os.geteuid() != 0:
        sys.exit(f"User {os.geteuid()} has no name on this machine. {REMEDY}")
    user = pwd.getpwnam("nobody")
    for directory in owned:
        _hand_over(directory, user.pw_uid, user.pw_gid)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    for directory in owned:
        if not os.access(directory, os.W_OK):
            sys.exit(f"{directory} cannot be reached by an unprivileged user. {REMEDY}")


def main(arguments: list[str]) -> None:
    """Drop what must be dropped and exec the command; never returns where that works."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int)
    parser.add_argument("--signal", type=int, default=signal.SIGTERM)
    parser.add_argument("--unprivileged", action="store_true")
    parser.add_argument("--own", type=pathlib.Path, action="append", default=[])
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    if options.unprivileged and _unfit() and not _enter_namespace():
        _become_nobody(options.own)
    if options.parent:
        # After the change of identity, which clears it.
        _die_with(options.parent, options.signal)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        # A shell starts what stands behind `&` with these switched off, and that outlives every exec.
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execv(options.command[0], options.command)
    except PermissionError:
        sys.exit(f"{options.command[0]} cannot be reached by an unprivileged user. {REMEDY}")


if __name__ == "__main__":
    main(sys.argv[1:])
