# SPDX-License-Identifier: BSD-2-Clause
"""site: the hosts that the tests and the demonstration need.

    lac  198.51.100.2 ---- 198.51.100.1  lns  192.0.2.1 ---- 192.0.2.10  core

The subscribers' pppds run on lac, behind the LAC; RADIUS runs on core, which is also the internet that
subscribers ping.
"""

import os

from lab.namespace import Namespace

LNS = "198.51.100.1"
LAC = "198.51.100.2"
LNS_CORE = "192.0.2.1"
CORE = "192.0.2.10"
SUBSCRIBERS = "100.64.0.0/10"
GATEWAY = "100.64.0.1"


class Site:
    def __init__(self, directory):
        self.directory = directory
        self.namespaces = []
        try:
            self.lns = self._host("lns")
            self.lac = self._host("lac")
            self.core = self._host("core")
            self.lac.connect("wan", f"{LAC}/24", self.lns, "wan", f"{LNS}/24")
            self.core.connect("core", f"{CORE}/24", self.lns, "core", f"{LNS_CORE}/24")
            self.core.ip(f"route add {SUBSCRIBERS} via {LNS_CORE}")
            self.lns.sysctl("net/ipv4/ip_forward", 1)
        except BaseException:
            self.close()
            raise

    def _host(self, name):
        namespace = Namespace(name)
        self.namespaces.append(namespace)
        return namespace

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def lac_addresses(self, count):
        """More addresses on the LAC's side, for LACs of their own."""
        addresses = [f"198.51.100.{10 + n}" for n in range(count)]
        present = {a["local"] for a in self.lac.ip_json("addr", "show", "wan")[0]["addr_info"]}
        new = [f"addr add {address}/24 dev wan" for address in addresses if address not in present]
        if new:
            self.lac.ip(*new)
        return addresses

    def carrier(self, up):
        """The cable between LAC and LNS."""
        self.lac.ip(f"link set wan {'up' if up else 'down'}")

    def close(self):
        for namespace in reversed(self.namespaces):
            namespace.close()
        self.namespaces = []
