# SPDX-License-Identifier: BSD-2-Clause
"""script: a LAC in the hands of a test, message by message.

Control messages only: what comes of PPP is kept as it is. It acknowledges what it is sent, keeps the
numbers, and never sends anything again by itself, so that a test sees exactly what the LNS does.
"""

import hashlib
import os
import select
import socket
import struct
import time
from dataclasses import dataclass, field

from lab.wait import DEADLINE

SCCRQ, SCCRP, SCCCN, STOPCCN, HELLO = 1, 2, 3, 4, 6
OCRQ, OCRP, OCCN, ICRQ, ICRP, ICCN, CDN, WEN, SLI = 7, 8, 9, 10, 11, 12, 14, 15, 16
CSUN, CSURQ = 28, 29
ZLB = 0

RESULT, VERSION, FRAMING_CAPABILITIES, BEARER_CAPABILITIES = 1, 2, 3, 4
HOST_NAME, TUNNEL_ID, WINDOW, CHALLENGE, RESPONSE = 7, 9, 10, 11, 13
SESSION_ID, SERIAL, MINIMUM_BPS, MAXIMUM_BPS, FRAMING_TYPE = 14, 15, 16, 17, 19
CALLED_NUMBER, CALLING_NUMBER, TX_SPEED, RANDOM_VECTOR = 21, 22, 24, 36
SEQUENCING_REQUIRED, DISCONNECT_CAUSE = 39, 46
SPEED_UPDATE, SPEED_UPDATE_ENABLE = 97, 98


def u16(value):
    return struct.pack("!H", value)


def u32(value):
    return struct.pack("!I", value)


def avp(kind, value, mandatory=True, vendor=0):
    head = (0x8000 if mandatory else 0) | (6 + len(value))
    return struct.pack("!HHH", head, vendor, kind) + value


def data_of(octets):
    """(sequence number or None, PPP frame) of a data packet."""
    flags = struct.unpack("!H", octets[:2])[0]
    assert flags & 0x800F == 2, octets.hex()
    at = 8 if flags & 0x4000 else 6
    number = struct.unpack("!H", octets[at : at + 2])[0] if flags & 0x0800 else None
    at += 4 if flags & 0x0800 else 0
    if flags & 0x0200:
        at += 2 + struct.unpack("!H", octets[at : at + 2])[0]
    return number, octets[at:]


@dataclass
class Message:
    tunnel_id: int
    session_id: int
    ns: int
    nr: int
    kind: int = ZLB
    avps: dict = field(default_factory=dict)  # values by type, of those that are no vendor's
    source: tuple = ()
    hidden: bool = False  # some AVP was

    def u16(self, kind):
        return struct.unpack("!H", self.avps[kind])[0]

    def u32(self, kind):
        return struct.unpack("!I", self.avps[kind])[0]

    def result(self):
        """(result code, error code) of a StopCCN or CDN."""
        value = self.avps[RESULT]
        return struct.unpack("!HH", value[:4]) if len(value) > 3 else (struct.unpack("!H", value)[0], 0)

    def text(self):
        return self.avps[RESULT][4:].decode()


