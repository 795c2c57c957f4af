# SPDX-License-Identifier: BSD-2-Clause
"""A hostile LAC, which knows the secret, beside a good one."""

import os
import time

import pytest

from lab.flood import FLOODS, pour
from lab.lnsd import SECRET
from lab.load import quiet_config, up, wait_all_up
from lab.script import ScriptLac
from lab.site import LNS
from lab.wait import DEADLINE, wait_for

pytestmark = pytest.mark.heavy

PACKETS = int(os.environ.get("LNS_MUTATED", "20000"))
MANY = 1000000
CALLS = 10


def statistics(server):
    return server.json("show", "stats")["l2tp"]


def judge(report, before, after):
    """Most packets must have come to a state machine of a live tunnel, by lnsd's own statistics."""
    got = {name: after[name] - before[name] for name in after}
    reached = got["taken"] + got["refused"] + got["ignored"]
    print(f"{report['sent']} sent, {got['packets_in']} received, {reached} reached: {got}\n{report}")
    assert report["status"] == 0, report
    assert got["packets_in"] > report["sent"] // 2, "the rest overran the socket"
    assert reached > got["packets_in"] * 6 // 10, got
    assert got["refused"] > reached // 10, got
    assert got["duplicates"] and got["out_of_order"] and got["discarded"] and got["unknown_tunnel"], got
    assert report["tunnels"] > 8, report  # as many are open at a time
    assert report["calls"] > report["sent"] // 1000, report
    assert report["connected"] > 0, report


def attack(site, lnsd, load, count):
    """Calls of the good LAC come, stay, ping and go all the while."""
    # What the hostile one says of its name is no name of ours.
    server = lnsd(quiet_config(top="").replace('"lac*"', '"*"')).start()
    engine = server.engine()
    good, evil = site.lac_addresses(2)
    calls = load(
        *("--source", good, "--sessions", str(CALLS), "--hold", "24h", "--churn", "2"),
        *("--ping", "1s", "--ping-to", "100.64.0.1"),
    )
    wait_all_up(server, calls, CALLS)
    before = statistics(server)
    run = load("--source", evil, "--mutate", str(count))
    wait_for(
        lambda: not run.process.running(),
        "the end of the attack",
        timeout=DEADLINE + count // 20,
        context=run.process.output,
    )
    judge(run.result(), before, statistics(server))
    assert server.engine() == engine, "the engine died"
    report = calls.finish()
    assert report["status"] == 0, report
    assert report["failures"] == [], report
    assert report["calls"]["up"] > CALLS, "nothing was replaced meanwhile"
    server.wait_sessions(0)


def test_a_hostile_lac_harms_nobody_else(site, lnsd, load):
    attack(site, lnsd, load, PACKETS)


def test_a_hostile_lac_does_not_tire(site, lnsd, load):
    attack(site, lnsd, load, MANY)


# It may have as many sessions as it likes: only its own calls wait for them.
EVIL = f"""lac "evil" {{
	peers     = {{ "198.51.100.0/24" }}
	host-name = "evil*"
	secret    = '{SECRET}'
	ppp       = "default"
}}
"""


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_drowns_nobody(site, lnsd, load, name):
    """All calls of the good LAC come up meanwhile, and the flood is a line a second in the log."""
    server = lnsd(quiet_config() + EVIL).start()
    engine = server.engine()
    good, evil = site.lac_addresses(2)
    lac = ScriptLac(site.lac, evil, LNS, secret=SECRET, host_name="evil1")
    try:
        lac.open()
        server.wait_log("established, peer's tunnel")
        begun = time.monotonic()
        run = load("--source", good, "--sessions", "20", "--hold", "2s", "--churn", "10")
        sent = pour(lac, FLOODS[name](lac), lambda: not run.process.running())
        seconds = time.monotonic() - begun
    finally:
        lac.close()
    report = run.result()
    print(f"{name}: {sent} packets in {seconds:.1f} s; {report['latency_ms']}\n{statistics(server)}")
    assert sent > 1000
    assert server.engine() == engine, "the engine died"
    assert report["status"] == 0 and report["failures"] == [], report
    assert report["calls"]["up"] > 20, report
    mistakes = [line for line in server.log().splitlines() if "warning" in line and evil in line]
    assert len(mistakes) <= seconds + 2, "\n".join(mistakes)
