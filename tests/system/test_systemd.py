# SPDX-License-Identifier: BSD-2-Clause
"""The Debian package on a host that systemd runs: the unit as shipped, with all that it forbids."""

import glob
import itertools
import json
import os
import re
import signal

import pytest

from lab import l2tp, leftovers
from lab.lnsd import BUILD, RADIUS_SECRET, SECRET, Lnsd, config, radius as radius_section
from lab.load import Load
from lab.machine import Machine, missing
from lab.site import LAC, LNS
from lab.wait import wait_for
from test_metrics import Metrics

pytestmark = pytest.mark.heavy

SETTINGS = "/etc/lns/lns.conf"
GROUP = "/sys/fs/cgroup/system.slice/lnsd.service"
HOOK = "/usr/local/lib/lns/hook"
HOOK_USER = "daemon"
DROP_IN = "/etc/systemd/system/lnsd.service.d/watchdog.conf"
NOT_ALLOWED = re.compile(r"not permitted|[Pp]ermission denied|EPERM|EACCES|SIGSYS|signal 31|[Rr]ead-only")

# Who it is, and what it may write to.
HOOK_TEXT = """#!/bin/sh
echo "$1 of $LNS_USER as $(id -un):$(id -gn)"
for place in /etc /home /root /run /run/lnsd /sys/kernel/tracing /usr /var/lib/lnsd /var/log; do
	touch $place/hook 2>/dev/null && echo "wrote to $place"
done
echo text >/tmp/hook && echo "/tmp is there"
"""

STATIC = f"""
static-tunnel "site" {{
	local = "{LNS}"  local-id = 100000  local-port = 5000
	peer  = "{LAC}"  peer-id  = 200000  peer-port  = 5000
	session "l2site" {{ local-id = 7  peer-id = 8 }}
}}
"""


def settings(top="", ppp="", backend=None):
    """lns.conf of the package's lnsd: user and plugin are the defaults."""
    text = config(top=top, ppp=ppp, backend=backend)
    return re.sub(r"^(user|plugin) .*\n", "", text, flags=re.M)


class Service(Lnsd):
    """lnsd as a unit."""

    def __init__(self, machine):  # it has no directory of its own
        self.machine = machine
        self.namespace = machine.namespace
        self.cursor = ""

    def log(self):
        return "".join(f"{record.get('MESSAGE')}\n" for record in self.journal())

    def ctl(self, *words, check=True):
        return self.machine.run("lnsctl", *words, check=check)

    def show(self, name):
        return self.machine.run("systemctl", "show", "-P", name, "lnsd").strip()

    def journal(self):
        """What the journal has of the unit since mark(), as a list of records."""
        words = ["journalctl", "--no-pager", "--all", "-o", "json", "-u", "lnsd"]
        words += ["--after-cursor", self.cursor] if self.cursor else []
        return [json.loads(line) for line in self.machine.run(*words).splitlines() if line.startswith("{")]

    def mark(self):
        """log() and journal() begin here."""
        out = self.machine.run("journalctl", "--no-pager", "-n", "1", "--show-cursor", "-u", "lnsd")
        self.cursor = out.rpartition("-- cursor: ")[2].strip()

    def wait_status(self, text):
        """Waits for the text of `systemctl status`."""
        wait_for(lambda: text in self.show("StatusText"), text, context=lambda: self.show("StatusText"))

    def configure(self, text):
        self.machine.write(SETTINGS, text)

    def restart(self, text):
        self.configure(text)
        self.mark()
        self.machine.run("systemctl", "restart", "lnsd")

    def reload(self, check=True):
        return self.machine.run("systemctl", "reload", "lnsd", check=check)

    def limit(self, pid, name):
        """The soft and the hard limit of a process."""
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            return next(line for line in file if line.startswith(name))[len(name) :].split()[:2]

    def monitor(self):
        return self.find("monitor")


@pytest.fixture(scope="module")
def machine(site, freeradius, tmp_path_factory):
    if reason := missing():
        pytest.skip(reason)
    packages = glob.glob(f"{BUILD}/lnsd_*.deb")
    if not packages:
        pytest.skip(f"no package in {BUILD}: make deb O={BUILD}")
    log = leftovers.KernelLog()
    before = leftovers.snapshot(site.namespaces)
    machine = Machine(site.lns, str(tmp_path_factory.mktemp("machine")), [BUILD])
    try:
        machine.package = max(packages, key=os.path.getmtime)
        machine.installed = machine.install(machine.package)
        yield machine
        machine.stop()
        leftovers.wait_same(before, site.namespaces)
        assert not (found := log.complaints()), "\n".join(found)
    finally:
        machine.close()
        log.close()


