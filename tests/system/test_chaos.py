# SPDX-License-Identifier: BSD-2-Clause
"""Accounting that cannot be lost: everything is killed at random, RADIUS comes and goes and loses packets.

FreeRADIUS with its default SQL schema is the witness. Afterwards every session that was reported online has
exactly one row there, closed by one Stop, with the octets that the kernel had counted, and the times at which
it had said that the interface came up and went.

LNS_CHAOS is how many sessions have to be online, at least; `make chaos` asks for more than these.
"""

import contextlib
import json
import os
import random
import re
import signal
import time

import pytest

from lab.freeradius import SqlWitness, parse_records
from lab.links import Links
from lab.lnsd import BUILD, RADIUS_SECRET, Lnsd, config
from lab.load import BadLine, Load
from lab.site import CORE, LNS_CORE
from lab.wait import DEADLINE, wait_for

SEED = int(os.environ.get("LNS_CHAOS_SEED", "20"))
SESSIONS = int(os.environ.get("LNS_CHAOS", "15"))
INTERVAL = 4  # of checkpoints, seconds
LACS = 3
# What FreeRADIUS writes by name or as a date, and what it or the client adds to a record.
NAMED = {
    *("acct-status-type", "acct-authentic", "acct-terminate-cause", "event-timestamp", "nas-port-type"),
    *("service-type", "framed-protocol", "timestamp", "tunnel-type", "tunnel-medium-type"),
}
ADDED = {"acct-delay-time", "acct-unique-session-id", "tmp-string-9"}


def plain(record):
    """With names as both sides write them."""
    return {name.lower().removesuffix(":0"): value for name, value in record.items()}


def is_near(seconds, real, is_cut=True):
    """Whether whole seconds, cut off or rounded, can be of a time that is right within a second."""
    return abs(seconds + is_cut / 2 - real) <= 1.5


USERS = 'DEFAULT\tCleartext-Password := "builder"\n\tFramed-Pool = "subscribers"\n'


def radius(tries):
    return (
        f'radius {{\n\tnas-ip-address = "{LNS_CORE}"\n\ttimeout = "2s"\n\ttries = {tries}\n\tinterim = "0s"\n'
        f'\tcheckpoint-interval = "{INTERVAL}s"\n\tserver "{CORE}" {{\n\t\tsecret = \'{RADIUS_SECRET}\'\n'
        f"\t\tauth-port = {SqlWitness.port}\n\t\tacct-port = {SqlWitness.port + 1}\n\t}}\n}}\n"
    )


@pytest.fixture
def witness(site, clean, tmp_path):
    server = SqlWitness(site.core, str(tmp_path / "witness"), CORE, LNS_CORE, RADIUS_SECRET, USERS)
    yield server
    if server.process.running():
        server.stop()


