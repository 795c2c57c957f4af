# SPDX-License-Identifier: BSD-2-Clause
"""l2tp: the kernel's L2TP by generic netlink, behind lnsd's back: to make what is not lnsd's, and to take
away what is. ip(8) makes Ethernet sessions only."""

import os
import socket
import struct

from lab.namespace import run

NETLINK_GENERIC = 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
NLM_F_REQUEST, NLM_F_ACK, NLMSG_ERROR = 1, 4, 2
TUNNEL_CREATE, TUNNEL_DELETE, SESSION_CREATE, SESSION_DELETE = 1, 2, 5, 6
PW_TYPE, ENCAP_TYPE, PROTO_VERSION = 1, 2, 7
CONN_ID, PEER_CONN_ID, SESSION_ID, PEER_SESSION_ID, FD = 9, 10, 11, 12, 23
PPP = 7


def _attr(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def u16(kind, value):
    return _attr(kind, struct.pack("=H", value))


def u32(kind, value):
    return _attr(kind, struct.pack("=I", value))


class Genl:
    """The family "l2tp" on a host. Raises OSError with what the kernel answers."""

    def __init__(self, namespace):
        with namespace.entered():
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        answer = self._ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, _attr(CTRL_ATTR_FAMILY_NAME, b"l2tp\0"))
        while answer:
            length, kind = struct.unpack_from("=HH", answer)
            if kind == CTRL_ATTR_FAMILY_ID:
                (self.family,) = struct.unpack_from("=H", answer, 4)
            answer = answer[(length + 3) & ~3 :]

    def _ask(self, family, command, attributes):
        body = struct.pack("=BBH", command, 1, 0) + attributes
        flags = NLM_F_REQUEST | NLM_F_ACK
        self.socket.send(struct.pack("=IHHII", 16 + len(body), family, flags, 1, 0) + body)
        payload = b""
        while True:
            packet = self.socket.recv(65536)
            _, kind = struct.unpack_from("=IH", packet)
            if kind == NLMSG_ERROR:
                (error,) = struct.unpack_from("=i", packet, 16)
                if error:
                    raise OSError(-error, os.strerror(-error))
                return payload
            payload = packet[20:]

    def add_tunnel(self, sock, tunnel, peer):
        """An L2TPv2 tunnel on a connected UDP socket."""
        attributes = u32(CONN_ID, tunnel) + u32(PEER_CONN_ID, peer) + _attr(PROTO_VERSION, b"\2")
        attributes += u16(ENCAP_TYPE, 0) + u32(FD, sock.fileno())
        self._ask(self.family, TUNNEL_CREATE, attributes)

    def delete_tunnel(self, tunnel):
        self._ask(self.family, TUNNEL_DELETE, u32(CONN_ID, tunnel))

    def add_session(self, tunnel, session, peer):
        """A PPP session."""
        attributes = u32(CONN_ID, tunnel) + u32(SESSION_ID, session) + u32(PEER_SESSION_ID, peer)
        self._ask(self.family, SESSION_CREATE, attributes + u16(PW_TYPE, PPP))

    def delete_session(self, tunnel, session):
        self._ask(self.family, SESSION_DELETE, u32(CONN_ID, tunnel) + u32(SESSION_ID, session))

    def close(self):
        self.socket.close()


def missing_netlink(namespace):
    """Why this kernel cannot be asked by netlink, or ""."""
    run("modprobe", "-q", "l2tp_netlink", check=False)
    try:
        Genl(namespace).close()
    except OSError as error:
        return f"no netlink interface of L2TP in this kernel: {error.strerror}"
    return ""


def missing_v3(namespace, encap="udp", family=4):
    """Why L2TPv3 with Ethernet does not work here, or "": tries it."""
    for module in ("l2tp_eth", "l2tp_ip", "l2tp_ip6"):
        run("modprobe", "-q", module, check=False)
    ends = ("127.0.0.1", "127.0.0.1") if family == 4 else ("::1", "::1")
    words = ["l2tp", "add", "tunnel", "tunnel_id", "4294967001", "peer_tunnel_id", "1", "encap", encap]
    words += ["local", ends[0], "remote", ends[1]]
    if encap == "udp":
        words += ["udp_sport", "54321", "udp_dport", "54321"]
    said = namespace.run("ip", *words, check=False)
    if not said:
        session = ["tunnel_id", "4294967001", "session_id", "4294967001"]
        said = namespace.run("ip", "l2tp", "add", "session", *session, "peer_session_id", "1", check=False)
        namespace.run("ip", "l2tp", "del", "tunnel", "tunnel_id", "4294967001")
    return f"no L2TPv3 over {encap} and IPv{family} with Ethernet here: {said.strip()}" if said else ""
