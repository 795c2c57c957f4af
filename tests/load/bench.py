#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench: lnsd, lnsd with exec, xl2tpd and the bare kernel under the same load, one after the other.

Run by `make bench` on a kernel with L2TP. Progress and the table go to standard output, then one line
of JSON. README.md says how each figure is taken.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(TREE, "tests", "system"))

from lab.freeradius import FreeRadius  # noqa: E402
from lab.lnsd import BUILD, Lnsd, radius  # noqa: E402
from lab.site import CORE, GATEWAY, LNS, LNS_CORE, Site  # noqa: E402
from lab.wait import wait_for  # noqa: E402
from lab.xl2tpd import Xl2tpd, write  # noqa: E402

FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
USERS = 'DEFAULT	Cleartext-Password := "password"\n'
SECRET = "secret"  # of RADIUS; radius.so takes none with a space
RANGE = "100.64.0.2-100.64.255.254"
STARTS = 60  # seconds for the Accounting Starts after the last call is up
GONE = 300  # seconds for everything to be gone after the end of all calls
COURSE = 1500  # seconds for all waves of one run of the load generator
SETUP_TIMEOUT = "120s"  # slow is measured, not refused
METRICS = "127.0.0.1:9473"


# ---- what is measured around a program -------------------------------------------------------------


class Cgroup:
    """The processes of one LNS: the CPU time of all that ever were, and the memory of those that are."""

    root = None

    def __init__(self, name):
        if not Cgroup.root:
            Cgroup.root = tempfile.mkdtemp(prefix="lnsd-bench-cgroup-")
            subprocess.run(["mount", "-t", "cgroup2", "none", Cgroup.root], check=True)
        self.path = os.path.join(Cgroup.root, f"lnsd-bench-{os.getpid()}-{name}")
        os.mkdir(self.path)

    def _read(self, name):
        with open(os.path.join(self.path, name), encoding="ascii") as file:
            return file.read()

    def cpu(self):
        """Seconds, user and kernel."""
        return int(re.search(r"usage_usec (\d+)", self._read("cpu.stat"))[1]) / 1e6

    def pids(self):
        return [int(pid) for pid in self._read("cgroup.procs").split()]

    def private(self):
        """Octets that no other process shares."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(kb) * 1024 for kb in re.findall(r"Private_\w+: +(\d+)", file.read()))
        return total

    def engine(self):
        """CPU seconds and voluntary waits of lnsd's engine so far; None: there is none."""
        for pid in self.pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                if file.read() == "lnsd: engine\n":
                    return process_load(pid)
        return None

    def enter(self, words):
        """A command line that is in the group from its first instruction."""
        procs = os.path.join(self.path, "cgroup.procs")
        return ("/bin/sh", "-c", 'echo 0 >"$0" && exec "$@"', procs, *words)

    def close(self):
        wait_for(lambda: not self.pids(), f"the end of {self.path}")
        os.rmdir(self.path)

    @staticmethod
    def unmount():
        if Cgroup.root:
            subprocess.run(["umount", Cgroup.root], check=False)
            os.rmdir(Cgroup.root)


def available():
    """Octets that the machine could still give to programs."""
    with open("/proc/meminfo", encoding="ascii") as file:
        return int(re.search(r"^MemAvailable: +(\d+)", file.read(), re.M)[1]) * 1024


