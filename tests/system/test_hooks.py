# SPDX-License-Identifier: BSD-2-Clause
"""on-up and on-down: who runs them, what they are told, and whom they can harm."""

import os
import pwd
import signal

import pytest

from lab.lnsd import config
from lab.lnsd import radius as lnsd_radius
from lab.site import GATEWAY, LAC
from lab.wait import wait_for
from lab.xl2tpd import Call

USER = "daemon"

SIX = """
six	Cleartext-Password := "without end"
	Framed-IP-Address = 100.64.1.6,
	Framed-IPv6-Prefix = 2001:db8:1::/64,
	Delegated-IPv6-Prefix = 2001:db8:200::/56,
	Framed-IPv6-Pool = "residential",
	DNS-Server-IPv6-Address = 2001:db8::53,
	DNS-Server-IPv6-Address += 2001:db8::54

"""


class Hooks:
    """Programs in a directory that their user may write to; each run leaves a file there."""

    def __init__(self, directory):
        self.directory = str(directory)
        account = pwd.getpwnam(USER)
        self.uid, self.gid = account.pw_uid, account.pw_gid
        os.chmod(self.directory, 0o755)
        self.out = os.path.join(self.directory, "out")
        os.mkdir(self.out)
        os.chown(self.out, self.uid, self.gid)
        for parent in (os.path.dirname(self.directory), os.path.dirname(os.path.dirname(self.directory))):
            os.chmod(parent, 0o755)

    def write(self, name, body):
        path = os.path.join(self.directory, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nOUT={self.out}\n{body}\n")
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)
        return path

    def recorder(self, name="record"):
        """A program that writes down everything about itself."""
        return self.write(
            name,
            'f=$OUT/$LNS_SESSION.$1\n{ tr "\\0" "\\n" </proc/self/environ; echo "ARGS=$# $1";'
            ' sed -n "s/:[[:space:]]*/=/p" /proc/self/status;'
            ' for n in /proc/self/fd/*; do echo "FD_${n##*/}=$(readlink $n)"; done; } >$f.new\n'
            'mv $f.new $f\necho "said of $LNS_USER"',
        )

    def options(self, up=None, down=None, **more):
        lines = [f'hook-user = "{USER}"']
        lines += [f'on-up = "{up}"'] if up else []
        lines += [f'on-down = "{down}"'] if down else []
        return "\n".join(lines + [f"{name.replace('_', '-')} = {value}" for name, value in more.items()])

    def found(self):
        return sorted(name for name in os.listdir(self.out) if not name.endswith(".new"))

    def wait(self, name, context=None):
        path = os.path.join(self.out, name)
        wait_for(lambda: os.path.exists(path), f"{name} of {self.found()}", context=context)
        with open(path, encoding="ascii") as file:
            return dict(line.split("=", 1) for line in file.read().splitlines() if "=" in line)


@pytest.fixture
def hooks(tmp_path):
    return Hooks(tmp_path)


def stats(server):
    return server.json("show", "stats")["hooks"]


def wait_stats(server, **wanted):
    wait_for(
        lambda: all(stats(server)[name] == value for name, value in wanted.items()),
        f"{wanted}",
        context=lambda: f"{stats(server)}\n{server.log()}",
    )


@pytest.fixture
def with_six(radius_users):
    """FreeRADIUS knows six, too."""
    return radius_users(SIX)


def values(record, name):
    """Every value of an attribute, without what FreeRADIUS puts around."""
    found = record[name]
    return [v.strip('"') for v in (found if isinstance(found, list) else [found])]


