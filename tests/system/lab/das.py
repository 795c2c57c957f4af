# SPDX-License-Identifier: BSD-2-Clause
"""das: dynamic authorization requests, sent by radclient on core."""

import re
import subprocess

from lab.lnsd import config
from lab.site import CORE, LNS_CORE

DAS_SECRET = "das secret"
PORT = 3799


def das_config(das=f"client \"{CORE}\" {{ secret = '{DAS_SECRET}' }}", **options):
    """lnsd's configuration with such a section inside its radius section."""
    text = config(**options)
    return text.replace("\tnas-ip-address", f"\tdynamic-authorization {{ {das} }}\n\tnas-ip-address")


class Answer:
    """What radclient says that it got."""

    def __init__(self, output):
        self.output = output
        got = re.search(r"^Received (\S+) Id", output, re.M)
        self.code = got and got.group(1)
        cause = re.search(r"Error-Cause = (\S+)", output)
        self.cause = cause and cause.group(1)
        self.proxy_states = re.findall(r"Proxy-State = 0x(\w+)", output)

    def __repr__(self):
        return self.output


class Asker:
    """Sends a request from core: ask("disconnect", "User-Name = alice", ...)."""

    def __init__(self, site):
        self.site = site

    def __call__(self, kind, *attributes, secret=DAS_SECRET, host=None, source=None, timeout="5"):
        lines = list(attributes)
        if source:
            lines.append(f"Packet-Src-IP-Address = {source}")
        with (host or self.site.core).entered():
            done = subprocess.run(
                ["radclient", "-x", "-r", "1", "-t", timeout, f"{LNS_CORE}:{PORT}", kind, secret],
                input="\n".join(lines) + "\n",
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        return Answer(done.stdout)