class Chaos:
    """lnsd, its LACs and its RADIUS server, and what was seen of the sessions before each blow."""

    def __init__(self, site, witness, directory, tries):
        self.site = site
        self.witness = witness
        self.directory = directory
        self.random = random.Random(SEED)
        top = 'sample-interval = "1s"\nsetup-timeout = "5m"\ncontrol-timeout = "5m"\nstop-timeout = "60s"'
        text = config(top=top, ppp='lcp-echo = "0s"', backend=radius(tries)).replace('"debug"', '"info"')
        self.server = Lnsd(site.lns, text)
        self.server.start()
        self.ready = 1
        self.loads = []
        self.first = 1
        self.exact = {}  # Acct-Session-Id: (in, out)
        self.least = {}  # the same, of sessions that were lost: as old as a checkpoint may be
        self.seen = []  # [(time, the same)] of this round
        self.losses = []  # when everything was lost
        self.began = time.monotonic()
        self.links = Links(site.lns)

    def close(self):
        for load in self.loads:
            load.stop()
        print(f"--- lnsd\n{self.server.log()}")
        self.server.close()
        self.site.lns.kill_all()
        self.links.close()

    # ---- a round ----

    def call(self, count):
        addresses = self.site.lac_addresses(LACS)
        words = ["--source", f"{addresses[0]}-{addresses[-1]}", "--lacs", str(LACS), "--sessions", str(count)]
        words += ["--first", str(self.first), "--hold", "2h", "--timeout", "5m", "--retransmits", "15"]
        words += ["--ping", "500ms", "--ping-to", "100.64.0.1", "--allow-failures"]
        self.first += count
        self.loads.append(Load(self.site.lac, os.path.join(self.directory, f"load{self.first}"), *words))
        return self.loads[-1]

    def stats(self):
        return self.server.json("show", "stats")

    def look(self):
        """What is counted of every session by now, at least."""
        now = time.time()
        up = [s for s in self.server.sessions() if s["state"] == "up"]
        self.seen.append((now, {f"{s['id']:016x}": (s["rx_octets"], s["tx_octets"]) for s in up}))

    def wait_up(self, least, settled, load):
        def there():
            self.look()
            assert load.process.running(), load.process.output()
            stats = self.stats()
            busy = settled and (stats["in_setup"] or stats["queued"] or not stats["tunnels"])
            return not busy and stats["online"] >= least

        wait_for(there, f"{least} sessions", timeout=4 * DEADLINE, context=lambda: f"{self.stats()}\n{self.server.log()}")

    def stillness(self, load):
        """Stops traffic; once that is in two rounds of checkpoints, notes what was counted."""

        def all_ping():
            return all(s["rx_octets"] for s in self.server.sessions() if s["state"] == "up")

        wait_for(all_ping, "traffic of all sessions", context=self.server.log)
        load.process.popen.send_signal(signal.SIGSTOP)
        before = {session["id"] for session in self.server.sessions()}
        enough = self.server.json("show", "spool")["checkpoints"] + 2 * len(before)
        wait_for(
            lambda: self.server.json("show", "spool")["checkpoints"] >= enough,
            "two rounds of checkpoints",
            context=self.server.log,
        )
        for session in self.server.sessions():
            if session["state"] == "up" and session["id"] in before:
                self.exact[f"{session['id']:016x}"] = session["rx_octets"], session["tx_octets"]

    def kill_pppds(self, all_of_them):
        """Templates and sessions, and the process of the hooks; the engine sees them go."""
        pids = self.server.pppds()
        if not all_of_them:
            pids = self.random.sample(pids, (len(pids) + 1) // 2)
        for pid in [*pids, self.server.find("hooks")]:
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not set(pids) & set(self.server.pppds()), "the end of pppds", context=self.server.log)

    def note_least(self, loss):
        """What a Stop must have counted, whose checkpoint is not older than it may be."""
        old = [seen for when, seen in self.seen if when <= loss - INTERVAL]
        self.least.update(old[-1] if old else {})

    def kill(self, what, quiet=True):
        server = self.server
        if what == "pppds":
            self.kill_pppds(all_of_them=quiet)
            return
        self.ready = server.log().count(": ready")
        engine, monitor = server.engine(), server.process.pid
        if what == "engine":
            os.kill(engine, signal.SIGKILL)
        elif what == "monitor":
            os.kill(monitor, signal.SIGKILL)
            server.process.wait_end()
            wait_for(lambda: not server.engine(), "the end of the engine", context=server.log)
            self.site.lns.kill_all()  # as systemd does: pppds in LCP go on until it times out
        else:
            self.losses.append(time.time())
            self.note_least(self.losses[-1])
            self.site.lns.kill_all()
            server.process.wait_end()
        if what != "engine":
            server.start(wait=False)
        wait_for(lambda: server.log().count(": ready") > self.ready, "lnsd again", context=server.log)

    def round(self, what, quiet, radius_away, count):
        print(
            f"--- {time.monotonic() - self.began:.0f} s, {len(self.online())} of {SESSIONS} sessions online so far;"
            f" next: {count} calls, {what} killed{', quiet' if quiet else ''}{', RADIUS away' if radius_away else ''}"
        )
        self.seen = []
        load = self.call(count)
        if quiet:
            self.wait_up(count * 2 // 3, True, load)
            if radius_away:
                self.witness.stop()
            self.stillness(load)
        else:
            self.wait_up(1 + self.random.randrange(max(count // 2, 1)), False, load)
            if radius_away:
                self.witness.stop()
        self.kill(what, quiet)
        if what == "pppds":  # the tunnels are alive
            load.process.popen.send_signal(signal.SIGCONT)
            load.finish()
        load.stop()
        if radius_away and self.random.randrange(2):
            self.server.wait_sessions(0)
        if radius_away:
            self.witness.start()
        self.server.wait_sessions(0)

    # ---- the end ----

    def drain(self):
        def empty():
            spool = self.server.json("spool", "flush")
            return spool["waiting"] == 0

        wait_for(empty, "an empty spool", timeout=4 * DEADLINE, context=self.server.log)

    def online(self):
        return set(re.findall(r"session ([0-9a-f]{16}): .*online, ", self.server.log()))

    def wrong(self, row):
        """What a closed row says that was otherwise."""
        octets = row["acctinputoctets"], row["acctoutputoctets"]
        start, stop, lasted = (row[f"acct{name}time"] for name in ("start", "stop", "session"))
        link = self.links.sessions.get(row["acctsessionid"])
        about = f"{row['acctsessionid']}, {row['acctterminatecause']}:"
        if (exact := self.exact.get(row["acctsessionid"], octets)) != octets:
            yield f"{about} octets {octets} instead of {exact}"
        least = self.least.get(row["acctsessionid"], (0, 0))
        if octets[0] < least[0] or octets[1] < least[1]:
            yield f"{about} octets {octets}, and {least} were counted {INTERVAL} s before everything was lost"
        if not link:
            return
        if not is_near(start, link.up):
            yield f"{about} start {start} instead of {link.up:.2f}"
        assert link.gone, f"{about} its interface is there"
        lost = [loss for loss in self.losses if link.up <= loss <= link.gone]
        if lost:  # the Stop is of its last checkpoint, or of its Start
            if not lost[0] - INTERVAL <= stop <= link.gone:
                yield f"{about} stop {stop} and everything lost at {lost[0]:.2f}"
            if not is_near(lasted, stop - start, is_cut=False):
                yield f"{about} {lasted} s from {start} until {stop}"
            return
        if not is_near(stop, link.gone):
            yield f"{about} stop {stop} instead of {link.gone:.2f}"
        if not is_near(lasted, link.gone - link.up, is_cut=False):
            yield f"{about} {lasted} s instead of {link.gone - link.up:.2f}"
        for n, way in enumerate(("input", "output")):
            if not link.at_end[n] - link.at_label[n] <= octets[n] <= link.at_end[n] - link.at_up[n]:
                yield f"{about} {way} {octets[n]} octets and {link.at_up[n]}, {link.at_label[n]}, {link.at_end[n]}"

    def check(self):
        rows = self.witness.rows()
        ids = [row["acctsessionid"] for row in rows]
        online = self.online()
        assert len(ids) == len(set(ids)), "two rows of one session"
        assert not online - set(ids), f"without a row: {sorted(online - set(ids))}"
        assert not (found := [row for row in rows if row["acctstoptime"] is None]), f"open: {found}"
        # Accounting-On closes rows as well, and gives no cause.
        assert not (found := [row for row in rows if not row["acctterminatecause"]]), f"without a Stop: {found}"
        wrong = [text for row in rows for text in self.wrong(row)]
        assert not wrong, f"{len(wrong)} wrong numbers:\n" + "\n".join(wrong)
        stops = {}
        for stop in self.witness.accounting(status="Stop"):
            what = [stop[f"Acct-{key}"] for key in ("Input-Octets", "Output-Octets", "Session-Time")]
            what += [stop["Acct-Terminate-Cause"], stop["Event-Timestamp"]]
            stops.setdefault(stop["Acct-Session-Id"], set()).add(tuple(what))
        assert not (found := {i: s for i, s in stops.items() if len(s) > 1}), f"two Stops: {found}"
        return len(online)


@pytest.fixture
def chaos(site, witness, tmp_path, request):
    lossy = request.node.get_closest_marker("heavy")
    one = Chaos(site, witness, str(tmp_path), 6 if lossy else 1)
    yield one
    one.close()


def test_everything_is_killed(chaos):
    """Power is lost in effect: the next start closes what was open, with the last checkpoint, before On."""
    load = chaos.call(3)
    chaos.wait_up(3, True, load)
    chaos.stillness(load)
    assert len(chaos.exact) == 3 and all(octets[0] > 0 for octets in chaos.exact.values())
    chaos.kill("all")
    load.stop()
    chaos.drain()
    assert chaos.check() == 3
    assert {row["acctterminatecause"] for row in chaos.witness.rows()} == {"NAS-Reboot"}
    records = chaos.witness.accounting()
    kinds = [record["Acct-Status-Type"] for record in records]
    assert kinds.index("Accounting-On", kinds.index("Start")) > max(i for i, k in enumerate(kinds) if k == "Stop")
    chaos.server.stop()


def test_spool_shown_and_exported(chaos, site):
    """What waits for a server that is away is shown, and exported as that server would have written it."""
    server = chaos.server
    load = chaos.call(2)
    chaos.wait_up(2, True, load)
    chaos.drain()
    chaos.witness.stop()
    load.stop()
    for session in server.sessions():
        server.ctl("disconnect", "session", str(session["id"]))
    server.wait_sessions(0)
    shown = wait_for(
        lambda: (found := server.json("spool", "show")) and all(r["tries"] for r in found) and found,
        "two tries in vain",
        context=lambda: str(server.json("spool", "show")),
    )
    assert sorted(record["user"] for record in shown) == [f"user{n}" for n in (chaos.first - 2, chaos.first - 1)]
    assert {(r["type"], r["saved"], r["server"]) for r in shown} == {("Stop", True, f"{CORE}:{SqlWitness.port + 1}")}
    one = server.json("spool", "show", "--user", shown[0]["user"])
    assert [record["id"] for record in one] == [shown[0]["id"]]
    assert server.json("spool", "show", "--type", "Start") == []
    assert "no such type" in site.lns.run(
        *(f"{BUILD}/lnsctl", "-s", os.path.join(server.run_dir, "control.sock"), "spool", "show", "--type", "x"),
        check=False,
    )
    assert shown[0]["user"] in server.ctl("spool", "show")
    lines = [json.loads(line) for line in server.ctl("--json", "spool", "export").splitlines()]
    assert [line["id"] for line in lines] == [record["id"] for record in shown]
    exported = {record["User-Name"]: record for record in parse_records(server.ctl("spool", "export"))}
    assert set(exported) == {record["user"] for record in shown}
    chaos.witness.start()
    chaos.drain()
    for stop in chaos.witness.accounting(status="Stop"):
        ours, its = plain(exported[stop["User-Name"]]), plain(stop)
        assert set(its) - set(ours) <= ADDED and set(ours) <= set(its), set(its) ^ set(ours)
        assert {n: v for n, v in ours.items() if n not in NAMED} == {n: its[n] for n in ours if n not in NAMED}
    assert server.json("spool", "show") == []
    server.stop()


BLOWS = [
    (what, quiet, away)
    for quiet, away in ((True, False), (False, True), (True, True), (False, False))
    for what in ("engine", "all", "monitor", "pppds")
]


@pytest.mark.heavy
def test_chaos(chaos, site):
    """Rounds of calls, each ended by a blow; in the end nothing is missing, open or doubled."""
    blows = BLOWS if SESSIONS >= 100 else BLOWS[:8]
    line = BadLine(site, device="core", loss=20)
    try:
        while len(chaos.online()) < SESSIONS:
            for blow in chaos.random.sample(blows, len(blows)):
                chaos.round(*blow, SESSIONS // 7 + 3)
    finally:
        line.repair()
    chaos.drain()
    online = chaos.check()
    seen = sum(session in chaos.links.sessions for session in chaos.online())
    print(
        f"--- {online} sessions were online, octets of {len(chaos.exact)} and times of {seen} compared;"
        f" {len(chaos.least)} of those lost had been counted before"
    )
    assert online >= SESSIONS and seen >= online * 9 // 10
    chaos.server.stop()
