# SPDX-License-Identifier: BSD-2-Clause
"""leftovers: what a host and its kernel hold, to be the same after a test as before.

Compared are processes, interfaces, routes, UDP and Unix sockets of every host, the kernel's L2TP tunnels
and sessions, and the files in the run directory; and the kernel must have had nothing to complain of.
"""

import contextlib
import os
import re
import signal

from lab.wait import wait_for

COMPLAINT = re.compile(
    r"WARNING|BUG|Oops|Call Trace|refcount|unregister_netdevice: waiting|RCU|blocked for more|segfault"
    r"|KASAN|leak|general protection|traps:"
)


class KernelLog:
    """What the kernel says from now on."""

    def __init__(self):
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(self.fd, 0, os.SEEK_END)

    def lines(self):
        lines = []
        while True:
            try:
                record = os.read(self.fd, 8192).decode(errors="replace")
            except BlockingIOError:
                return lines
            except BrokenPipeError:
                continue  # the ring was faster than we; the next read goes on
            lines.append(record.partition(";")[2].splitlines()[0])

    def complaints(self):
        return [line for line in self.lines() if COMPLAINT.search(line)]

    def close(self):
        os.close(self.fd)


def _l2tp(namespace):
    """The kernel's tunnels and sessions as debugfs shows them, comments and counters left out."""
    path = "/sys/kernel/debug/l2tp/tunnels"
    if not os.path.exists(path):
        return set()
    lines = namespace.read(path).splitlines()
    return {line.strip() for line in lines if re.match(r"(TUNNEL|  SESSION) \d", line)}


def _sockets(namespace):
    udp = set()
    for table in ("udp", "udp6"):
        for line in namespace.read(f"/proc/net/{table}").splitlines()[1:]:
            words = line.split()
            udp.add(f"{table} {words[1]} {words[2]}")
    for line in namespace.read("/proc/net/unix").splitlines()[1:]:
        words = line.split()
        udp.add(f"unix {words[7] if len(words) > 7 else words[6]}")
    return udp


def _routes(namespace):
    routes = set()
    for line in namespace.read("/proc/net/route").splitlines()[1:]:
        words = line.split()
        routes.add(f"{words[0]} {words[1]}/{words[7]} via {words[2]}")
    for line in namespace.read("/proc/net/ipv6_route").splitlines():
        words = line.split()
        if words[0].startswith(("fe8", "ff")):
            continue  # link-local and multicast: the kernel's, in its own time
        routes.add(f"{words[9]} {words[0]}/{words[1]}")
    return routes


def snapshot(namespaces, directories=()):
    """{what: set}; a set compares by names that no two runs of a program give differently."""
    found = {}
    for namespace in namespaces:
        processes = namespace.processes()
        found[f"processes on {namespace.name}"] = {f"{p} {n}" for p, n in processes.items()}
        found[f"interfaces of {namespace.name}"] = namespace.interfaces()
        found[f"routes of {namespace.name}"] = _routes(namespace)
        found[f"sockets of {namespace.name}"] = _sockets(namespace)
        found[f"L2TP of {namespace.name}"] = _l2tp(namespace)
    for directory in directories:
        found[f"files in {directory}"] = {
            os.path.join(path, name) for path, _, names in os.walk(directory) for name in names
        }
    return found


def difference(before, after):
    """What is there now and was not, or the other way round; empty when all is as before."""
    text = []
    for what in sorted(set(before) | set(after)):
        old, new = before.get(what, set()), after.get(what, set())
        text += [f"{what}: left behind: {item}" for item in sorted(new - old)]
        text += [f"{what}: gone: {item}" for item in sorted(old - new)]
    return "\n".join(text)


def kill_new(before, namespaces):
    """Ends the processes that were not there before."""
    for namespace in namespaces:
        for pid, name in namespace.processes().items():
            if f"{pid} {name}" not in before[f"processes on {namespace.name}"]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def wait_same(before, namespaces, directories=()):
    """Waits for everything to be as before. The kernel takes its time to free what is closed."""
    last = []

    def same():
        last[:] = [difference(before, snapshot(namespaces, directories))]
        return not last[0]

    wait_for(same, "a clean end", timeout=30, context=lambda: last[0])