def test_ipv6_that_ppp_cannot_deliver(site, with_six, lnsd, lac, hooks):
    """Prefixes, pool and name servers of RADIUS: routed, accounted, shown, logged, and given to the hook."""
    program = hooks.recorder()
    server = lnsd(config(top=hooks.options(program, program), ppp="ipv6 = true")).start()
    call = Call("sub0", "six", "without end", ["+ipv6"])
    lac(call)
    call.start()
    call.wait_up()
    session = server.wait_sessions(1)[0]
    key = f"{session['id']:016x}"
    prefixes = ["2001:db8:1::/64", "2001:db8:200::/56"]
    up = hooks.wait(f"{key}.up", server.log)
    granted = server.json("show", "session", str(session["id"]))["granted"]
    assert [granted[n] for n in ("ipv6_prefixes", "delegated_ipv6_prefixes")] == [[p] for p in prefixes]
    assert granted["ipv6_pools"] == ["residential"]
    assert granted["ipv6_dns"] == ["2001:db8::53", "2001:db8::54"]

    def routes():
        return {r["dst"] for r in site.lns.ip_json("-6", "route", "show", "dev", session["ifname"])}

    wait_for(lambda: set(prefixes) <= routes(), "both routes", context=lambda: f"{routes()}")
    (line,) = server.wait_log("session .*not delivered")
    for name in ("Framed-IPv6-Prefix", "Delegated-IPv6-Prefix", "Framed-IPv6-Pool", "DNS-Server-IPv6-Address"):
        assert f"{name} (not delivered)" in line
    call.hang_up()
    down = hooks.wait(f"{key}.down", server.log)
    for seen in (up, down):
        assert seen["LNS_IPV6_PREFIX"] == prefixes[0] and seen["LNS_DELEGATED_IPV6_PREFIX"] == prefixes[1]
        assert seen["LNS_IPV6_POOL"] == "residential" and seen["LNS_IPV6_DNS"] == "2001:db8::53 2001:db8::54"
    for status in ("Start", "Stop"):
        (record,) = with_six.wait_accounting(status, "six")
        assert values(record, "Framed-IPv6-Pool") == ["residential"]
        assert values(record, "DNS-Server-IPv6-Address") == ["2001:db8::53", "2001:db8::54"]
        assert values(record, "Framed-IPv6-Prefix") == prefixes[:1]
        assert values(record, "Acct-Multi-Session-Id") == values(record, "Acct-Session-Id")


def test_an_ipv6_pool_that_must_be_obeyed(with_six, lnsd, lac):
    """unsupported-attribute = "reject": who would get half of what RADIUS says gets nothing, and is told why."""
    backend = lnsd_radius().replace("radius {", 'radius {\n\tunsupported-attribute = "reject"', 1)
    server = lnsd(config(backend=backend)).start()
    call = Call("sub0", "six", "without end")
    lac(call)
    call.start()
    call.wait_down()
    server.wait_log('user "six".*Framed-IPv6-Pool \\(not delivered\\)')
    server.wait_sessions(0)


