# SPDX-License-Identifier: BSD-2-Clause
"""A kernel without the netlink interface of L2TP, which comes with CONFIG_L2TP_V3: subscribers do not need it,
and what does says so."""

import os
import signal

import pytest

from lab.lnsd import BUILD, config
from lab.site import CORE
from lab.wait import wait_for
from lab.xl2tpd import Call
from test_metrics import LISTEN, Metrics
from test_static import session, tunnel


@pytest.fixture
def how():
    """lnsd does not find the interface. A modular kernel cannot be without: there l2tp_ppp needs l2tp_netlink."""
    library = os.path.join(BUILD, "tests", "no_l2tp_netlink.so")
    assert os.path.exists(library), "make test-programs"
    return {"preload": library}


def refusal(server, *words):
    with pytest.raises(AssertionError, match="status 1") as error:
        server.ctl(*words)
    return str(error.value)


def test_all_but_static_tunnels_works(site, radius, lnsd, lac, how):
    """Nothing but static tunnels and what is asked of the kernel is missed; a killed engine is no exception."""
    statics = tunnel("east", 3000, session("l2a", 7)) + tunnel("west", 3010, session("l2b", 9))
    server = lnsd(config(top=f'{LISTEN}\nkernel-audit = "10s"') + statics).start(**how)
    server.wait_log("no audit of the kernel: it lacks the netlink interface of L2TP")
    call, next_call = Call("sub0", "alice", "wonderland"), Call("sub1", "alice", "wonderland")
    lac(call, next_call)
    call.start()
    call.wait_up()
    online = server.wait_sessions(1)[0]
    assert "1 received" in site.lac.ping(CORE, call.name)

    reason = "this kernel lacks L2TPv3 (CONFIG_L2TP_V3, module l2tp_netlink)"
    errors = {row["lac"]: row["error"] for row in server.tunnels() if row["lac"].startswith("static ")}
    assert errors == {"static east": reason, "static west": reason}
    for name in ("east", "west"):
        server.wait_log(f'static tunnel "{name}".*cannot be made: this kernel lacks L2TPv3')
    said = refusal(server, "show", "kernel")
    assert "CONFIG_L2TP_V3" in said and "netlink" in said

    shown = server.json("show", "session", str(online["id"]))
    assert shown["state"] == "up" and shown["ifname"] == online["ifname"]
    metrics = Metrics(site.lns)
    metrics.wait(1, "lnsd_sessions", state="up", lac="wholesale")
    assert metrics.value("lnsd_kernel_audits_total") == 0

    server.process.popen.send_signal(signal.SIGHUP)
    server.wait_log("reload: nothing has changed")
    os.kill(server.engine(), signal.SIGKILL)
    call.wait_down()
    server.wait_log("engine 2 serves")
    server.wait_log("ended what the last engine left: 1 sessions, 1 tunnels")
    next_call.start()
    next_call.wait_up()
    server.wait_sessions(1)
    next_call.hang_up()
    next_call.wait_down()
    server.wait_sessions(0)
    ends = wait_for(lambda: server.json("history", "--user", "alice"), "the end")
    assert ends[0]["was_up"] and ends[0]["reason"] == "ended by the client"
    server.stop()
    errors = [line for line in server.log().splitlines() if " error: " in line]
    assert not [line for line in errors if "static tunnel" not in line and "the engine died" not in line], errors
