# SPDX-License-Identifier: BSD-2-Clause
"""pppd templates that die, grow old, or are told something else; sessions that run see nothing of it."""

import contextlib
import os
import shutil
import signal

import pytest

from lab.lnsd import BUILD, config
from lab.site import GATEWAY
from lab.wait import wait_for
from lab.xl2tpd import Call

PPPD = "/usr/sbin/pppd"


def bob(number):
    return Call(f"sub{number}", f"bob{number}", "builder")


def command(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().decode("ascii").split("\0")


def inode(pid):
    with contextlib.suppress(OSError):
        return os.stat(f"/proc/{pid}/exe").st_ino
    return None


@pytest.fixture
def copies(tmp_path):
    """pppd and the plugin at places where they can be replaced: replace(name, source)."""
    for directory in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(directory, 0o755)

    def replace(name, source):
        path = str(tmp_path / name)
        shutil.copy(source, path + ".new")
        os.rename(path + ".new", path)
        return path

    replace("pppd", PPPD)
    replace("lns.so", f"{BUILD}/lns.so")
    return replace


def copied(replace, tmp_path):
    text = config(top=f'pppd = "{tmp_path}/pppd"')
    return text.replace(f"{BUILD}/lns.so", f"{tmp_path}/lns.so")


def templates(server):
    """{pid: command line} of the templates: pppds that are nobody's session."""
    sessions = {server.json("show", "session", str(s["id"]))["pid"] for s in server.sessions()}
    found = {}
    for pid in server.namespace.processes():
        with contextlib.suppress(OSError):
            words = command(pid)
            if words[0].endswith("/pppd") and "lns-fork-fd" in words and pid not in sessions:
                found[pid] = words
    return found


def wait_template(server, condition, what):
    """Waits until there is one template, and it is so."""

    def there():
        found = list(templates(server))
        return found[0] if len(found) == 1 and condition(found[0]) else None

    return wait_for(there, what, context=lambda: f"{templates(server)}\n{server.log()}")


def comes_up(site, call):
    call.start()
    call.wait_up()
    assert "1 received" in site.lac.ping(GATEWAY, call.name)


def test_a_template_that_dies(site, radius, lnsd, lacs):
    server = lnsd(config()).start()
    first, second = bob(0), bob(1)
    lacs(first, second)
    comes_up(site, first)
    session = server.session_pid()
    old = wait_template(server, lambda pid: True, "the template")
    os.kill(old, signal.SIGKILL)
    server.wait_log("pppd template 'default' ended: signal 9")
    wait_template(server, lambda pid: pid != old, "another template")
    comes_up(site, second)
    assert server.sessions() and session in {
        server.json("show", "session", str(s["id"]))["pid"] for s in server.wait_sessions(2)
    }
    assert "1 received" in site.lac.ping(GATEWAY, first.name)


def test_pppd_is_upgraded(site, radius, lnsd, lacs, copies, tmp_path):
    server = lnsd(copied(copies, tmp_path)).start()
    first, second = bob(0), bob(1)
    lacs(first, second)
    comes_up(site, first)
    session = server.session_pid()
    old = wait_template(server, lambda pid: True, "the template")
    old_inode = inode(session)
    new_inode = os.stat(copies("pppd", PPPD)).st_ino
    assert old_inode != new_inode
    server.wait_log("pppd template 'default': pppd or the plugin was replaced: starting another one")
    new = wait_template(server, lambda pid: inode(pid) == new_inode, "a template of the new pppd")
    assert new != old
    assert server.session_pid() == session and inode(session) == old_inode
    assert "1 received" in site.lac.ping(GATEWAY, first.name)
    comes_up(site, second)
    pids = {server.json("show", "session", str(s["id"]))["pid"] for s in server.wait_sessions(2)}
    assert session in pids
    assert {inode(pid) for pid in pids} == {old_inode, new_inode}


@pytest.mark.heavy
def test_an_upgrade_in_two_steps(site, radius, lnsd, lacs, copies, tmp_path):
    """The new pppd does not take the plugin until that is replaced, too: until then the old one serves."""
    broken = str(tmp_path / "broken")
    with open(broken, "wb") as file:
        file.write(b"not a plugin")
    server = lnsd(copied(copies, tmp_path)).start()
    first, second = bob(0), bob(1)
    lacs(first, second)
    old = wait_template(server, lambda pid: True, "the template")
    copies("lns.so", broken)
    server.wait_log("but the new one ended: exit status .*; the old one goes on")
    assert wait_template(server, lambda pid: True, "the template") == old
    comes_up(site, first)
    copies("lns.so", f"{BUILD}/lns.so")
    new = wait_template(server, lambda pid: pid != old, "a template with the new plugin")
    comes_up(site, second)
    server.wait_sessions(2)
    assert "1 received" in site.lac.ping(GATEWAY, first.name)
    assert wait_template(server, lambda pid: True, "the template") == new


@pytest.mark.heavy
def test_reload_replaces_what_changed(site, radius, lnsd, lacs):
    """A changed ppp section gets a new template, another one keeps its own."""
    other = f'ppp "other" {{ local-address = "{GATEWAY}" pool = "subscribers" lcp-echo = 17s }}'
    server = lnsd(config(top=other, auth='"chap"')).start()
    first, second = bob(0), bob(1)
    lacs(first, second)
    comes_up(site, first)
    session = server.session_pid()

    def sections():
        """{whether it is that of "other": pid}"""
        return {"17" in words: pid for pid, words in templates(server).items()}

    before = wait_for(lambda: len(found := sections()) == 2 and found, "two templates", context=server.log)
    with open(server.config, "w", encoding="utf-8") as file:
        file.write(config(top=other, auth='"pap"'))
    server.process.popen.send_signal(signal.SIGHUP)
    server.wait_log("configuration reloaded")
    wait_for(
        lambda: len(templates(server)) == 2 and sections().get(False) not in (None, before[False]),
        "another template, and the end of the old one",
        context=lambda: f"{templates(server)}\n{server.log()}",
    )
    assert sections()[True] == before[True]
    comes_up(site, second)
    assert "sent [PAP " in second.output() and "sent [CHAP " in first.output()
    assert session in {server.json("show", "session", str(s["id"]))["pid"] for s in server.wait_sessions(2)}
    assert "1 received" in site.lac.ping(GATEWAY, first.name)


@pytest.mark.parametrize("before,after", [("false", "true"), ("true", "false")])
def test_reload_changes_how_sessions_start(site, radius, lnsd, lacs, before, after):
    """A template that has made copies is of no use to a section that wants it to become the session."""
    server = lnsd(config(ppp=f"exec = {before}")).start()
    first, second = bob(0), bob(1)
    lacs(first, second)
    comes_up(site, first)
    with open(server.config, "w", encoding="utf-8") as file:
        file.write(config(ppp=f"exec = {after}"))
    server.process.popen.send_signal(signal.SIGHUP)
    server.wait_log("configuration reloaded")
    comes_up(site, second)
    server.wait_sessions(2)
    assert "1 received" in site.lac.ping(GATEWAY, first.name)
