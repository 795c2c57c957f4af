# SPDX-License-Identifier: BSD-2-Clause
"""A hostile LAC, which knows the secret, beside a good one."""

import os

import pytest

from lab.load import quiet_config, up, wait_all_up
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