@pytest.fixture
def service(machine, radius):
    service = Service(machine)
    service.mark()
    yield service
    print(service.log())


numbers = itertools.count(1, 10)


@pytest.fixture
def calls(site, tmp_path):
    """Starts subscribers that were never there before: calls(2) gives the load generator, which holds them."""
    made = []

    def make(count=1):
        words = ["--sessions", str(count), "--hold", "1h", "--first", str(next(numbers))]
        made.append(Load(site.lac, str(tmp_path / f"load{len(made)}"), *words))
        return made[-1]

    yield make
    for one in made:
        print(f"--- lns-load\n{one.process.output()}")
        one.stop()


def wait_up(service, count):
    def there():
        sessions = service.sessions()
        return len(sessions) == count and all(s["state"] == "up" for s in sessions) and sessions

    return wait_for(there, f"{count} sessions that are up", context=service.log)


def online(service, calls, radius):
    """Brings a subscriber up: lnsd's view of it, and RADIUS's."""
    calls()
    session = wait_up(service, 1)[0]
    return session, radius.wait_accounting("Start", session["user"])[0]


def wait_stop(radius, user):
    """Waits for its Stop record. It comes twice when who sent it was killed before the answer was written down."""
    return wait_for(lambda: radius.accounting(user, "Stop"), f"the Stop record of {user}")[0]


def ping(site, start):
    assert "1 received" in site.lns.ping(start["Framed-IP-Address"], size=472)


def pinged(stop):
    return (stop["Acct-Input-Octets"], stop["Acct-Output-Octets"]) == ("500", "500")


# --- the package, and what systemd thinks of it --------------------------------------------------------


def test_installing_it_starts_it(machine, service):
    assert service.show("ActiveState") == "active", machine.installed + machine.context()
    assert service.show("UnitFileState") == "enabled"
    assert service.show("FragmentPath").endswith("/lib/systemd/system/lnsd.service")
    assert service.show("NRestarts") == "0"
    assert int(service.show("MainPID"))
    assert service.tunnels() == [] and service.sessions() == []
    security = machine.run("systemd-analyze", "security", "--no-pager", "--threshold=30", "lnsd")
    assert re.search(r"exposure level for lnsd.service: [012]\.", security), security
    assert not machine.run("systemd-analyze", "--man=no", "verify", service.show("FragmentPath"))


def test_its_limits(machine, service, radius):
    assert service.show("TasksMax") == "infinity"
    for pid in (service.monitor(), service.engine()):
        assert service.limit(pid, "Max open files") == ["1048576", "1048576"]
    for pid in (service.monitor(), service.engine(), *service.pppds()):
        assert service.limit(pid, "Max processes") == ["unlimited", "unlimited"]
        assert service.limit(pid, "Max core file size") == ["0", "0"]
    members = machine.read(f"{GROUP}/cgroup.procs").split()
    assert len(members) == 2 + len(service.pppds())
    if os.path.exists(machine.path(f"{GROUP}/pids.max")):
        assert machine.read(f"{GROUP}/pids.max").strip() == "max"


# --- a subscriber -------------------------------------------------------------------------------------


