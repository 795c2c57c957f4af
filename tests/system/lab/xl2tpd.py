# SPDX-License-Identifier: BSD-2-Clause
"""xl2tpd: Debian's xl2tpd with pppd behind it, as a LAC with subscribers, and as an LNS.

The LNS serves to see that the tests themselves work where lnsd is not to blame.
"""

import os
import re
import signal
from dataclasses import dataclass, field

from lab.wait import wait_for



def write(path, text, mode=0o600):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


@dataclass
class Call:
    """A subscriber and his call: one `lac` section and one pppd."""

    name: str  # of the section, and of the interface: at most 15 characters
    user: str
    password: str
    options: list = field(default_factory=list)  # more options of pppd, one a line
    lac: object = None
    log: str = ""

    def output(self):
        """What pppd wrote, with debug: every packet of LCP, authentication and IPCP."""
        try:
            with open(self.log, "r", encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def found(self, pattern):
        match = re.search(pattern, self.output())
        return match and match.group(1)

    def address(self):
        return self.found(r"local  IP address ([\d.]+)")

    def peer_address(self):
        return self.found(r"remote IP address ([\d.]+)")

    def dns(self):
        return re.findall(r"(?:primary|secondary) +DNS address ([\d.]+)", self.output())

    def context(self):
        return f"--- pppd of {self.name}\n{self.output()}\n--- LAC\n{self.lac.process.output()}"

    def start(self):
        self.lac.control(f"c {self.name}")

    def wait_up(self):
        """Waits for the network and returns the address given to the subscriber."""

        def up():
            assert "Connection terminated" not in self.output(), self.context()
            return self.address()

        return wait_for(up, f"the call of {self.name}", context=self.context)

    def wait_down(self):
        wait_for(self.is_down, f"the end of the call of {self.name}", context=self.context)

    def is_down(self):
        return not self.pids() and self.name not in self.lac.namespace.interfaces()

    def pids(self):
        """Its pppd, while it runs."""
        found = []
        for pid, name in self.lac.namespace.processes().items():
            if name != "pppd":
                continue
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if self.lac.options_path(self).encode() in file.read().split(b"\0"):
                        found.append(pid)
            except OSError:
                continue
        return found

    def hang_up(self):
        """The subscriber's pppd terminates LCP."""
        for pid in self.pids():
            os.kill(pid, signal.SIGTERM)

    def kill(self):
        """The subscriber vanishes."""
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)

    def freeze(self):
        """The subscriber does nothing any more; kill still works."""
        for pid in self.pids():
            os.kill(pid, signal.SIGSTOP)

    def disconnect(self):
        """The LAC ends the tunnel of the call: StopCCN."""
        self.lac.control(f"d {self.name}")


class Xl2tpd:
    """What LAC and LNS have in common: the process, its files and its control pipe."""

    def __init__(self, namespace, directory, config, secret, ppp_secrets=""):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self.namespace = namespace
        self.directory = directory
        write(self.path("conf"), config)
        write(self.path("secrets"), f"* * {secret}\n" if secret else "")
        self.process = namespace.start(
            *("xl2tpd", "-D", "-c", self.path("conf"), "-s", self.path("secrets")),
            *("-p", self.path("pid"), "-C", self.path("control")),
            log=self.path("log"),
            # pppd sees no scripts, options and secrets of the machine and leaves nothing in /run.
            hide={"/etc/ppp": {"chap-secrets": ppp_secrets}, "/run": {}},
        )
        self.process.wait_output("Listening on IP address")

    def path(self, name):
        return os.path.join(self.directory, name)

    def control(self, line):
        with open(self.path("control"), "w", encoding="ascii") as pipe:
            pipe.write(line + "\n")

    def stop(self):
        """Ends it in an orderly way: StopCCN for every tunnel."""
        return self.process.stop()

    def kill(self):
        """Ends it without a word."""
        self.process.stop(signal.SIGKILL)


class Xl2tpdLac(Xl2tpd):
    def __init__(
        self, namespace, directory, address, lns, calls, secret=None, host_name="lac1", userspace=False,
        sections=(),
    ):
        """address is our own; a LAC has one address, and one call of each section at a time.

        sections: more lines of each section. userspace: data do not go through the kernel but through xl2tpd and a pty.
        """
        self.calls = calls
        self.directory = directory
        os.makedirs(directory, mode=0o700, exist_ok=True)
        config = [
            "[global]",
            f"listen-addr = {address}",
            f"force userspace = {'yes' if userspace else 'no'}",
        ]
        for call in calls:
            call.lac = self
            call.log = self.path(f"{call.name}.log")
            config += [
                f"[lac {call.name}]",
                f"lns = {lns}",
                f"pppoptfile = {self.options_path(call)}",
                f"hostname = {host_name}",
                f"challenge = {'yes' if secret else 'no'}",
                "length bit = yes",
                "redial = no",
                "tx bps = 100000000",
                *sections,
            ]
            options = [
                f'name "{call.user}"',
                f'password "{call.password}"',
                f"ifname {call.name}",
                f"logfile {call.log}",
                *("noauth", "nodetach", "debug", "usepeerdns", "noipdefault"),
                *([] if any("mppe" in option for option in call.options) else ["noccp"]),
                *("novj", "noipv6", "ipcp-accept-local", "ipcp-accept-remote"),
                *("mtu 1400", "mru 1400", "lcp-echo-interval 0", "lcp-max-terminate 2"),
                *call.options,
            ]
            write(self.options_path(call), "\n".join(options) + "\n")
        super().__init__(namespace, directory, "\n".join(config) + "\n", secret)

    def kill(self):
        """The LAC and its subscribers vanish without a word."""
        super().kill()
        for call in self.calls:
            call.kill()

    def options_path(self, call):
        return self.path(f"{call.name}.options")


class Xl2tpdLns(Xl2tpd):
    def __init__(self, namespace, directory, address, users, secret=None):
        """users is {name: password}; authenticates with CHAP."""
        os.makedirs(directory, mode=0o700, exist_ok=True)
        config = [
            *("[global]", f"listen-addr = {address}"),
            *("[lns default]", "ip range = 100.64.0.2-100.64.0.250", "local ip = 100.64.0.1"),
            f"pppoptfile = {directory}/options",
            "name = lns",
            f"challenge = {'yes' if secret else 'no'}",
        ]
        options = ["auth", "require-chap", "noccp", "novj", "noipv6", "nodetach", "debug", f"logfile {directory}/pppd.log"]
        options += ["ms-dns 192.0.2.53", "mtu 1400"]
        write(f"{directory}/options", "\n".join(options) + "\n")
        secrets = "".join(f'"{name}" * "{password}" *\n' for name, password in users.items())
        super().__init__(namespace, directory, "\n".join(config) + "\n", secret, secrets)
