# SPDX-License-Identifier: BSD-2-Clause
"""flood: a LAC that knows the secret and means harm: one kind of packets, as many as it can.

A flood is a generator of packets. It plays by the rules as far as it must to be heard (the numbers of its
messages are in order, unless the disorder is the point) and acknowledges nothing.
"""

import random
import struct
import time

from lab.script import (
    CALLED_NUMBER, CDN, FRAMING_TYPE, HELLO, ICCN, ICRP, ICRQ, OCCN, OCRP, OCRQ, RANDOM_VECTOR, RESULT, SERIAL,
    SESSION_ID, SLI, STOPCCN, TUNNEL_ID, TX_SPEED, WEN, WINDOW, ZLB, avp, u16, u32,
)  # fmt: skip

BURST = 64
SEED = 3


def numbered(lac, kind, *avps, session_id=0):
    """The next message of the tunnel."""
    octets = lac.packet(kind, avps, session_id)
    lac.ns = (lac.ns + 1) & 0xFFFF
    return octets


def calls(lac):
    """As many as there are ids, and more; none goes on."""
    while True:
        for session_id in range(1, 0x10000):
            yield numbered(lac, ICRQ, avp(SESSION_ID, u16(session_id)), avp(SERIAL, u32(session_id)))


def calls_and_ends(lac):
    """Each call ends before its LAC can know our id: it is looked for by the LAC's."""
    for packet in calls(lac):
        yield packet
        yield numbered(lac, CDN, avp(SESSION_ID, u16(0xFFFF)), avp(RESULT, u16(1)))


def far_ahead(lac):
    rng = random.Random(SEED)
    while True:
        yield struct.pack("!HHHHHHHHHH", 0xC802, 20, lac.peer_id, 0, rng.randrange(0x10000), lac.nr, 0x8008, 0, 0, HELLO)


def acknowledgements(lac):
    rng = random.Random(SEED)
    while True:
        yield struct.pack("!HHHHHH", 0xC802, 12, lac.peer_id, 0, lac.ns, rng.choice((lac.nr, lac.nr, rng.randrange(0x10000))))


def hidden(lac):
    """All that fits in a packet, to be unhidden and found wrong."""
    rng = random.Random(SEED)
    vector = avp(RANDOM_VECTOR, rng.randbytes(1000))
    while True:
        body = b"".join(struct.pack("!HHH", 0x4000 | 1023, 0, CALLED_NUMBER + n % 3) + rng.randbytes(1017) for n in range(6))
        yield numbered(lac, ICRQ, vector, body, avp(SERIAL, u32(1)))


def errors_and_links(lac):
    """WAN Error Notify and Set Link Info for a call that is there."""
    session_id = lac.call(9)
    lac.acknowledge()
    while True:
        yield numbered(lac, WEN, avp(34, bytes(26)), session_id=session_id)
        yield numbered(lac, SLI, avp(35, bytes(10)), session_id=session_id)


def nobodys_calls(lac):
    rng = random.Random(SEED)
    while True:
        yield numbered(
            lac, ICCN, avp(TX_SPEED, u32(1)), avp(FRAMING_TYPE, u32(1)), session_id=rng.randrange(1, 0x10000)
        )


def out_of_place(lac):
    """Any call message for any session, most of them none's."""
    rng = random.Random(SEED)
    kinds = (ICRQ, ICRP, ICCN, OCRQ, OCRP, OCCN, CDN, WEN, SLI)
    while True:
        avps = [avp(SESSION_ID, u16(rng.randrange(1, 9))), avp(SERIAL, u32(1)), avp(RESULT, u16(1))]
        avps += [avp(TX_SPEED, u32(1)), avp(FRAMING_TYPE, u32(1)), avp(34, bytes(26)), avp(35, bytes(10))]
        yield numbered(lac, rng.choice(kinds), *avps, session_id=rng.choice((0, rng.randrange(0x10000))))


def stops(lac):
    """For tunnels that are no tunnels, and that ask for no window at all."""
    rng = random.Random(SEED)
    while True:
        tunnel_id = rng.choice((0, rng.randrange(0x10000)))
        yield lac.packet(STOPCCN, [avp(TUNNEL_ID, u16(rng.randrange(1, 0x10000))), avp(RESULT, u16(1))], 0, tunnel_id)


def requests(lac):
    """New tunnels, each with another window, of them 0."""
    rng = random.Random(SEED)
    lac.ns = lac.nr = lac.peer_id = 0
    lac.sccrq()
    while True:
        octets = bytearray(lac.last)
        at = octets.index(avp(WINDOW, u16(8)))
        octets[at : at + 8] = avp(WINDOW, u16(rng.choice((0, 1, 0xFFFF))))
        at = octets.index(avp(TUNNEL_ID, u16(lac.tunnel_id)))
        octets[at : at + 8] = avp(TUNNEL_ID, u16(rng.randrange(1, 0x10000)))
        yield bytes(octets)


def data(lac):
    """Data packets of all shapes, with offsets beyond their end, for the tunnel and for others."""
    rng = random.Random(SEED)
    while True:
        flags = 2 | rng.choice((0, 0x0100, 0x0200, 0x0300, 0x0800, 0x0B00, 0x4000, 0x4B00))
        tunnel_id = rng.choice((lac.peer_id, rng.randrange(0x10000)))
        yield struct.pack("!HHH", flags, tunnel_id, rng.randrange(0x10000)) + rng.randbytes(rng.randrange(0, 40))


FLOODS = {
    flood.__name__: flood
    for flood in (
        calls, calls_and_ends, far_ahead, acknowledgements, hidden, errors_and_links, nobodys_calls, out_of_place,
        stops, requests, data,
    )
}  # fmt: skip


def pour(lac, packets, enough):
    """Sends until enough() says so; how many it were."""
    count = 0
    while not enough():
        for packet in (next(packets) for _ in range(BURST)):
            try:
                lac.send_octets(packet)
            except OSError:  # our own queue is full
                time.sleep(0)
        count += BURST
    return count
