# SPDX-License-Identifier: BSD-2-Clause
"""lnsd: the program under test, its configuration, and lnsctl."""

import contextlib
import json
import os
import re
import shutil
import signal
import tempfile

from lab.freeradius import TREE
from lab.site import CORE, GATEWAY, LNS_CORE
from lab.wait import wait_for
from lab.xl2tpd import write

BUILD = os.environ.get("LNS_BUILD", os.path.join(TREE, "build"))
SECRET = "tunnel secret"
RADIUS_SECRET = "radius secret"
NAME = "lns1.example.net"


def radius(secret=RADIUS_SECRET, auth_port=1812, tries=3, timeout="3s"):
    """A `radius` section; the server is FreeRADIUS on core."""
    return (
        f'radius {{\n\tnas-ip-address = "{LNS_CORE}"\n\ttimeout = "{timeout}"\n\ttries = {tries}\n'
        f"\tserver \"{CORE}\" {{\n\t\tsecret = '{secret}'\n\t\tauth-port = {auth_port}\n\t}}\n}}\n"
    )


def config(top="", lac="", ppp="", auth='"chap", "pap"', backend=None):
    """Text of lns.conf. top, lac and ppp are more lines of the file and of these sections."""
    return f"""
name       = "{NAME}"
listen     = {{ "0.0.0.0" }}
user       = "nobody"
plugin     = "{BUILD}/lns.so"
log-level  = "debug"
{top}
lac "wholesale" {{
	peers     = {{ "198.51.100.0/24" }}
	host-name = "lac*"
	secret    = '{SECRET}'
	ppp       = "default"
	{lac}
}}
ppp "default" {{
	auth          = {{ {auth} }}
	local-address = "{GATEWAY}"
	pool          = "subscribers"
	dns           = {{ "192.0.2.53" }}
	mtu           = 1400
	mru           = 1400
	{ppp}
}}
pool "subscribers" {{ ranges = {{ "100.64.0.2-100.64.0.254" }} }}
{radius() if backend is None else backend}
"""


class Lnsd:
    def __init__(self, namespace, text, users=None):
        """users is text of a users file; text names it as %USERS%."""
        self.namespace = namespace
        self.directory = tempfile.mkdtemp(prefix="lnsd-")
        os.chmod(self.directory, 0o755)  # the engine goes through it as another user
        self.config = self.path("lns.conf")
        self.run_dir = self.path("run")
        self.state_dir = self.path("state")
        if users is not None:
            write(self.path("users"), users)
        write(self.config, text.replace("%USERS%", self.path("users")))
        self.process = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self, wait=True, **how):
        self.process = self.namespace.start(
            *(f"{BUILD}/lnsd", "-f", "-c", self.config),
            *("--run-dir", self.run_dir, "--state-dir", self.state_dir),
            log=self.path("log"),
            **how,
        )
        if wait:
            self.process.wait_output("ready")
            socket = os.path.join(self.run_dir, "control.sock")
            wait_for(lambda: os.path.exists(socket), socket, context=self.log)
        return self

    def log(self):
        return self.process.output()

    def wait_log(self, pattern, count=1):
        """Waits for count lines that match and returns them."""
        return wait_for(
            lambda: len(found := re.findall(f"^.*{pattern}.*$", self.log(), re.M)) >= count and found,
            f"{pattern!r} in the log",
            context=self.log,
        )

    def ctl(self, *words, check=True):
        """What lnsctl prints."""
        socket = os.path.join(self.run_dir, "control.sock")
        return self.namespace.run(f"{BUILD}/lnsctl", "--socket", socket, *words, check=check)

    def json(self, *words):
        """What lnsctl prints as one JSON document: a list, or an object."""
        return json.loads(self.ctl("--json", *words))

    def sessions(self):
        return self.json("show", "sessions")

    def tunnels(self):
        return self.json("show", "tunnels")

    def wait_sessions(self, count):
        return wait_for(
            lambda: len(found := self.sessions()) == count and (found or True),
            f"{count} sessions",
            context=lambda: f"{self.sessions()}\n{self.log()}",
        )

    def engine(self):
        """The engine's pid."""
        return self.find("engine")

    def find(self, part):
        """The pid of one of the processes that are lnsd: monitor, engine, hooks."""
        for pid, name in self.namespace.processes().items():
            if name == f"lnsd: {part}":
                return pid
        return None

    def pppds(self):
        """The pids of pppd, which go by names of their own: templates and sessions."""
        found = []
        for pid in self.namespace.processes():
            with contextlib.suppress(OSError):
                if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "pppd":
                    found.append(pid)
        return sorted(found)

    def session_pid(self):
        """The pppd of the only session."""
        return self.json("show", "session", str(self.sessions()[0]["id"]))["pid"]

    def stop(self):
        """Ends it as an operator does and expects that it ends well."""
        if self.process and self.process.running():
            status = self.process.stop()
            assert status == 0, f"lnsd ended with {status}\n{self.process.tail()}"

    def close(self):
        """Whatever became of it, takes everything away."""
        if self.process and self.process.running():
            self.process.stop(signal.SIGKILL)
        shutil.rmtree(self.directory)