def test_up_and_down(site, radius, lnsd, lac, hooks):
    program = hooks.recorder()
    server = lnsd(config(top=hooks.options(program, program))).start()
    call = Call("sub0", "alice", "wonderland")
    lac(call)
    call.start()
    call.wait_up()
    session = server.wait_sessions(1)[0]
    key = f"{session['id']:016x}"
    up = hooks.wait(f"{key}.up", server.log)
    assert "1 received" in site.lac.ping(GATEWAY, "sub0")
    server.wait_log(f"hooks: session {key}: on-up: said of alice")
    call.hang_up()
    down = hooks.wait(f"{key}.down", server.log)

    assert up["ARGS"] == "1 up" and down["ARGS"] == "1 down"
    for seen in (up, down):
        assert seen["LNS_USER"] == "alice"
        assert seen["LNS_SESSION"] == key
        assert seen["LNS_LAC"] == "wholesale" and seen["LNS_PPP"] == "default" and seen["LNS_AUTH"] == "CHAP"
        assert seen["LNS_PEER"] == "lac1" and seen["LNS_PEER_ADDRESS"] == LAC
        assert seen["LNS_TUNNEL"] == str(session["tunnel"]) and seen["LNS_CALL"] == str(session["session"])
        assert seen["LNS_INTERFACE"] == session["ifname"]
        assert seen["LNS_LOCAL_ADDRESS"] == GATEWAY and seen["LNS_REMOTE_ADDRESS"] == "100.64.1.1"
        # Who they are, and what they may: nothing.
        assert seen["Uid"].split() == [str(hooks.uid)] * 4
        assert seen["Gid"].split() == [str(hooks.gid)] * 4
        assert seen["Groups"].split() == [str(hooks.gid)]
        assert seen["NoNewPrivs"] == "1"
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(seen[name], 16) == 0, name
        files = {name: seen[name] for name in seen if name.startswith("FD_")}
        assert files.pop("FD_0") == "/dev/null"
        assert files.pop("FD_2").startswith("pipe:")
        assert not [file for file in files.values() if file.startswith("socket:")]
        assert not {name for name in seen if name in ("HOME", "USER", "NOTIFY_SOCKET")}
    assert "LNS_REASON" not in up
    assert down["LNS_REASON"] == "ended by the client"
    assert down["LNS_TERMINATE_CAUSE"] == "1"
    stop = radius.wait_accounting("Stop", "alice")[0]
    assert down["LNS_RX_OCTETS"] == stop["Acct-Input-Octets"]
    assert down["LNS_TX_PACKETS"] == stop["Acct-Output-Packets"]
    assert abs(int(down["LNS_DURATION"]) - int(stop["Acct-Session-Time"])) <= 1
    assert int(down["LNS_TIME"]) >= int(down["LNS_UP_TIME"]) == int(up["LNS_UP_TIME"])
    wait_stats(server, up_ok=1, down_ok=1, up_failed=0, waiting=0, running=0)


HOSTILE = '"; touch $OUT/hacked; `touch $OUT/hacked`\n$(touch $OUT/hacked)\nLNS_LAC=other'


def test_a_hostile_name_is_data(radius, lnsd, lac, hooks):
    """A subscriber without a profile of its own: any name will do, with the password of the default."""
    program = hooks.recorder()
    server = lnsd(config(top=hooks.options(program, program))).start()
    call = Call("sub0", HOSTILE.replace("\n", "\\n").replace('"', '\\"'), "builder")
    lac(call)
    call.start()
    call.wait_up()
    key = f"{server.wait_sessions(1)[0]['id']:016x}"
    seen = hooks.wait(f"{key}.up", server.log)
    assert seen["LNS_USER"].startswith('"; touch $OUT/hacked; `touch'), seen["LNS_USER"]
    assert "\\x0a" in seen["LNS_USER"] and seen["LNS_LAC"] == "wholesale"
    call.hang_up()
    hooks.wait(f"{key}.down", server.log)
    assert hooks.found() == [f"{key}.down", f"{key}.up"]


def test_a_hanging_program_harms_nobody(site, radius, lnsd, lacs, hooks):
    """The first program hangs, one waits, the third is dropped: all subscribers come, stay and go."""
    up = hooks.write("up", "while [ ! -e $OUT/go ]; do sleep 0.2; done")
    options = hooks.options(up, hooks.recorder(), hook_timeout='"1h"', hook_parallel=1, hook_queue=1)
    server = lnsd(config(top=options)).start()
    calls = [Call(f"sub{n}", f"user{n}", "builder") for n in range(3)]
    lacs(*calls)
    for call in calls:
        call.start()
        call.wait_up()
        assert "1 received" in site.lac.ping(GATEWAY, call.name)
    server.wait_sessions(3)
    server.wait_log("on-up is not run, as 1 programs wait already")
    wait_stats(server, up_ok=0, up_dropped=1, waiting=1, running=1)
    calls[0].hang_up()
    server.wait_sessions(2)
    wait_stats(server, down_dropped=1)
    with open(os.path.join(hooks.out, "go"), "wb"):
        pass
    wait_stats(server, up_ok=2, up_dropped=1, waiting=0, running=0)