def test_a_subscriber_with_everything(site, machine, service, calls, radius):
    machine.write("/etc/lns/radius.secret", RADIUS_SECRET + "\n")
    machine.write("/etc/lns/lac.secret", SECRET + "\n")
    machine.write(HOOK, HOOK_TEXT, 0o755)
    top = f'hook-user = "{HOOK_USER}"\non-up = "{HOOK}"\non-down = "{HOOK}"\nmetrics = "127.0.0.1:9473"\n'
    v3 = not l2tp.missing_v3(site.lns, "udp", 4)
    text = settings(top=top + STATIC * v3, ppp="rate-down = 10M rate-up = 1500k")
    text = text.replace(f"secret    = '{SECRET}'", 'secret-file = "/etc/lns/lac.secret"')
    text = text.replace(f"secret = '{RADIUS_SECRET}'", 'secret-file = "/etc/lns/radius.secret"')
    assert text.count("secret-file") == 2
    service.restart(text)
    load = calls(2)
    session = wait_up(service, 2)[0]
    start = radius.wait_accounting("Start", session["user"])[0]
    ping(site, start)

    # Rates, by tc; a static tunnel; metrics; and who may ask.
    device = session["ifname"]
    assert "rate 10Mbit" in site.lns.run("tc", "qdisc", "show", "dev", device)
    assert "rate 1500Kbit" in site.lns.run("tc", "filter", "show", "dev", device, "ingress")
    if v3:
        assert "l2site" in site.lns.interfaces()
        assert [t["state"] for t in service.tunnels() if t["lac"] == "static site"] == ["up"]
    Metrics(site.lns).wait(2, "lnsd_sessions", lac="wholesale", state="up")
    as_user = ["setpriv", "--reuid", HOOK_USER, "--clear-groups", "--regid"]
    assert machine.status(*as_user, "lnsd", "lnsctl", "show", "sessions") == 0
    assert machine.status(*as_user, HOOK_USER, "lnsctl", "show", "sessions") != 0

    # The journal.
    def recorded():
        records = [r for r in service.journal() if r.get("LNS_USER") == session["user"]]
        return next((r for r in records if "online" in r["MESSAGE"]), None)

    record = wait_for(recorded, "the record", context=service.log)
    assert record["LNS_SESSION"] == f"{session['id']:016x}"
    assert (record["LNS_LAC"], record["LNS_INTERFACE"]) == ("wholesale", device)
    assert (record["SYSLOG_IDENTIFIER"], record["LNS_PROCESS"]) == ("lnsd", "engine")
    assert record["_SYSTEMD_UNIT"] == "lnsd.service"

    # What needs more rights than the engine has: the kernel's events, where it has any. And the spool.
    if os.path.exists(machine.path("/sys/kernel/tracing/events/l2tp")):
        assert service.json("kernel", "trace", "on") == {"tracing": True}
        assert isinstance(service.json("kernel", "trace", "show"), list)
        assert service.json("kernel", "trace", "off") == {"tracing": False}
    else:
        assert "no tracing" in service.ctl("kernel", "trace", "on", check=False)
    assert os.stat(machine.path("/var/lib/lnsd/accounting.db")).st_mode & 0o777 == 0o600

    # Hooks, and another process for them when it dies.
    service.wait_log(f"on-up: up of {session['user']} as {HOOK_USER}:{HOOK_USER}$")
    first = service.find("hooks")
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: service.find("hooks") not in (None, first), "another hook process", context=service.log)
    load.finish()
    service.wait_sessions(0)
    service.wait_log(f"on-down: down of {session['user']} as ")
    service.wait_log("/tmp is there", count=4)
    assert "wrote to" not in service.log()
    radius.wait_accounting("Stop", count=2)
    assert service.json("show", "stats")["hooks"]["up_failed"] == 0


def test_udev_and_networkd_leave_its_interface_alone(site, machine, service, calls, radius):
    if not os.path.exists("/lib/systemd/systemd-udevd") or not os.path.exists("/lib/systemd/systemd-networkd"):
        pytest.skip("udev or systemd-networkd is not installed")
    machine.write("/etc/systemd/network/50-all.network", "[Match]\nType=ppp\n[Network]\nDHCP=yes\n", 0o644)
    machine.run("systemctl", "start", "systemd-networkd")
    service.restart(settings())
    session, _ = online(service, calls, radius)
    site.lns.ip("link add witness type veth peer name witness2")
    try:
        index = site.lns.ip_json("link", "show", session["ifname"])[0]["ifindex"]
        wait_for(
            lambda: "ADMIN_STATE=unmanaged" in machine.read(f"/run/systemd/netif/links/{index}"),
            "systemd-networkd to decide",
            context=machine.context,
        )

        def devices():
            words = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "--type", "device"]
            return re.findall(r"net-(?:devices-)?(\w+)\.device", machine.run(*words))

        wait_for(lambda: "witness" in devices(), "the device unit of another interface", context=machine.context)
        assert session["ifname"] not in devices()
        properties = machine.run("udevadm", "info", "--query=property", f"/sys/class/net/{session['ifname']}")
        assert "SYSTEMD_READY=0" in properties
    finally:
        site.lns.ip("link del witness")
        machine.run("systemctl", "stop", "systemd-networkd")


# --- reload, restart ----------------------------------------------------------------------------------


def test_reload(machine, service, calls, radius):
    service.restart(settings())
    session, _ = online(service, calls, radius)
    pids = service.monitor(), service.engine(), *service.pppds()
    service.configure(settings(ppp="session-timeout = 1h").replace('"subscribers"', '"others"'))
    service.reload()
    service.wait_log("configuration reloaded")
    assert [pool["pool"] for pool in service.json("show", "pools")] == ["others"]
    assert service.sessions()[0]["id"] == session["id"]
    assert (service.monitor(), service.engine(), *service.pppds()) == pids

    service.configure(settings(top="nonsense = 1"))
    said = service.reload(check=False)
    assert "failed" in said
    service.wait_log("nonsense")
    assert service.show("ActiveState") == "active"
    assert service.sessions()[0]["id"] == session["id"]
    service.wait_status("Serving; sessions: 1")
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=HUP", "lnsd")  # not checked before
    service.wait_status("The last reload was refused, the log says why. Serving; sessions: 1")
    service.configure(settings())
    service.reload()
    service.wait_log("configuration reloaded", count=2)
    wait_for(lambda: service.show("StatusText") == "Serving; sessions: 1", "the status", context=service.log)


