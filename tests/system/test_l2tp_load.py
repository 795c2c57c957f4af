# SPDX-License-Identifier: BSD-2-Clause
"""L2TP under stress: lines that lose packets, LACs that reboot, LACs that are hostile."""

import os

import pytest

from lab.lnsd import config
from lab.load import BadLine, Load
from lab.wait import DEADLINE, wait_for

pytestmark = pytest.mark.heavy

CALLS = 50
LACS = 5
# One million takes a while on an emulated processor.
MUTATED = int(os.environ.get("LNS_MUTATED", "100000"))
QUIET = {"top": 'setup-timeout = "10m"\ncontrol-timeout = "10m"', "ppp": 'lcp-echo = "0s"'}


def quiet_config(**options):
    """Without debugging, which costs more than all the rest."""
    return config(**{**QUIET, **options}).replace('"debug"', '"info"')


@pytest.fixture
def load(site, clean, tmp_path):
    """Makes runs of lns-load: load("--sessions", "5", ...)."""
    made = []

    def make(*options):
        made.append(Load(site.lac, str(tmp_path / f"load{len(made)}"), *options))
        return made[-1]

    yield make
    for one in made:
        print(f"--- lns-load\n{one.process.output()}")
        one.stop()


@pytest.fixture
def bad_line(site):
    made = []

    def make(*how):
        made.append(BadLine(site, *how))
        return made[-1]

    yield make
    for one in made:
        one.repair()


def sources(site, count=LACS):
    addresses = site.lac_addresses(count)
    return "--source", f"{addresses[0]}-{addresses[-1]}", "--lacs", str(count)


def up(server):
    return sum(s["state"] == "up" for s in server.sessions())


def wait_all_up(server, run, count, times=4):
    def there():
        assert run.process.running(), run.process.output()
        return up(server) == count

    wait_for(there, f"{count} sessions", timeout=times * DEADLINE, context=lambda: str(server.json("show", "stats")))


def test_a_very_bad_line(site, lnsd, load, bad_line):
    """30 % loss each way, 10 % twice, 10 % out of order: every call comes up, given enough patience."""
    server = lnsd(quiet_config(lac="retransmits = 15")).start()
    line = bad_line("delay", "10ms", "reorder", "10%", "loss", "30%", "duplicate", "10%")
    run = load(
        *sources(site),
        *("--sessions", str(CALLS), "--retransmits", "15", "--timeout", "10m", "--hold", "1h"),
    )
    wait_all_up(server, run, CALLS)
    stats = server.json("show", "stats")["l2tp"]
    assert stats["retransmissions"] > 0 and stats["duplicates"] > 0 and stats["out_of_order"] > 0
    line.repair()
    report = run.finish()
    assert report["calls"]["up"] == CALLS, report
    assert report["failures"] == [], report
    server.wait_sessions(0)


# How a call may end that did not come up on a bad line; codes of RFC 2661 section 4.4.2.
REASONS = {
    "tunnel lost",
    "ended by the LAC",
    "LCP did not open",
    "client did not authenticate",
    "no network protocol came up",
    "setup took too long",
}


def test_a_bad_line(site, lnsd, load, bad_line):
    """10 % loss and the usual patience: every call is up, or cleared for the right reason."""
    server = lnsd(quiet_config()).start()
    line = bad_line("delay", "10ms", "loss", "10%")
    run = load(*sources(site), "--sessions", str(CALLS), "--timeout", "5m", "--hold", "1h")

    def settled():
        stats = server.json("show", "stats")
        failed = sum(stats["ended"].values())
        return up(server) + failed >= CALLS and stats["in_setup"] + stats["queued"] == 0 and stats

    stats = wait_for(settled, "all calls up or cleared", timeout=4 * DEADLINE, context=server.log)
    assert set(stats["ended"]) <= REASONS, stats
    assert up(server) >= CALLS * 9 // 10
    line.repair()
    report = run.finish()
    for failure in report["failures"]:
        assert "result" in failure["reason"] or "acknowledg" in failure["reason"], report
    server.wait_sessions(0)


def test_a_lac_reboots(site, lnsd, load, radius):
    """One of three LACs dies with its calls and is back at once, on the same port; the others' stay."""
    server = lnsd(quiet_config()).start()
    run = load(*sources(site, 3), "--sessions", "9", "--reboot", "1", "--hold", "20s")
    wait_all_up(server, run, 9)
    first = {s["id"] for s in server.sessions()}

    def replaced():
        sessions = server.sessions()
        now = {s["id"] for s in sessions if s["state"] == "up"}
        return len(sessions) == len(now) == 9 and len(now & first) == 6

    wait_for(replaced, "the calls of the LAC that rebooted", context=server.log)
    assert len([t for t in server.tunnels() if t["state"] == "established"]) == 3
    report = run.result()
    assert report["status"] == 0, report
    server.wait_sessions(0)
    stops = radius.wait_accounting("Stop", count=12)
    # Result 1 in the CDNs at the end, and tunnels that were lost, are the same to accounting.
    assert {s["Acct-Terminate-Cause"] for s in stops} == {"Lost-Carrier"}


def test_a_hostile_lac_harms_nobody_else(site, lnsd, load):
    """One LAC sends mutated packets; calls of the other come, stay, ping and go."""
    server = lnsd(quiet_config().replace('"lac*"', '"*"')).start()  # a mutated name is no name of ours
    engine = server.engine()
    good, evil = site.lac_addresses(2)
    calls = load(
        *("--source", good, "--sessions", "10", "--hold", "1h", "--churn", "2"),
        *("--ping", "1s", "--ping-to", "100.64.0.1"),
    )
    wait_all_up(server, calls, 10)
    attack = load("--source", evil, "--mutate", str(MUTATED))
    report = wait_for(
        lambda: not attack.process.running() and attack.result(),
        "the end of the attack",
        timeout=DEADLINE + MUTATED // 100,
        context=attack.process.output,
    )
    assert report["status"] == 0, report
    assert server.engine() == engine, "the engine died"
    report = calls.finish()
    assert report["status"] == 0, report
    assert report["failures"] == [], report
    assert report["calls"]["up"] > 10, "nothing was replaced meanwhile"
    server.wait_sessions(0)
