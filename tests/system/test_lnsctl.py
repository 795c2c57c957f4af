# SPDX-License-Identifier: BSD-2-Clause
"""lnsctl as an operator uses it: who is there, who is not and why, and ending them."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import pytest

from lab.freeradius import TREE
from lab.lnsd import BUILD, config
from lab.lnsd import radius as radius_section
from lab.wait import wait_for
from lab.xl2tpd import Call, write

USERS = 'alice "wonderland" 100.64.2.2\nbob "builder" *\n'


def refused(server, *words):
    """What lnsctl complains about."""
    with pytest.raises(AssertionError, match="status 1") as error:
        server.ctl(*words)
    return str(error.value)


def test_why_somebody_cannot_connect(site, lnsd, lacs):
    """One command from a name, or a number, to the reason."""
    server = lnsd(config(backend="", top='users = "%USERS%"'), USERS).start()
    good, wrong = Call("sub0", "alice", "wonderland"), Call("sub1", "bob", "breaker")
    lacs(good, wrong)
    assert "no call of that user" in refused(server, "why", "bob")
    wrong.start()
    ends = wait_for(lambda: server.json("history"), "the failure", context=server.log)
    wrong.wait_down()
    good.start()
    good.wait_up()
    server.wait_sessions(1)

    ends = server.json("why", "bob")
    assert {end["what"] for end in ends} == {"failed"}
    assert ends[0]["reason"] == "authentication refused"
    assert (ends[0]["state"], ends[0]["lac"], ends[0]["was_up"]) == ("link", "wholesale", False)
    assert "authentication refused" in server.ctl("why", "bob")
    assert server.json("why", "100.64.2.2")[0]["what"] == "online"
    assert server.json("why", "alice")[0]["user"] == "alice"

    # and from an alert to the LAC and its reasons
    section = server.json("show", "lacs")[0]
    assert (section["lac"], section["online"]) == ("wholesale", 1) and section["tunnels"] >= 1
    assert section["calls_failed"] >= 1 and section["last_error"].startswith("authentication refused")
    section = server.json("show", "lac", "wholesale")
    assert section["failed_reasons"]["authentication refused"] == section["calls_failed"]
    assert section["setup_rate"] > 0
    server.stop()


def test_everything_about_a_session_and_its_end(site, lnsd, lac):
    server = lnsd(config(backend="", top='users = "%USERS%"'), USERS).start()
    call = Call("sub0", "alice", "wonderland")
    lac(call)
    call.start()
    call.wait_up()
    session = server.wait_sessions(1)[0]
    assert server.json("show", "sessions", "--user", "alice", "--lac", "wholesale") == server.json(
        "show", "sessions", "--ip", "100.64.2.2", "--state", "up"
    )
    assert server.json("show", "sessions", "--user", "bob") == []
    assert "no such lac section" in refused(server, "show", "sessions", "--lac", "retail")
    assert "no such state" in refused(server, "show", "tunnels", "--state", "forking")
    assert "not an address" in refused(server, "history", "--ip", "alice")

    shown = server.json("show", "session", str(session["id"]))
    tunnel = server.json("show", "tunnels", "--ip", "198.51.100.2")[0]
    assert shown["kernel"]["tunnel_id"] == tunnel["id"] == shown["tunnel"]
    assert shown["kernel"]["peer_tunnel_id"] == tunnel["peer_id"]
    assert shown["kernel"]["peer_session_id"] > 0 and shown["pid"] in server.pppds()
    assert shown["peer"] == tunnel["peer"]
    assert shown["granted"]["address_from"] == "profile"
    phases = shown["phases"]
    order = [phases[key] for key in ("connected_ms", "forked_ms", "link_ms", "authorised_ms", "up_ms")]
    assert order == sorted(order)

    assert server.json("top")["sessions"][0]["id"] == session["id"]
    assert server.json("disconnect", "lac", "wholesale") == {"disconnected": 1}
    call.wait_down()
    server.wait_sessions(0)
    assert server.json("history", "--user", "alice")[0]["was_up"]
    assert server.json("history", "--user", "alice", "--failed") == []
    server.stop()


def test_watch_goes_on(site, lnsd):
    server = lnsd(config(backend="", top='users = "%USERS%"'), USERS).start()
    words = [f"{BUILD}/lnsctl", "--socket", f"{server.run_dir}/control.sock", "show", "stats", "--watch=1"]
    watching = site.lns.start(*words, log=server.path("watch"))
    wait_for(lambda: watching.output().count("in setup") >= 2, "two answers", context=watching.output)
    watching.stop()
    server.stop()


def test_drain_and_undrain(site, lnsd, lacs):
    """Nothing new, until it is taken back; a reload and a new engine do not change that."""
    server = lnsd(config(backend="", top='users = "%USERS%"'), USERS).start()
    first, second = Call("sub0", "alice", "wonderland"), Call("sub1", "bob", "builder")
    lacs(first, second)
    first.start()
    first.wait_up()
    server.wait_sessions(1)

    drained = server.json("drain", "--lac", "wholesale")
    assert drained == {"lac": "wholesale", "drained": True, "sessions": 1, "rate": 0}
    assert server.json("show", "stats")["drained_lacs"] == ["wholesale"]
    assert server.json("show", "lac", "wholesale")["drained"]
    second.start()
    server.wait_log("try another LNS")
    assert server.sessions()[0]["user"] == "alice"
    error = wait_for(lambda: server.json("show", "lac", "wholesale")["last_error"], "the refusal")
    assert "try another LNS" in error
    second.wait_down()

    server.process.popen.send_signal(signal.SIGHUP)
    server.wait_log("configuration reloaded")
    assert server.json("show", "lac", "wholesale")["drained"]
    assert server.json("drain", "--rate", "100")["rate"] == 100
    first.wait_down()
    server.wait_sessions(0)
    ends = server.json("history", "--user", "alice")
    assert ends[0]["reason"] == "drained: use another LNS"
    server.wait_log("no session is left")

    os.kill(server.engine(), signal.SIGKILL)
    server.wait_log("still drained", count=2)
    server.wait_log("engine 2 serves")
    assert server.json("show", "stats")["drained"]
    assert server.json("undrain")["drained"] is False
    assert "nothing is drained" in refused(server, "undrain")
    assert "not drained" in refused(server, "undrain", "--lac", "wholesale")
    assert "no such lac section" in refused(server, "drain", "--lac", "retail")
    second.start()
    second.wait_up()
    server.stop()


def test_all_but_one_lac_drained(site, lnsd, lacs):
    """A server comes back one lac section at a time: the exception takes calls and keeps its sessions, also
    with a new engine, until all are drained again."""
    server = lnsd(config(backend="", top='users = "%USERS%"'), USERS).start()
    call, other = Call("sub0", "alice", "wonderland"), Call("sub1", "bob", "builder")
    lacs(call, other)
    server.json("drain")
    call.start()
    server.wait_log("try another LNS")
    call.wait_down()
    undrained = server.json("undrain", "--lac", "wholesale")
    assert undrained == {"lac": "wholesale", "drained": False, "sessions": 0, "rate": 0}
    server.wait_log("lac wholesale: new tunnels and calls are welcome; all others stay drained")
    stats = server.json("show", "stats")
    assert (stats["drained"], stats["drained_lacs"], stats["undrained_lacs"]) == (True, [], ["wholesale"])
    assert "not drained" in refused(server, "undrain", "--lac", "wholesale")

    os.kill(server.engine(), signal.SIGKILL)
    server.wait_log("lac wholesale: still not drained, all others are")
    server.wait_log("engine 2 serves")
    other.start()
    other.wait_up()
    server.wait_sessions(1)
    assert server.json("drain")["drained"]
    assert server.json("show", "stats")["undrained_lacs"] == []
    assert server.json("show", "lac", "wholesale")["drained"]
    assert server.json("undrain", "--lac", "wholesale")["drained"] is False
    assert server.json("undrain")["drained"] is False
    assert server.json("show", "stats")["undrained_lacs"] == []
    other.hang_up()
    other.wait_down()
    server.wait_sessions(0)
    server.stop()


def test_reload_leaves_radius_servers_alone(radius, lnsd, lac):
    """What is known of them, and of what they have signed, goes on, unless one of them changed."""

    def requests():
        return [row["requests"] for row in server.json("show", "radius") if row["purpose"] == "authentication"]

    server = lnsd(config()).start()
    call = Call("sub0", "alice", "wonderland")
    lac(call)
    call.start()
    call.wait_up()
    assert requests() == [1]
    with open(server.config, encoding="utf-8") as file:
        before = file.read()
    write(server.config, before.replace("mtu           = 1400", "mtu           = 1300"))
    assert server.ctl("reload") == 'ppp "default": mtu = 1300 (was 1400)\n'
    assert requests() == [1]
    write(server.config, before.replace("tries = 3", "tries = 2"))
    assert "tries = 2 (was 3)" in server.ctl("reload")
    assert requests() == [0]
    server.wait_sessions(1)
    call.hang_up()
    radius.wait_accounting("Stop", "alice")
    server.stop()


def test_reload_says_what_it_did(site, lnsd, lac):
    text = config(backend="", top='users = "%USERS%"\nlog-level = "info"')
    server = lnsd(text.replace('log-level  = "debug"\n', ""), USERS).start()
    call = Call("sub0", "alice", "wonderland")
    lac(call)
    call.start()
    call.wait_up()
    assert server.ctl("reload") == "nothing has changed\n"

    with open(server.config, encoding="utf-8") as file:
        before = file.read()
    write(server.config, before.replace("mtu           = 1400", "mtu           = 1300"))
    assert server.ctl("reload") == 'ppp "default": mtu = 1300 (was 1400)\n'
    assert server.json("reload") == {"kind": "change", "text": "nothing has changed"}

    write(server.config, before.replace("mtu           = 1400", "mtu           = 1300\n\trate-down = 1M"))
    said = server.ctl("reload").splitlines()
    assert said[0] == 'ppp "default": rate-down = "1M" (was "0")'
    assert "sessions that are up keep their rates" in said[1] and len(said) == 2
    write(server.config, before.replace("mtu           = 1400", "mtu           = 1300"))
    assert len(server.ctl("reload").splitlines()) == 2

    write(server.config, before + "nonsense = 7\nlisten = 99999\n")
    said = refused(server, "reload")
    assert "nonsense" in said
    assert "listen" in said and "the old configuration stays" in said
    assert server.wait_sessions(1)[0]["user"] == "alice"
    write(server.config, before)
    assert server.ctl("reload") == 'ppp "default": mtu = 1400 (was 1300)\n'
    server.stop()


def documented():
    """The keys of lnsd-control(5) by command; a key behind a point is that of an object inside."""
    with open(os.path.join(TREE, "conf/man/lnsd-control.5"), encoding="utf-8") as file:
        text = file.read().replace("\\-", "-")
    objects = text[text.index(".SH OBJECTS") : text.index(".SH SEE ALSO")]
    found = {}
    for part in objects.split("\n.SS ")[1:]:
        name, body = part.split("\n", 1)
        found[name] = {key for line in re.findall(r"^\.TP\n\.B (.*)$", body, re.M) for key in line.split(", ")}
    return found


# Objects whose keys are reasons.
MAPS = {"ended", "failed_reasons", "ended_reasons"}


def keys_of(item, prefix=""):
    for key, value in item.items():
        if isinstance(value, dict) and key not in MAPS:
            yield from keys_of(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def test_every_field_is_documented(site, lnsd, lacs):
    """What the socket says and what lnsd-control(5) says are the same, both ways where all is known."""
    server = lnsd(config(backend="", top='users = "%USERS%"'), USERS).start()
    call, wrong = Call("sub0", "alice", "wonderland"), Call("sub1", "bob", "breaker")
    lacs(call, wrong)
    socket = f"{server.run_dir}/control.sock"
    words = [f"{BUILD}/lnsctl", "--socket", socket, "--json", "monitor"]
    events = site.lns.start(*words, log=server.path("events"))
    events.wait_output("from now on")
    call.start()
    call.wait_up()
    wrong.start()
    wrong.wait_down()
    wait_for(lambda: server.json("history"), "the failure")
    session = str(server.wait_sessions(1)[0]["id"])
    pages = documented()
    hooks = {f"hooks.{key}" for key in server.json("show", "stats")["hooks"]}
    session_keys = pages["show sessions"]
    end_keys = {key for key in keys_of(server.json("history")[0])}

    def check(name, items, known):
        keys = {key for item in items for key in keys_of(item)}
        assert keys <= known, f"{name}: lnsd-control(5) lacks {sorted(keys - known)}"
        return keys

    lists = ("show tunnels", "show sessions", "show lacs", "show pools", "history")
    for name in lists:
        known = pages[name] | (session_keys if name == "history" else set())
        keys = check(name, server.json(*name.split()), known | end_keys if name == "history" else known)
        assert name == "history" or keys == pages[name], f"{name} has no {sorted(pages[name] - keys)}"
    check("show lac", [server.json("show", "lac", "wholesale")], pages["show lacs"])
    one = check("show session", [server.json("show", "session", session)], pages["show session"] | session_keys)
    assert pages["show session"] <= one, f"show session has no {sorted(pages['show session'] - one)}"
    stats = check("show stats", [server.json("show", "stats")], pages["show stats"] | hooks)
    assert pages["show stats"] <= stats
    check("why", server.json("why", "alice") + server.json("why", "bob"), pages["why"] | session_keys | end_keys)
    check("top", [server.json("top")], pages["top"])
    assert end_keys <= pages["history"] | session_keys | {"peer_host", "called", "tunnel"}

    assert server.json("drain", "--lac", "wholesale").keys() == pages["drain"]
    assert server.json("undrain").keys() == pages["drain"]
    assert server.json("disconnect", "user", "alice").keys() == pages["disconnect"]
    call.wait_down()
    server.wait_sessions(0)

    def happened():
        lines = [line for line in events.output().splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines]

    wanted = {"call", "session-up", "session-down", "call-failed", "tunnel-up"}
    wait_for(lambda: wanted <= {event["event"] for event in happened()}, "the events", context=events.output)
    for event in happened():
        assert event.keys() == pages["monitor"], sorted(event.keys() ^ pages["monitor"])
    events.stop()
    server.stop()


def test_monitor_tells_of_what_everybody_needs(radius, site, lnsd, lac):
    """RADIUS servers that go and come back, drain, undrain, reload."""
    server = lnsd(config(backend=radius_section(timeout="1s"))).start()
    call = Call("sub0", "alice", "wonderland")
    lac(call)
    words = [f"{BUILD}/lnsctl", "--socket", f"{server.run_dir}/control.sock", "monitor"]
    events = site.lns.start(*words, log=server.path("events"))
    of_lac = site.lns.start(*words, "--lac", "wholesale", log=server.path("events-of-lac"))
    events.wait_output("from now on")
    of_lac.wait_output("from now on")
    radius.process.popen.send_signal(signal.SIGSTOP)
    try:
        call.start()
        events.wait_output("radius-down at 192.0.2.10:1812: ")
    finally:
        radius.process.popen.send_signal(signal.SIGCONT)
    events.wait_output("radius-up at 192.0.2.10:1812")
    server.ctl("drain", "--lac", "wholesale", "--rate", "5")
    events.wait_output("drain via wholesale: 5 sessions a second are ended")
    server.ctl("undrain", "--lac", "wholesale")
    events.wait_output("undrain via wholesale")
    server.ctl("drain")
    events.wait_output("drain: all lac sections")
    server.ctl("reload")
    events.wait_output(" reload\n")
    write(server.config, config() + "nonsense = 1\n")
    refused(server, "reload")
    events.wait_output("reload-refused: refused, the old configuration stays: the file has errors")
    of_lac.wait_output("undrain via wholesale")
    assert "radius" not in of_lac.output() and "reload" not in of_lac.output()
    events.stop()
    of_lac.stop()
    call.hang_up()
    server.stop()


def test_top_fits_the_terminal_and_gives_it_back(site, lnsd):
    server = lnsd(config(backend="", top='users = "%USERS%"'), USERS).start()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 40, 0, 0))
    before = termios.tcgetattr(theirs)
    words = [f"{BUILD}/lnsctl", "--socket", f"{server.run_dir}/control.sock", "top", "--watch=1"]
    top = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)  # so that reading fails once it has ended
    seen = b""
    try:
        while seen.count(b"0 online") < 2:
            seen += os.read(ours, 4096)
        assert seen.startswith(b"\x1b[?1049h") and b"ADDRESS" in seen
        assert max(len(line) for line in re.sub(rb"\x1b\[[0-9?]*[a-zA-Z]", b"", seen).splitlines()) <= 40
        assert termios.tcgetattr(ours) != before
        os.write(ours, b"q")
        assert top.wait(60) == 0
        assert os.read(ours, 4096).endswith(b"\x1b[?1049l")
        assert termios.tcgetattr(ours) == before
    finally:
        top.kill()
        top.wait()
        os.close(ours)
    server.stop()
