# SPDX-License-Identifier: BSD-2-Clause
"""More calls than the system lets live: those that fit stay, the others are told, nobody falls silent."""

import os
import re
import resource
import signal

import pytest

from lab.lnsd import config
from lab.load import quiet_config, sources, up
from lab.site import GATEWAY
from lab.wait import wait_for
from lab.xl2tpd import Call

OTHERS = 512  # descriptors that the monitor wants for itself: lns/monitor/limits.c
LACS = 4
ROOM = 40
NOFILE = OTHERS + 2 * ROOM + LACS


def templates(server):
    """The pids of templates: those that have the fork socket on their command line and no session."""
    sessions = {server.json("show", "session", str(s["id"]))["pid"] for s in server.sessions()}
    return [pid for pid in server.pppds() if pid not in sessions]


@pytest.mark.heavy
def test_twice_as_many_calls_as_fit(site, lnsd, load):
    server = lnsd(quiet_config()).start(nofile=NOFILE)
    server.wait_log(rf"the hard limit of open files is {NOFILE}, enough for \d+ to \d+ of 65536 sessions")
    engine, template = server.engine(), templates(server)
    run = load(*sources(site, LACS), "--sessions", str(2 * ROOM), "--hold", "1h", "--allow-failures")

    def settled():
        stats = server.json("show", "stats")
        return up(server) + sum(stats["ended"].values()) == 2 * ROOM and stats

    stats = wait_for(settled, "every call up or refused", context=server.log)
    assert up(server) == ROOM, stats
    assert stats["ended"] == {"limit of sessions reached": ROOM}
    room = stats["room"]
    assert (room["sessions"], room["used"], room["refused"]) == (ROOM, ROOM, ROOM)
    assert room["limit"] == f"the hard limit of open files is {NOFILE}"
    said = server.wait_log("no room for more calls")
    assert len(said) == 1 and re.search(rf"open files is {NOFILE}, .*; to have more: LimitNOFILE=\d+ in the unit", said[0])
    assert server.engine() == engine and templates(server) == template
    # Every tunnel is heard, and so is one more, which finds no room.
    late = load(*sources(site, LACS + 1)[:1], site.lac_addresses(LACS + 1)[-1], "--first", "900", "--allow-failures")
    assert late.result()["failures"], late.process.output()
    server.wait_log("SCCRQ refused: no room: the hard limit of open files")
    assert len(server.tunnels()) == LACS

    # Some end: others are taken in their place.
    for session in server.sessions()[:5]:
        server.ctl("disconnect", "session", str(session["id"]))
    wait_for(lambda: up(server) == ROOM - 5, "five fewer", context=server.log)
    wait_for(lambda: server.json("show", "stats")["room"]["used"] == ROOM - 5, "five places", context=server.log)
    again = load(*sources(site, 1), "--port", "0", "--first", "800", "--sessions", "4", "--hold", "1h")
    wait_for(lambda: up(server) == ROOM - 1, "four in their place", context=server.log)
    again.finish()
    report = run.finish()
    codes = [f["reason"] for f in report["failures"] if "result 2" in f["reason"]]
    assert sum(f["count"] for f in report["failures"] if "error 4" in f["reason"]) == ROOM, report
    assert codes
    server.wait_sessions(0)
    assert server.engine() == engine and templates(server) == template


def test_a_monitor_that_may_open_nothing(site, lnsd, lacs):
    """Neither the engine nor a template is killed for what the monitor cannot take now."""
    server = lnsd(config()).start()
    first, second, third = (Call(f"sub{n}", f"bob{n}", "builder") for n in range(3))
    lacs(first, second, third)
    first.start()
    first.wait_up()
    engine, template, monitor = server.engine(), templates(server), server.process.pid
    soft, hard = resource.prlimit(monitor, resource.RLIMIT_NOFILE)
    # The lowest number that is free: nothing can be opened any more.
    used = {int(fd) for fd in os.listdir(f"/proc/{monitor}/fd")}
    least = next(n for n in range(max(used) + 2) if n not in used)
    resource.prlimit(monitor, resource.RLIMIT_NOFILE, (least, hard))
    second.start()
    second.wait_up()
    server.wait_log("its new session .* cannot be watched yet: Too many open files")
    assert server.engine() == engine and templates(server) == template
    assert "1 received" in site.lac.ping(GATEWAY, first.name)
    assert "1 received" in site.lac.ping(GATEWAY, second.name)
    resource.prlimit(monitor, resource.RLIMIT_NOFILE, (soft, hard))
    third.start()
    third.wait_up()
    assert server.engine() == engine and templates(server) == template
    for call in (first, second, third):
        call.hang_up()
    server.wait_sessions(0)  # all of them were reaped
    assert server.engine() == engine


@pytest.mark.heavy
def test_an_engine_that_is_told_of_more_than_can_wait(site, lnsd, load):
    """Its connection holds fewer messages than there are descriptors to hand over, and nothing is left to queue them."""
    count = 350
    text = quiet_config().replace("100.64.0.2-100.64.0.254", "100.64.0.2-100.64.3.254")
    server = lnsd(text).start()
    run = load(*sources(site, LACS), "--sessions", str(count), "--hold", "1h", "--allow-failures")
    wait_for(lambda: up(server) == count, "all of them", context=server.log)
    monitor = server.process.pid
    _, hard = resource.prlimit(monitor, resource.RLIMIT_NOFILE)
    highest = max(int(fd) for fd in os.listdir(f"/proc/{monitor}/fd"))
    resource.prlimit(monitor, resource.RLIMIT_NOFILE, (highest + 20, hard))
    os.kill(server.engine(), signal.SIGKILL)
    server.wait_log("engine 2 serves")
    server.wait_log(f"ended what the last engine left: {count} sessions, {LACS} tunnels")
    assert "engine 3" not in server.log()
    run.stop()
