# SPDX-License-Identifier: BSD-2-Clause
"""The demonstration: a subscriber online from the LAC's call to his accounting records.

Runs as root on a kernel with L2TP; demo.sh sees to that. The hosts, FreeRADIUS, xl2tpd and pppd are
those of the system tests.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "system"))

from lab import leftovers  # noqa: E402
from lab.freeradius import FreeRadius  # noqa: E402
from lab.lnsd import BUILD, RADIUS_SECRET, SECRET, Lnsd, config  # noqa: E402
from lab.site import CORE, LAC, LNS, LNS_CORE, Site  # noqa: E402
from lab.xl2tpd import Call, Xl2tpdLac  # noqa: E402

USER, PASSWORD = "alice@example.net", "wonderland"  # as in conf/freeradius/users

PICTURE = f"""
    subscriber        LAC                LNS                     FreeRADIUS
     (pppd)  <---->  (xl2tpd)  <------> (lnsd)        <------>  and the internet
              PPP    {LAC}  L2TP {LNS}, {LNS_CORE}  {CORE}
    host "lac"                          host "lns"              host "core"
"""

began = time.monotonic()


def step(text):
    print(f"\n[{time.monotonic() - began:5.1f} s] {text}", flush=True)


def show(text):
    for line in text.rstrip("\n").splitlines():
        print("    " + line, flush=True)


def shown(namespace, *words, text=None):
    """Shows a command as one would type it, and what it prints."""
    print("  $ " + (text or " ".join(words)), flush=True)
    show(namespace.run(*words))


def look_around(site, server, radius):
    """KEEP=1: leaves everything running until it is told to go on."""
    in_vm = os.environ.get("LNS_IN_VM")
    socket = os.path.join(server.run_dir, "control.sock")
    shell = os.environ.get("DEMO_SHELL") or (not in_vm and sys.stdin.isatty())
    commands = [
        f"{BUILD}/lnsctl --socket {socket} show sessions",
        f"ip netns exec lac ping -I sub0 {CORE}",
        "ip netns exec lns ip -br address",
        f"cat {server.process.log} {os.path.join(radius.directory, 'accounting')}",
    ]
    step("Everything stays up. To look around:")
    for command in commands:
        show(command)
    if in_vm:
        show("\nfrom another terminal: build/demo-enter 'COMMAND'")
    if shell:
        show("\nThis is a shell among the hosts; leave it with exit to end the demonstration.\n")
        subprocess.run(["bash", "--norc", "-i"], env={**os.environ, "PS1": "demo# "}, check=False)
        return
    show("\nTo end it, end `make demo` (Ctrl-C), or send SIGTERM to process " + str(os.getpid()))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


def demonstrate(site, stack):
    """Brings everything up, shows it, and takes down what it can while somebody looks."""
    step("Three hosts, as network namespaces on " + os.uname().release)
    print(PICTURE)
    before = leftovers.snapshot(site.namespaces)

    step("FreeRADIUS, with the configuration of conf/freeradius")
    radius = FreeRadius(site.core, site.path("radius"), CORE, LNS_CORE, RADIUS_SECRET)
    stack.append(radius.stop)
    show(f"answers on {CORE}")

    step("lnsd")
    server = Lnsd(site.lns, config())
    stack.append(server.close)
    server.start()
    shown(site.lns, *("ps", "-o", "user,pid,args", "-p", ",".join(map(str, site.lns.processes()))))

    step("The LAC makes a tunnel and a call; behind it the subscriber's pppd negotiates")
    call = Call("sub0", USER, PASSWORD, options=["defaultroute"])
    access = Xl2tpdLac(site.lac, site.path("lac"), LAC, LNS, [call], secret=SECRET)
    stack.append(access.stop)
    call.start()
    show(f"{USER} is online with {call.wait_up()}, DNS {call.dns()[0]}")
    radius.wait_accounting("Start", USER)
    server.wait_sessions(1)

    step("What the LNS says of it")
    for what in ("tunnels", "sessions"):
        print(f"  $ lnsctl show {what}")
        show(server.ctl("show", what))

    step("Pings through the tunnel, both ways")
    shown(site.lac, *("ping", "-n", "-c", "3", "-i", "0.2", "-w", "30", "-I", "sub0", CORE))
    shown(site.core, *("ping", "-n", "-c", "3", "-i", "0.2", "-w", "30", call.address()))

    if os.environ.get("KEEP"):
        look_around(site, server, radius)

    step("The subscriber hangs up")
    call.hang_up()
    call.wait_down()
    radius.wait_accounting("Stop", USER)
    show("the accounting records, as FreeRADIUS wrote them:")
    with open(os.path.join(radius.directory, "accounting"), encoding="utf-8") as file:
        show(file.read())

    step("The end")
    access.stop()
    server.stop()
    radius.stop()
    leftovers.wait_same(before, site.namespaces)
    show("no process, interface, route, socket or kernel session is left")


def main():
    directory = tempfile.mkdtemp(prefix="lns-demo-")
    stack = []
    site = Site(directory)
    try:
        demonstrate(site, stack)
        step("Done.")
        return 0
    except AssertionError as error:
        print(f"\nThe demonstration failed: {error}", file=sys.stderr)
        return 1
    finally:
        while stack:
            stack.pop()()
        site.close()
        shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