def process_load(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        user, kernel = file.read().rpartition(")")[2].split()[11:13]
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        waits = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M)[1]
    return {"cpu": (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK"), "waits": int(waits)}


class Metered:
    """A host whose programs are put in a cgroup."""

    def __init__(self, namespace, cgroup):
        self._namespace = namespace
        self._cgroup = cgroup

    def __getattr__(self, name):
        return getattr(self._namespace, name)

    def start(self, *words, **more):
        return self._namespace.start(*self._cgroup.enter(words), **more)


class Accounting:
    """How many records of a kind FreeRADIUS wrote down: its file is read once, as it grows."""

    def __init__(self, server):
        self.path = os.path.join(server.directory, "accounting")
        self.offset = 0
        self.rest = ""
        self.counts = {"Start": 0, "Stop": 0}

    def count(self, status):
        with contextlib.suppress(FileNotFoundError), open(self.path, encoding="utf-8") as file:
            file.seek(self.offset)
            text = file.read()
            self.offset = file.tell()
            lines = (self.rest + text).split("\n")
            self.rest = lines.pop()
            for line in lines:
                for kind in self.counts:
                    self.counts[kind] += line == f"\tAcct-Status-Type = {kind}"
        return self.counts[status]


# ---- the LNSs ---------------------------------------------------------------------------------------


class LnsdBench:
    def __init__(self, site, cgroup, directory, exec_mode):
        del directory  # it has its own
        text = f"""
name       = "lns"
listen     = {{ "0.0.0.0" }}
user       = "nobody"
plugin     = "{BUILD}/lns.so"
setup-timeout = {SETUP_TIMEOUT}
metrics    = "{METRICS}"
lac "bench" {{ peers = {{ "198.51.100.0/24" }} ppp = "default" }}
ppp "default" {{
	auth          = {{ "chap" }}
	local-address = "{GATEWAY}"
	pool          = "subscribers"
	exec          = {"true" if exec_mode else "false"}
}}
pool "subscribers" {{ ranges = {{ "{RANGE}" }} }}
{radius(SECRET)}
"""
        self.site = site
        self.lnsd = Lnsd(Metered(site.lns, cgroup), text).start()

    def stats(self):
        """What lnsd says of itself; the longest turn of its loop is among it."""
        return self.lnsd.json("show", "stats")

    def phases(self):
        """Of all calls so far: seconds in each phase, and how many there were."""
        text = self.site.lns.run("/usr/bin/python3", "-c", FETCH, f"http://{METRICS}/metrics")
        found = re.findall(r'lnsd_call_phase_seconds_(sum|count){phase="(\w+)"} ([\d.e+-]+)', text)
        phases = {phase: {} for _, phase, _ in found}
        for kind, phase, value in found:
            phases[phase][kind] = float(value)
        return phases

    def log(self):
        return self.lnsd.log()

    def stop(self):
        try:
            self.lnsd.stop()
        finally:
            self.lnsd.close()


class Xl2tpdBench:
    """Debian's xl2tpd, with pppd and its plugin radius.so."""

    def __init__(self, site, cgroup, directory):
        os.makedirs(directory, mode=0o700)
        path = lambda name: os.path.join(directory, name)
        write(path("servers"), f"{CORE}\t{SECRET}\n")
        write(path("dictionary"), DICTIONARY)
        write(path("map"), "")
        write(
            path("radiusclient"),
            f"authserver {CORE}\nacctserver {CORE}\nservers {path('servers')}\n"
            f"dictionary {path('dictionary')}\nmapfile {path('map')}\nseqfile {path('seq')}\n"
            "login_tries 1\nlogin_timeout 60\nradius_timeout 3\nradius_retries 3\ndefault_realm\n"
            "nologin /nonexistent\nissue /nonexistent\n",
        )
        options = [
            *("auth", "require-chap", "noccp", "novj", "noipv6", "nodetach", "name lns"),
            *("ms-dns 192.0.2.53", "mtu 1460", "mru 1460", "lcp-echo-interval 30", "lcp-echo-failure 4"),
            *("plugin radius.so", f"radius-config-file {path('radiusclient')}"),
        ]
        write(path("options"), "\n".join(options) + "\n")
        config = [
            *("[global]", f"listen-addr = {LNS}"),
            *("[lns default]", f"ip range = {RANGE}", f"local ip = {GATEWAY}"),
            *(f"pppoptfile = {path('options')}", "name = lns", "challenge = no"),
        ]
        self.xl2tpd = Xl2tpd(
            Metered(site.lns, cgroup), directory, "\n".join(config) + "\n", None
        )

    def stats(self):
        return None

    def phases(self):
        return {}

    def log(self):
        return self.xl2tpd.process.output()

    def stop(self):
        self.xl2tpd.stop()


class AccelBench:
    """accel-ppp, which Debian does not have: --accel names its daemon, installed where it was built for."""

    def __init__(self, site, cgroup, directory, program):
        os.makedirs(directory, mode=0o700)
        path = lambda name: os.path.join(directory, name)
        share = os.path.join(os.path.dirname(os.path.dirname(program)), "share", "accel-ppp")
        config = [
            *("[modules]", "log_file", "l2tp", "auth_chap_md5", "radius", "ippool"),
            *("[core]", f"log-error={path('core.log')}", f"thread-count={os.cpu_count()}"),
            *("[log]", f"log-file={path('log')}", "level=2"),
            *("[ppp]", "verbose=0", "mtu=1460", "mru=1460", "ipv4=require", "ipv6=deny", "ccp=0"),
            *("lcp-echo-interval=30", "lcp-echo-failure=4"),
            *("[l2tp]", f"bind={LNS}", "host-name=lns", f"dictionary={share}/l2tp/dictionary"),
            *("[radius]", f"dictionary={share}/radius/dictionary", "nas-identifier=lns"),
            *(f"nas-ip-address={LNS_CORE}", f"gw-ip-address={GATEWAY}", "timeout=3", "max-try=3"),
            f"server={CORE},{SECRET},auth-port=1812,acct-port=1813,req-limit=0,fail-timeout=0",
            *("[ip-pool]", f"gw-ip-address={GATEWAY}", "100.64.0.0/16"),
            *("[dns]", "dns1=192.0.2.53", "[client-ip-range]", "198.51.100.0/24"),
        ]
        write(path("config"), "\n".join(config) + "\n")
        self.path = path
        self.process = Metered(site.lns, cgroup).start(
            program, "-c", path("config"), log=path("output")
        )
        wait_for(lambda: ":06A5 " in site.lns.read("/proc/net/udp"), "accel-ppp to listen", context=self.log)

    def stats(self):
        return None

    def phases(self):
        return {}

    def log(self):
        text = self.process.output()
        for name in ("core.log", "log"):
            with contextlib.suppress(FileNotFoundError), open(self.path(name), encoding="utf-8") as file:
                text += file.read()
        return text

    def stop(self):
        self.process.stop(signal.SIGTERM)


# What radius.so asks for by number; it does not read the types of newer dictionaries.
DICTIONARY = "".join(
    f"ATTRIBUTE\t{name}\t{code}\t{kind}\n"
    for name, code, kind in (
        *(("User-Name", 1, "string"), ("Password", 2, "string"), ("CHAP-Password", 3, "string")),
        *(("NAS-IP-Address", 4, "ipaddr"), ("NAS-Port-Id", 5, "integer")),
        *(("Service-Type", 6, "integer"), ("Framed-Protocol", 7, "integer")),
        *(("Framed-IP-Address", 8, "ipaddr"), ("Reply-Message", 18, "string"), ("Class", 25, "string")),
        *(("Calling-Station-Id", 31, "string"), ("NAS-Identifier", 32, "string")),
        *(("Acct-Status-Type", 40, "integer"), ("Acct-Delay-Time", 41, "integer")),
        *(("Acct-Input-Octets", 42, "integer"), ("Acct-Output-Octets", 43, "integer")),
        *(("Acct-Session-Id", 44, "string"), ("Acct-Authentic", 45, "integer")),
        *(("Acct-Session-Time", 46, "integer"), ("Acct-Input-Packets", 47, "integer")),
        *(("Acct-Output-Packets", 48, "integer"), ("Acct-Terminate-Cause", 49, "integer")),
        *(("Acct-Input-Gigawords", 52, "integer"), ("Acct-Output-Gigawords", 53, "integer")),
        *(("CHAP-Challenge", 60, "string"), ("NAS-Port-Type", 61, "integer")),
        *(("Connect-Info", 77, "string"), ("Acct-Interim-Interval", 85, "integer")),
    )
)


class BenchRadius(FreeRadius):
    """
    FreeRADIUS for everybody: radius.so signs no requests. In one thread: a program with several takes a CPU
    more on User-Mode-Linux, where threads of one process spin until it is their turn.
    """

    mode = "-s"

    def _write(self, name, text):
        text = text.replace("require_message_authenticator = yes", "require_message_authenticator = no")
        super()._write(name, text)


# ---- the load ---------------------------------------------------------------------------------------


class Load:
    """One run of lns-load."""

    def __init__(self, site, options, *words):
        self.site = site
        self.directory = tempfile.mkdtemp(prefix="lns-load-")
        self.json = os.path.join(self.directory, "json")
        addresses = site.lac_addresses(options.lacs)
        command = [f"{BUILD}/lns-load", "--lns", LNS, "--source", f"{addresses[0]}-{addresses[-1]}"]
        command += ["--lacs", str(options.lacs), "--sessions", str(options.sessions)]
        command += ["--outstanding", str(options.outstanding), "--auth", "chap"]
        command += ["--timeout", SETUP_TIMEOUT, "--progress", "--allow-failures", "--json", self.json]
        self.process = site.lac.start(*command, *words, log=os.path.join(self.directory, "log"))

    def stage(self):
        found = re.findall(r"\x1b\[K *[\d.]+ s  (.+?)  up ", self.process.output())
        return found[-1] if found else ""

    def wait_stage(self, stage):
        wait_for(
            lambda: self.stage() == stage or not self.process.running(),
            f"{stage} of lns-load",
            COURSE,
            self.process.output,
        )

    def result(self):
        wait_for(lambda: not self.process.running(), "the end of lns-load", COURSE, self.process.output)
        assert os.path.exists(self.json), self.process.output()
        with open(self.json, encoding="utf-8") as file:
            return json.load(file)

    def close(self):
        if self.process.running():
            self.process.stop(signal.SIGKILL)
        shutil.rmtree(self.directory)


def wait_quietly(condition, timeout):
    """Seconds until condition, or None."""
    began = time.monotonic()
    while time.monotonic() - began < timeout:
        if condition():
            return round(time.monotonic() - began, 2)
        time.sleep(0.1)
    return None


def kernel_sessions(namespace):
    return len(re.findall(r"^  SESSION '", namespace.read("/proc/net/pppol2tp"), re.M))


def wait_gone(site, cgroup, accounting, idle):
    """Seconds until each kind of thing was as it was before the calls; None: never."""
    left = {
        "interfaces": lambda: len(site.lns.interfaces()) <= idle["interfaces"],
        "kernel sessions": lambda: kernel_sessions(site.lns) == 0,
        "processes": lambda: len(cgroup.pids()) <= idle["processes"],
        "Stop records": lambda: accounting.count("Stop") >= accounting.count("Start"),
    }
    took = dict.fromkeys(left)
    began = time.monotonic()
    while left and time.monotonic() - began < GONE:
        for what in [what for what, gone in left.items() if gone()]:
            took[what] = round(time.monotonic() - began, 2)
            del left[what]
        time.sleep(0.1)
    took["all"] = None if left else max(took.values())
    return took


def hold(site, cgroup, seconds, load):
    """What sessions cost that are only there: echoes, Hellos, samples, and nothing else."""
    count = len(site.lns.interfaces())
    engine, cpu, began = cgroup.engine(), cgroup.cpu(), time.monotonic()
    wait_quietly(lambda: not load.process.running(), seconds)
    took = time.monotonic() - began
    found = {
        "held_seconds": took,
        "held_lost": count - len(site.lns.interfaces()),
        "held_cpu_percent": 100 * (cgroup.cpu() - cpu) / took,
    }
    if engine:
        now = cgroup.engine()
        found["held_engine_cpu_percent"] = 100 * (now["cpu"] - engine["cpu"]) / took
        found["held_engine_waits_per_second"] = (now["waits"] - engine["waits"]) / took
    return found


def run_first_wave(site, cgroup, accounting, options):
    """Setup, what a session costs, and the end of all by StopCCN."""
    idle = {"interfaces": len(site.lns.interfaces()), "processes": len(cgroup.pids())}
    private, memory, cpu = cgroup.private(), available(), cgroup.cpu()
    load = Load(site, options, "--hold", "1h", "--end", "stopccn")
    with contextlib.closing(load):
        load.wait_stage("hold")
        up = len(site.lns.interfaces()) - idle["interfaces"]
        starts = wait_quietly(lambda: accounting.count("Start") >= up, STARTS)
        cpu = cgroup.cpu() - cpu
        private, memory = cgroup.private() - private, memory - available()
        processes = len(cgroup.pids()) - idle["processes"]
        held = hold(site, cgroup, options.hold, load) if options.hold else {}
        ending = cgroup.cpu()
        load.process.popen.send_signal(signal.SIGTERM)
        gone = wait_gone(site, cgroup, accounting, idle)
        ending = cgroup.cpu() - ending
        result = load.result()
    wave = result["waves"][0]
    count = max(wave["up"], 1)
    return {
        "calls": wave["calls"],
        "up": wave["up"],
        "failures": result["failures"],
        "calls_per_second": wave["calls_per_second"],
        "setup_seconds": wave["seconds"],
        "latency_ms": result["latency_ms"],
        "retransmissions": result["retransmissions"],
        "cpu_ms_per_session": cpu * 1e3 / count,
        "teardown_cpu_ms_per_session": ending * 1e3 / count,
        "private_kb_per_session": private / 1024 / count,
        "machine_kb_per_session": memory / 1024 / count,
        "processes_per_session": processes / count,
        "starts_after_seconds": starts,
        "teardown_seconds": gone,
        **held,
    }


def run_storm(site, cgroup, accounting, options):
    """All calls come, vanish as options.storm says, and come again."""
    idle = {"interfaces": len(site.lns.interfaces()), "processes": len(cgroup.pids())}
    words = ("--hold", "3s", "--storm", "1", "--storm-by", options.storm, "--end", "stopccn")
    with contextlib.closing(Load(site, options, *words)) as load:
        result = load.result()
    gone = wait_gone(site, cgroup, accounting, idle)
    first, storm = result["waves"][:2]
    return {
        "by": options.storm,
        "first_seconds": first["seconds"],
        "storm_seconds": storm["seconds"],
        "up": storm["up"],
        "ratio": storm["seconds"] / first["seconds"] if first["seconds"] else None,
        "failures": result["failures"],
        "retransmissions": result["retransmissions"],
        "latency_ms": result["latency_ms"],
        "gone": gone["all"] is not None,
    }


def means(before, after):
    """Milliseconds in each phase, of the calls between the two."""
    since = {
        phase: {kind: value - before[phase][kind] for kind, value in values.items()}
        for phase, values in after.items()
    }
    return {phase: 1e3 * d["sum"] / d["count"] for phase, d in since.items() if d["count"]}


def bench_lns(site, server, options, name, make):
    cgroup = Cgroup(name)
    server.forget()
    lns = make(site, cgroup, os.path.join(site.directory, name))
    found = {}
    try:
        # The figure of a first call ever, with everything still to be read from disk, is not wanted.
        one = argparse.Namespace(**{**vars(options), "sessions": options.lacs})
        with contextlib.closing(Load(site, one, "--end", "stopccn")) as load:
            load.result()
        accounting = Accounting(server)
        wait_gone(site, cgroup, accounting, {"interfaces": 10, "processes": 3})
        time.sleep(LINGER.get(name, 0))
        before = lns.phases()
        found["setup"] = run_first_wave(site, cgroup, accounting, options)
        found["phases_ms"] = means(before, lns.phases())
        found["stats_after_setup"] = lns.stats()
        if options.storm != "none":
            time.sleep(LINGER.get(name, 0))
            found["storm"] = run_storm(site, cgroup, accounting, options)
            found["stats_after_storm"] = lns.stats()
        if options.log:
            print(f"--- {name}\n{lns.log()}")
    except BaseException:
        print(f"--- {name}\n{lns.log()}")
        raise
    finally:
        lns.stop()
        cgroup.close()
    return found


def bench_floor(site, _server, options, _name, _make):
    done = site.lns.run(
        f"{BUILD}/tests/kernel_floor",
        *("-n", str(options.sessions), "-T", str(options.lacs), "-t", str(options.threads)),
    )
    return json.loads([line for line in done.splitlines() if line.startswith("{")][0])


CANDIDATES = {
    "floor": (bench_floor, None),
    "fork": (bench_lns, lambda *where: LnsdBench(*where, exec_mode=False)),
    "exec": (bench_lns, lambda *where: LnsdBench(*where, exec_mode=True)),
    "xl2tpd": (bench_lns, Xl2tpdBench),
}
# Seconds after its StopCCN in which a LAC is not heard when it comes back.
LINGER = {"accel": 35}
TITLES = {
    "fork": "lnsd",
    "exec": "lnsd, exec",
    "xl2tpd": "xl2tpd",
    "accel": "accel-ppp",
    "floor": "kernel floor",
}


# ---- the result -------------------------------------------------------------------------------------


def dig(found, *path):
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def total(counts):
    return sum(counts.values()) if counts else None


ROWS = (
    ("calls up", "{:.0f}", lambda f: dig(f, "setup", "up")),
    ("calls/s", "{:.1f}", lambda f: dig(f, "setup", "calls_per_second") or dig(f, "setup_rate")),
    ("CPU, ms per session", "{:.1f}", lambda f: dig(f, "setup", "cpu_ms_per_session") or dig(f, "setup_cpu_ms")),
    ("private, kB per session", "{:.0f}", lambda f: dig(f, "setup", "private_kb_per_session")),
    ("machine's, kB per session", "{:.0f}", lambda f: dig(f, "setup", "machine_kb_per_session")),
    ("processes per session", "{:.2f}", lambda f: dig(f, "setup", "processes_per_session")),
    *(
        (f"{text}, p{p}, ms", "{:.0f}", lambda f, key=key, p=p: dig(f, "setup", "latency_ms", key, f"p{p}"))
        for key, text in (
            *(("icrp", "ICRQ to ICRP"), ("lcp", "ICCN to first LCP"), ("auth", "ICCN to authenticated")),
            *(("up", "ICCN to IP up"), ("call", "ICRQ to IP up")),
        )
        for p in (50, 99)
    ),
    *(
        (f"phase {phase}, mean, ms", "{:.1f}", lambda f, phase=phase: dig(f, "phases_ms", phase))
        for phase in ("kernel", "queue", "connect", "fork", "lcp", "auth", "network", "end")
    ),
    ("clients' retransmissions", "{:.0f}", lambda f: total(dig(f, "setup", "retransmissions"))),
    ("teardown, s", "{:.2f}", lambda f: dig(f, "setup", "teardown_seconds", "all") or dig(f, "teardown_seconds")),
    *(
        (f"  {what}", "{:.2f}", lambda f, what=what: dig(f, "setup", "teardown_seconds", what))
        for what in ("interfaces", "kernel sessions", "processes", "Stop records")
    ),
    ("teardown CPU, ms", "{:.1f}", lambda f: dig(f, "setup", "teardown_cpu_ms_per_session")),
    ("held, s", "{:.0f}", lambda f: dig(f, "setup", "held_seconds")),
    ("held: sessions lost", "{:.0f}", lambda f: dig(f, "setup", "held_lost")),
    ("held: CPU of all, %", "{:.2f}", lambda f: dig(f, "setup", "held_cpu_percent")),
    ("held: CPU of the engine, %", "{:.2f}", lambda f: dig(f, "setup", "held_engine_cpu_percent")),
    ("held: its wakeups/s", "{:.1f}", lambda f: dig(f, "setup", "held_engine_waits_per_second")),
    ("storm: calls up", "{:.0f}", lambda f: dig(f, "storm", "up")),
    ("storm: back in, s", "{:.2f}", lambda f: dig(f, "storm", "storm_seconds")),
    ("storm: of first setup", "{:.2f}", lambda f: dig(f, "storm", "ratio")),
    ("storm: retransmissions", "{:.0f}", lambda f: total(dig(f, "storm", "retransmissions"))),
)


def ratios(results):
    """lnsd by the others; above 1 is faster, or more, than they."""

    def ratio(row, other):
        label, _, get = next(r for r in ROWS if r[0] == row)
        mine, theirs = get(results.get("fork", {})), get(results.get(other, {}))
        return round(mine / theirs, 3) if mine and theirs else None

    wanted = ("calls/s", "CPU, ms per session", "private, kB per session", "teardown, s")
    return {
        other: {row: ratio(row, other) for row in wanted} for other in ("exec", "xl2tpd", "accel", "floor") if other in results
    }


def print_table(results):
    print(f"\n{'':28}" + "".join(f"{TITLES[name]:>14}" for name in results))
    for label, form, get in ROWS:
        values = [get(found) for found in results.values()]
        if any(value is not None for value in values):
            print(f"{label:28}" + "".join(f"{'-' if v is None else form.format(v):>14}" for v in values))
    for other, found in ratios(results).items():
        text = ", ".join(f"{row} {value:.2f}" for row, value in found.items() if value is not None)
        print(f"lnsd / {TITLES[other]}: {text}")
    for name, found in results.items():
        for part in ("setup", "storm"):
            for failure in dig(found, part, "failures") or []:
                print(f"{TITLES[name]}, {part}: {failure['count']} x {failure['reason']}")


def raise_limit():
    """Of open files, the hard one: lnsd takes what it needs, as from its unit, and the others see no difference."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open("/proc/sys/fs/nr_open", encoding="ascii") as file:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, int(file.read())))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--lacs", type=int, default=10)
    parser.add_argument("--outstanding", type=int, default=500)
    parser.add_argument("--threads", type=int, default=64, help="of the kernel floor")
    parser.add_argument("--storm", choices=("none", "reboot", "cdn", "lcp", "stopccn"), default="reboot")
    parser.add_argument("--hold", type=int, default=0, help="seconds to hold all calls, 0: not at all")
    parser.add_argument("--only", default="floor,fork,exec,xl2tpd", help="which, in this order")
    parser.add_argument("--accel", metavar="FILE", help="accel-pppd, for --only ...,accel")
    parser.add_argument("--log", action="store_true", help="print what the LNSs logged")
    options = parser.parse_args()
    raise_limit()
    if options.accel:
        CANDIDATES["accel"] = (bench_lns, lambda *where: AccelBench(*where, options.accel))
    directory = tempfile.mkdtemp(prefix="lnsd-bench-")
    results = {}
    site = Site(directory)
    try:
        server = BenchRadius(site.core, site.path("radius"), CORE, LNS_CORE, SECRET, USERS)
        for name in options.only.split(","):
            bench, make = CANDIDATES[name]
            began = time.monotonic()
            results[name] = bench(site, server, options, name, make)
            print(f"bench: {TITLES[name]}: {time.monotonic() - began:.0f} s", flush=True)
        server.stop()
    finally:
        site.close()
        Cgroup.unmount()
        shutil.rmtree(directory)
    print_table(results)
    print(json.dumps({"bench": vars(options), "results": results, "ratios": ratios(results)}))


if __name__ == "__main__":
    main()
