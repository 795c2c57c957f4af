# SPDX-License-Identifier: BSD-2-Clause
"""links: when a host's interfaces came up and went, and what they had counted, as its kernel tells."""

import re
import socket
import struct
import threading
import time

RTMGRP_LINK = 1
RTM_NEWLINK, RTM_DELLINK = 16, 17
IFF_UP = 1
IFLA_IFALIAS, IFLA_STATS64 = 20, 23
SO_RCVBUFFORCE = 33


def _attributes(data):
    found = {}
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        if size < 4:
            break
        found[kind & 0x3FFF] = data[4:size]
        data = data[(size + 3) & ~3 :]
    return found


def _octets(attributes):
    """Received and sent."""
    return struct.unpack_from("=4Q", attributes[IFLA_STATS64])[2:] if IFLA_STATS64 in attributes else None


class Link:
    """Times are of the wall clock, octets (received, sent); None until it happened."""

    def __init__(self, up, octets):
        self.up = up
        self.at_up = octets
        self.at_label = None  # when lnsd, which heard of it being up, had named it
        self.gone = None
        self.at_end = None


class Links:
    """Watches a host until it is closed; each session's interface is found by the alias that lnsd gave it."""

    def __init__(self, namespace):
        self.sessions = {}  # Acct-Session-Id: Link
        self._links = {}  # by index, which the kernel does not use again
        with namespace.entered():
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self._socket.bind((0, RTMGRP_LINK))
        self._socket.settimeout(0.2)
        self._is_open = True
        self.failure = None
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self):
        self._is_open = False
        self._thread.join()
        self._socket.close()
        assert not self.failure, self.failure

    def _watch(self):
        while self._is_open:
            try:
                data, now = self._socket.recv(65536), time.time()
            except socket.timeout:
                continue
            except OSError as error:  # messages were lost
                self.failure = error
                return
            while len(data) >= 16:
                size, kind = struct.unpack_from("=IH", data)
                self._take(kind, data[16:size], now)
                data = data[(size + 3) & ~3 :]

    def _take(self, kind, body, now):
        family, index, flags = struct.unpack_from("=BxxxiI", body)
        if family != socket.AF_UNSPEC:
            return
        attributes = _attributes(body[16:])
        link = self._links.get(index)
        if kind == RTM_NEWLINK and flags & IFF_UP and not link:
            link = self._links[index] = Link(now, _octets(attributes))
        if kind == RTM_NEWLINK and link and IFLA_IFALIAS in attributes and not link.at_label:
            named = re.search(rb" session ([0-9a-f]{16})", attributes[IFLA_IFALIAS])
            if named:
                link.at_label = _octets(attributes)
                self.sessions[named[1].decode()] = link
        if kind == RTM_DELLINK and link:
            link.gone = now
            link.at_end = _octets(attributes)