def test_restart_ends_sessions_cleanly(site, machine, service, calls, radius):
    service.restart(settings())
    session, start = online(service, calls, radius)
    ping(site, start)
    old = service.monitor()
    machine.run("systemctl", "restart", "lnsd")
    stop = radius.wait_accounting("Stop", session["user"])[0]
    assert stop["Acct-Terminate-Cause"] == "NAS-Reboot"
    assert pinged(stop), stop
    assert service.monitor() not in (None, old)
    assert service.show("ActiveState") == "active" and service.show("Result") == "success"
    assert service.sessions() == []
    assert not re.search("Killing|killing|remains", service.log())


# --- blows --------------------------------------------------------------------------------------------


def test_the_engine_dies(site, machine, service, calls, radius):
    service.restart(settings())
    session, start = online(service, calls, radius)
    ping(site, start)
    monitor = service.monitor()
    os.kill(service.engine(), signal.SIGKILL)
    stop = radius.wait_accounting("Stop", session["user"])[0]
    assert stop["Acct-Terminate-Cause"] == "NAS-Error"
    assert pinged(stop), stop
    service.wait_log("engine 2 serves")
    assert service.monitor() == monitor and service.show("NRestarts") == "0"
    service.wait_sessions(0)


def test_the_monitor_dies(machine, service, calls, radius):
    service.restart(settings())
    session, _ = online(service, calls, radius)
    old = service.monitor()
    os.kill(old, signal.SIGKILL)
    stop = wait_stop(radius, session["user"])
    assert stop["Acct-Terminate-Cause"] == "NAS-Reboot"
    wait_for(lambda: service.show("ActiveState") == "active", "another lnsd", context=service.log)
    assert service.monitor() not in (None, old)
    service.wait_log("engine 1 serves", count=2)
    service.wait_sessions(0)
    assert len(service.pppds()) == 1


def test_a_hanging_monitor_is_replaced(machine, service, calls, radius):
    """By systemd; here sooner than the unit says."""
    machine.write(DROP_IN, "[Service]\nWatchdogSec=5s\n", 0o644)
    machine.run("systemctl", "daemon-reload")
    try:
        service.restart(settings())
        session, _ = online(service, calls, radius)
        os.kill(service.monitor(), signal.SIGSTOP)
        service.wait_log("Watchdog timeout")
        service.wait_log("engine 1 serves", count=2)
        wait_stop(radius, session["user"])
        service.wait_sessions(0)
    finally:
        os.unlink(machine.path(DROP_IN))
        machine.run("systemctl", "daemon-reload")


def test_a_hanging_engine_is_replaced(machine, service, calls, radius):
    """By the monitor, after half a minute; systemd has nothing to do."""
    service.restart(settings())
    session, _ = online(service, calls, radius)
    restarts, monitor = service.show("NRestarts"), service.monitor()
    os.kill(service.engine(), signal.SIGSTOP)
    service.wait_log("the engine has not answered for 30 s: killing it")
    service.wait_log("engine 2 serves")
    radius.wait_accounting("Stop", session["user"])
    assert (service.show("NRestarts"), service.monitor()) == (restarts, monitor)
    service.wait_status("Serving; sessions: 0")


def test_nothing_was_forbidden(machine, service):
    """In all that happened above, but to the hooks."""
    service.cursor = ""
    lines = [line for line in service.log().splitlines() if not line.startswith("hooks: session")]
    assert lines
    assert not [line for line in lines if NOT_ALLOWED.search(line)]


def test_an_upgrade_leaves_it_running_and_a_removal_stops_it(machine, service, calls, radius):
    """The last test, as nothing is there after it."""
    service.restart(settings())
    session, _ = online(service, calls, radius)
    monitor = service.monitor()
    assert "goes on running" in machine.install(machine.package)
    assert service.monitor() == monitor and service.sessions()[0]["id"] == session["id"]
    assert machine.read(SETTINGS) == settings()
    machine.run("dpkg", "--no-triggers", "--purge", "lnsd")
    assert radius.wait_accounting("Stop", session["user"])[0]["Acct-Terminate-Cause"] == "NAS-Reboot"
    assert service.monitor() is None and not service.pppds()
    left = [path for path in (SETTINGS, "/var/lib/lnsd", "/usr/sbin/lnsd") if os.path.exists(machine.path(path))]
    assert not left, left