def test_programs_that_fail_and_do_not_end(radius, lnsd, lac, hooks):
    up = hooks.write("up", "trap '' TERM\nwhile :; do sleep 1000; done")
    down = hooks.write("down", "exit 3")
    server = lnsd(config(top=hooks.options(up, down, hook_timeout='"1s"'))).start()
    call = Call("sub0", "alice", "wonderland")
    lac(call)
    call.start()
    call.wait_up()
    server.wait_sessions(1)
    call.hang_up()  # on-down waits for the end of on-up
    server.wait_log("on-down ended with status 3")
    wait_stats(server, up_killed=1, down_failed=1, waiting=0, running=0)
    assert server.log().index("on-up was killed after 1 s") < server.log().index("on-down ended")


def test_the_hook_process_dies(site, radius, lnsd, lac, hooks):
    program = hooks.recorder()
    server = lnsd(config(top=hooks.options(program, program))).start()
    call = Call("sub0", "alice", "wonderland")
    lac(call)
    call.start()
    call.wait_up()
    key = f"{server.wait_sessions(1)[0]['id']:016x}"
    hooks.wait(f"{key}.up", server.log)
    wait_stats(server, up_ok=1)
    first = server.find("hooks")
    os.kill(first, signal.SIGKILL)
    server.wait_log("the hook process died: signal 9")
    wait_for(lambda: server.find("hooks") not in (None, first), "another hook process", context=server.log)
    assert "1 received" in site.lac.ping(GATEWAY, "sub0")
    call.hang_up()
    hooks.wait(f"{key}.down", server.log)
    wait_stats(server, up_ok=1, down_ok=1)


def test_the_engine_dies(radius, lnsd, lac, hooks):
    """The next engine says of the sessions that it ends what their accounting records say."""
    program = hooks.recorder()
    server = lnsd(config(top=hooks.options(program, program))).start()
    call = Call("sub0", "alice", "wonderland")
    lac(call)
    call.start()
    call.wait_up()
    key = f"{server.wait_sessions(1)[0]['id']:016x}"
    hooks.wait(f"{key}.up", server.log)
    process = server.find("hooks")
    os.kill(server.engine(), signal.SIGKILL)
    down = hooks.wait(f"{key}.down", server.log)
    assert down["LNS_REASON"] == "engine restarted" and down["LNS_USER"] == "alice"
    assert down["LNS_REMOTE_ADDRESS"] == "100.64.1.1" and down["LNS_PEER_ADDRESS"] == LAC
    assert down["LNS_PEER"] == "lac1" and down["LNS_TERMINATE_CAUSE"] == "9"
    assert server.find("hooks") == process


def test_reload_and_stop(radius, lnsd, lacs, hooks):
    """Programs come with a reload; at a stop, those of all sessions are run before it is over."""
    slow = hooks.write("slow", "sleep 0.3; echo >$OUT/$LNS_USER.$1")
    server = lnsd(config()).start()
    assert server.find("hooks") is None
    calls = [Call(f"sub{n}", f"user{n}", "builder") for n in range(2)]
    lacs(*calls)
    for call in calls:
        call.start()
        call.wait_up()
    server.wait_sessions(2)
    text = config(top=hooks.options(None, slow, hook_rate=1, hook_parallel=1))
    with open(server.config, "w", encoding="utf-8") as file:
        file.write(text.replace(f'hook-user = "{USER}"', 'hook-user = "nobody"'))
    server.process.popen.send_signal(signal.SIGHUP)
    server.wait_log("hook-user: 'nobody' is the engine's own `user`")
    with open(server.config, "w", encoding="utf-8") as file:
        file.write(text)
    server.process.popen.send_signal(signal.SIGHUP)
    server.wait_log("configuration reloaded")
    wait_for(lambda: server.find("hooks"), "the hook process", context=server.log)
    server.stop()
    assert hooks.found() == ["user0.down", "user1.down"], server.log()