class ScriptLac:
    def __init__(self, namespace, address, lns, port=1701, secret=None, host_name="lac1", tunnel_id=77):
        self.family = socket.AF_INET6 if ":" in lns else socket.AF_INET
        self.socket = namespace.socket(self.family)
        self.socket.bind((address, port))
        self.lns = (lns, 1701)
        self.secret = secret.encode() if secret else None
        self.host_name = host_name
        self.tunnel_id, self.peer_id = tunnel_id, 0
        self.ns = self.nr = 0
        self.challenge = b""
        self.last = b""
        self.data = []  # data packets

    def close(self):
        self.socket.close()

    # --- out

    def send_octets(self, octets):
        self.socket.sendto(octets, self.lns)

    def packet(self, kind, avps=(), session_id=0, tunnel_id=None):
        body = avp(0, u16(kind)) + b"".join(avps) if kind != ZLB else b""
        tunnel_id = self.peer_id if tunnel_id is None else tunnel_id
        head = struct.pack("!HHHHHH", 0xC802, 12 + len(body), tunnel_id, session_id, self.ns, self.nr)
        return head + body

    def send(self, kind, *avps, session_id=0, tunnel_id=None):
        self.last = self.packet(kind, avps, session_id, tunnel_id)
        self.send_octets(self.last)
        if kind != ZLB:
            self.ns = (self.ns + 1) & 0xFFFF

    def send_data(self, session_id, frame, number=None):
        """A data packet, with a sequence number when one is given."""
        flags, numbers = (0x0002, b"") if number is None else (0x0802, u16(number) + u16(0))
        self.send_octets(struct.pack("!HHH", flags, self.peer_id, session_id) + numbers + frame)

    def repeat(self):
        """The last message once more, as it was."""
        self.send_octets(self.last)

    # --- in

    def _unhide(self, kind, value, vector):
        block = hashlib.md5(u16(kind) + self.secret + vector).digest()
        clear = b""
        for at in range(0, len(value), 16):
            part = value[at : at + 16]
            clear += bytes(a ^ b for a, b in zip(part, block))
            block = hashlib.md5(self.secret + part).digest()
        return clear[2 : 2 + struct.unpack("!H", clear[:2])[0]]

    def _parse(self, octets, source):
        flags, length, *numbers = struct.unpack("!HHHHHH", octets[:12])
        assert flags == 0xC802 and length == len(octets), octets.hex()
        message = Message(*numbers, source=source)
        at, vector = 12, b""
        while at < length:
            head, vendor, kind = struct.unpack("!HHH", octets[at : at + 6])
            size = head & 0x3FF
            assert size >= 6 and at + size <= length and head & 0x3C00 == 0, octets.hex()
            value = octets[at + 6 : at + size]
            if head & 0x4000:
                value = self._unhide(kind, value, vector)
                message.hidden = True
            if vendor == 0:
                message.avps[kind] = value
            if (vendor, kind) == (0, RANDOM_VECTOR):
                vector = value
            if at == 12:
                message.kind = struct.unpack("!H", value)[0]
            at += size
        return message

    def receive(self, timeout=DEADLINE):
        """The next control packet, whatever it is; None when none comes in time."""
        deadline = time.monotonic() + timeout
        while True:
            left = max(0, deadline - time.monotonic())
            if not select.select([self.socket], [], [], left)[0]:
                return None
            octets, source = self.socket.recvfrom(65536)
            if octets[0] & 0x80:
                return self._parse(octets, source[:2])
            self.data.append(octets)

    def expect(self, kind, acknowledge=True):
        """Waits for a message in its turn; those that were there before, and ZLBs, are skipped."""
        while True:
            message = self.receive()
            assert message, f"message {kind} did not come"
            if message.kind == ZLB or message.ns != self.nr:
                continue
            assert message.kind == kind, f"message {message.kind} instead of {kind}: {message}"
            self.nr = (self.nr + 1) & 0xFFFF
            if acknowledge and self.peer_id:
                self.send(ZLB)
            return message

    def expect_silence(self, seconds=1):
        """Nothing but acknowledgements comes for so long."""
        deadline = time.monotonic() + seconds
        while message := self.receive(max(0, deadline - time.monotonic())):
            assert message.kind == ZLB, message

    # --- exchanges

    def sccrq(self, *more):
        self.challenge = os.urandom(16) if self.secret else b""
        self.send(
            SCCRQ,
            avp(VERSION, u16(0x0100)),
            avp(FRAMING_CAPABILITIES, u32(3)),
            avp(BEARER_CAPABILITIES, u32(3)),
            avp(HOST_NAME, self.host_name.encode()),
            avp(TUNNEL_ID, u16(self.tunnel_id)),
            avp(WINDOW, u16(8)),
            *([avp(CHALLENGE, self.challenge)] if self.challenge else []),
            *more,
            tunnel_id=0,
        )

    def response(self, kind, challenge):
        return hashlib.md5(bytes([kind]) + self.secret + challenge).digest()

    def open(self):
        """SCCRQ, SCCRP, SCCCN; returns the SCCRP."""
        self.sccrq()
        sccrp = self.expect(SCCRP, acknowledge=False)
        self.peer_id = sccrp.u16(TUNNEL_ID)
        answer = []
        if self.secret:
            assert sccrp.avps[RESPONSE] == self.response(SCCRP, self.challenge)
        if CHALLENGE in sccrp.avps:
            answer = [avp(RESPONSE, self.response(SCCCN, sccrp.avps[CHALLENGE]))]
        self.send(SCCCN, *answer)
        return sccrp

    def icrq(self, session_id, *more):
        self.send(ICRQ, avp(SESSION_ID, u16(session_id)), avp(SERIAL, u32(1)), *more)

    def call(self, session_id, *more):
        """ICRQ, ICRP, ICCN with these AVPs more; returns the session id of the LNS."""
        self.icrq(session_id)
        peer = self.expect(ICRP).u16(SESSION_ID)
        self.send(ICCN, avp(TX_SPEED, u32(64000)), avp(FRAMING_TYPE, u32(1)), *more, session_id=peer)
        return peer

    def stop(self, code=1):
        self.send(STOPCCN, avp(TUNNEL_ID, u16(self.tunnel_id)), avp(RESULT, u16(code)))

    def acknowledge(self):
        """Acknowledges what has come again, as a LAC does."""
        while message := self.receive(0):
            if message.kind != ZLB:
                self.send(ZLB)
