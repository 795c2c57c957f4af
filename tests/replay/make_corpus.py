#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""make_corpus: writes the packets in tests/replay/l2tp_msg and tests/replay/l2tp_hide.

An implementation of its own of RFC 2661 encoding and hiding, so that the C code is not its own judge.
The file name says what a strict decoder with the secret "secret" must find: ok-, ignore-, discard- or
clear-ERROR- (the error code of the result). tests/unit/l2tp/test_codec_corpus.c holds it to that.

Run from the top directory; the output is always the same.
"""
import hashlib
import pathlib
import shutil
import struct

SECRET = b"secret"
VECTOR = b"0123456789abcdef"
M, H = 0x8000, 0x4000
ADSL = 3561
(SCCRQ, SCCRP, SCCCN, STOPCCN, HELLO, OCRQ, OCRP, OCCN, ICRQ, ICRP, ICCN, CDN, WEN, SLI) = (
    1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16)
CSUN, CSURQ = 28, 29


def u16(*values):
    return b"".join(struct.pack(">H", value) for value in values)


def u32(*values):
    return b"".join(struct.pack(">I", value) for value in values)


def u64(value):
    return struct.pack(">Q", value)


def raw(bits, length, vendor, number, value=b""):
    """An AVP with a length of the caller's choice."""
    return u16(bits | length, vendor, number) + value


def avp(number, value=b"", bits=M, vendor=0):
    return raw(bits, 6 + len(value), vendor, number, value)


def cover(number, subformat, vector=VECTOR, secret=SECRET):
    """RFC 2661 section 4.3."""
    out = b""
    mask = hashlib.md5(u16(number) + secret + vector).digest()
    for start in range(0, len(subformat), 16):
        segment = bytes(a ^ b for a, b in zip(subformat[start:start + 16], mask))
        mask = hashlib.md5(secret + segment).digest()
        out += segment
    return out


def hidden(number, value, bits=M, vendor=0, vector=VECTOR, secret=SECRET, pad=b"", length=None):
    subformat = u16(len(value) if length is None else length) + value + pad
    return avp(number, cover(number, subformat, vector, secret), bits | H, vendor)


def rv(vector=VECTOR, bits=M):
    return avp(36, vector, bits)


def message(kind, *avps, tunnel=1, session=1, bits=0xC802, length=None, tail=b"", m=M):
    body = b"".join(avps)
    if kind is not None:
        body = avp(0, u16(kind), m) + body
    if length is None:
        length = 12 + len(body)
    return u16(bits, length, tunnel, session, 7, 9) + body + tail


VERSION, FRAMING, BEARER = avp(2, u16(0x0100)), avp(3, u32(3)), avp(4, u32(0))
HOST, TUNNEL, WINDOW = avp(7, b"lac1.example.net"), avp(9, u16(4711)), avp(10, u16(8))
CHALLENGE, RESPONSE = avp(11, bytes(range(16))), avp(13, bytes(range(16, 32)))
SESSION, SERIAL, SPEED = avp(14, u16(815)), avp(15, u32(42)), avp(24, u32(100000000))
FRAME, RESULT = avp(19, u32(2)), avp(1, u16(2, 6) + b"out of modems")
BEGIN = (VERSION, FRAMING, HOST, TUNNEL)
CALL = (SESSION, SERIAL)
UP = (SPEED, FRAME)
PROXY = (avp(26, bytes.fromhex("010405d4"), 0), avp(27, bytes.fromhex("0305c22305"), 0),
         avp(28, bytes.fromhex("010405d4"), 0), avp(29, u16(2), 0),
         avp(30, b"subscriber@example.net", 0), avp(31, bytes(16), 0), avp(32, u16(5), 0),
         avp(33, bytes(range(16)), 0))
LINE = (avp(1, b"dslam 1/1/01:100", 0, ADSL), avp(2, b"remote", 0, ADSL),
        *(avp(number, u64(number * 1000000), 0, ADSL) for number in range(129, 139)),
        *(avp(number, u32(number), 0, ADSL) for number in range(139, 143)),
        avp(144, b"\x02\x02\x09", 0, ADSL), avp(145, u32(5), 0, ADSL), avp(254, b"", 0, ADSL))


def update(session, tx, rx):
    return avp(97, u16(0, session) + u32(tx, rx), 0)


PACKETS = {
    # every message, alone and with all that it may carry
    "ok-zlb": message(None),
    "ok-sccrq": message(SCCRQ, *BEGIN, tunnel=0, session=0),
    "ok-sccrq-all": message(SCCRQ, *BEGIN, BEARER, WINDOW, CHALLENGE, avp(5, u64(1 << 63), 0),
                            avp(6, u16(0x0690), 0), avp(8, b"Example", 0), tunnel=0, session=0),
    "ok-sccrp-auth": message(SCCRP, *BEGIN, CHALLENGE, RESPONSE, session=0),
    "ok-scccn": message(SCCCN, session=0),
    "ok-scccn-auth": message(SCCCN, RESPONSE, session=0),
    "ok-stopccn": message(STOPCCN, TUNNEL, RESULT, session=0),
    "ok-stopccn-code-alone": message(STOPCCN, TUNNEL, avp(1, u16(6)), session=0),
    "ok-stopccn-id-0": message(STOPCCN, avp(9, u16(0)), RESULT, tunnel=0, session=0),
    "ok-hello": message(HELLO, session=0),
    "ok-icrq": message(ICRQ, *CALL, session=0),
    "ok-icrq-all": message(ICRQ, *CALL, avp(18, u32(2)), avp(21, b"5551234"), avp(22, b"\x00\xff"),
                           avp(23, b""), avp(25, u32(99), 0), avp(98, b"", 0), *LINE, session=0),
    "ok-icrp": message(ICRP, SESSION),
    "ok-iccn": message(ICCN, *UP),
    "ok-iccn-all": message(ICCN, *UP, *PROXY, avp(37, b"red", 0), avp(38, u32(20000000), 0),
                           avp(39)),
    "ok-ocrq": message(OCRQ, *CALL, avp(16, u32(1)), avp(17, u32(2)), avp(18, u32(2)), FRAME,
                       avp(21, b"5551234"), avp(23, b"9"), session=0),
    "ok-ocrp": message(OCRP, SESSION, avp(25, u32(1), 0)),
    "ok-occn": message(OCCN, *UP, avp(38, u32(1), 0), avp(39)),
    "ok-cdn": message(CDN, RESULT, SESSION),
    "ok-cdn-all": message(CDN, RESULT, SESSION, avp(12, u16(16) + b"\x45clearing"),
                          avp(46, u16(3, 0xc223) + b"\x01no such user", 0)),
    "ok-cdn-cause-first": message(CDN, avp(12, u16(17) + b"\x45busy"), avp(1, u16(8)), SESSION),
    "ok-cdn-cause-text-longer": message(CDN, avp(12, u16(16) + b"\x45clearing"),
                                        avp(1, u16(2, 6) + b"."), SESSION),
    "ok-cdn-id-0": message(CDN, RESULT, avp(14, u16(0)), session=0),
    "ok-wen": message(WEN, avp(34, u16(0) + u32(1, 2, 3, 4, 5, 6))),
    "ok-sli": message(SLI, avp(35, u16(0) + u32(0xffffffff, 0x000a0000))),
    "ok-csun": message(CSUN, update(1, 1000, 2000), update(2, 3000, 4000), session=0, m=0),
    "ok-csun-with-m": message(CSUN, update(1, 1000, 2000), session=0),
    "ok-csun-100": message(CSUN, *(update(n, n, n) for n in range(1, 101)), session=0, m=0),
    "ok-csurq": message(CSURQ, update(1, 0, 0), session=0, m=0),
    # header: section 3.1
    "ok-header-reserved-bits": message(HELLO, bits=0xC802 | 0x35F0, session=0),
    "ok-header-p-bit": message(HELLO, bits=0xC902, session=0),
    "ok-trailing-octets": message(HELLO, tail=b"\xff" * 7, session=0),
    "discard-empty": b"",
    "discard-header-cut": message(None)[:11],
    "discard-data": message(HELLO, bits=0x4802),
    "discard-no-l": message(HELLO, bits=0x8802),
    "discard-no-s": message(HELLO, bits=0xC002),
    "discard-o-bit": message(HELLO, bits=0xCA02),
    "discard-version-1": message(HELLO, bits=0xC801),
    "discard-version-3": message(HELLO, bits=0xC803),
    "discard-length-11": message(HELLO, length=11),
    "discard-length-beyond": message(HELLO, length=21),
    "discard-tunnel-0-icrq": message(ICRQ, *CALL, tunnel=0),
    # Message Type: section 4.4.1
    "clear-8-type-0": message(0),
    "clear-8-type-99": message(99, *CALL),
    "ignore-type-99": message(99, m=0),
    "ignore-type-99-malformed": message(99, b"\xff\xff\xff", m=0),
    "clear-3-type-not-first": message(None, SESSION, avp(0, u16(ICRQ)), SERIAL),
    "clear-3-type-of-vendor": message(None, avp(0, u16(ICRQ), M, 9), *CALL),
    "clear-3-vector-first": message(None, rv(), avp(0, u16(ICRQ)), *CALL),
    "clear-2-type-1-octet": message(None, avp(0, b"\x0a")),
    "clear-2-type-3-octets": message(None, avp(0, b"\x00\x0a\x00")),
    "ignore-type-3-octets": message(None, avp(0, b"\x00\x0a\x00", 0)),
    "clear-3-type-hidden": message(None, avp(0, u16(ICRQ), M | H), *CALL),
    "clear-8-type-reserved-bits": message(None, avp(0, u16(ICRQ), M | 0x0400), *CALL),
    "clear-2-first-avp-cut": message(None, b"\x80\x08\x00"),
    "clear-2-first-avp-length-0": message(None, raw(M, 0, 0, 0, u16(ICRQ))),
    "clear-3-type-twice": message(ICRQ, *CALL, avp(0, u16(ICCN))),
    "ok-type-twice-no-m": message(ICRQ, *CALL, avp(0, u16(ICCN), 0)),
    # AVP format: section 4.1
    "clear-2-avp-length-0": message(ICRQ, *CALL, raw(M, 0, 0, 15)),
    "clear-2-avp-length-5": message(ICRQ, *CALL, raw(0, 5, 0, 15)),
    "clear-2-avp-beyond": message(ICRQ, *CALL, raw(0, 7, 0, 99)),
    "clear-2-avp-1023": message(ICRQ, *CALL, raw(M, 1023, 0, 22, b"5")),
    "clear-2-avp-header-cut": message(ICRQ, *CALL, b"\x80\x08\x00\x00\x00"),
    "ok-avp-1023": message(ICRQ, *CALL, avp(22, b"5" * 1017)),
    "clear-8-unknown": message(ICRQ, SESSION, avp(99), SERIAL),
    "ok-unknown-no-m": message(ICRQ, SESSION, avp(99, b"?", 0), SERIAL),
    "clear-8-unknown-vendor": message(ICRQ, *CALL, avp(1, b"?", M, 9)),
    "ok-unknown-vendor-no-m": message(ICRQ, *CALL, avp(1, b"?", 0, 9)),
    "clear-8-unknown-tunnel": message(SCCRQ, *BEGIN, avp(60), tunnel=0, session=0),
    "clear-8-unknown-before-ids": message(ICRQ, avp(20, b"", M), *CALL),
    "clear-8-unknown-hidden": message(ICRQ, rv(), hidden(99, b"x"), *CALL),
    "clear-8-adsl-unknown": message(ICRQ, *CALL, avp(143, b"", M, ADSL)),
    "ok-vendor-is-part-of-key": message(CDN, RESULT, SESSION, avp(1, u16(9, 9), 0, ADSL)),
    "clear-8-reserved-bit-1": message(ICRQ, *CALL, avp(22, b"5", M | 0x2000)),
    "ok-reserved-bit-no-m": message(ICRQ, *CALL, avp(22, b"5", 0x0800)),
    "clear-3-reserved-bit-on-needed": message(ICRQ, avp(14, u16(1), 0x0400), SERIAL),
    "ok-m-where-it-should-not": message(ICCN, *UP, avp(29, u16(4)), avp(37, b"red"), avp(38, u32(1))),
    "ok-no-m-where-it-should": message(ICRQ, avp(14, u16(1), 0), avp(15, u32(1), 0)),
    "ok-known-but-elsewhere": message(ICRQ, *CALL, TUNNEL, RESULT, avp(35), avp(10, u16(0))),
    "ok-known-hidden-elsewhere": message(ICRQ, *CALL, avp(13, b"", M | H)),
    "ok-any-order": message(ICRQ, avp(22, b"5"), SERIAL, avp(25, u32(1), 0), SESSION),
    # lengths and values of the single AVPs
    "clear-2-session-id-1-octet": message(ICRQ, avp(14, b"\x01"), SERIAL),
    "clear-2-session-id-empty": message(ICRQ, avp(14), SERIAL),
    "clear-3-session-id-0": message(ICRQ, avp(14, u16(0)), SERIAL),
    "clear-3-tunnel-id-0": message(SCCRQ, VERSION, FRAMING, HOST, avp(9, u16(0)), tunnel=0),
    "clear-3-window-0": message(SCCRQ, *BEGIN, avp(10, u16(0)), tunnel=0),
    "ok-window-0-no-m": message(SCCRQ, *BEGIN, avp(10, u16(0), 0), tunnel=0),
    "clear-2-host-name-empty": message(SCCRQ, VERSION, FRAMING, avp(7), TUNNEL, tunnel=0),
    "clear-2-version-1-octet": message(SCCRQ, avp(2, b"\x01"), FRAMING, HOST, TUNNEL, tunnel=0),
    "clear-2-response-15": message(SCCCN, avp(13, bytes(15))),
    "clear-2-result-empty": message(CDN, avp(1), SESSION),
    "clear-2-result-3-octets": message(CDN, avp(1, b"\x00\x02\x00"), SESSION),
    "ok-result-text-hostile": message(CDN, avp(1, u16(2, 6) + b"\x1b[2J%s%n\xff\x00\x00"), SESSION),
    "ok-result-text-1013": message(CDN, avp(1, u16(2, 6) + b"x" * 1013), SESSION),
    "clear-2-cause-2-octets": message(CDN, RESULT, SESSION, avp(12, u16(16))),
    "clear-2-accm-11": message(SLI, avp(35, bytes(11))),
    "clear-2-sequencing-with-value": message(ICCN, *UP, avp(39, b"\x01")),
    "ok-rx-speed-2-octets-no-m": message(ICCN, *UP, avp(38, u16(1), 0)),
    "clear-2-rx-speed-2-octets-m": message(ICCN, *UP, avp(38, u16(1))),
    "ok-proxy-id-256-no-m": message(ICCN, *UP, avp(32, u16(256), 0)),
    "clear-3-proxy-id-256-m": message(ICCN, *UP, avp(32, u16(256))),
    "ok-disconnect-4-octets": message(CDN, RESULT, SESSION, avp(46, u32(1), 0)),
    "ok-rate-4-octets": message(ICRQ, *CALL, avp(129, u32(5000000), 0, ADSL)),
    "ok-rate-6-octets": message(ICRQ, *CALL, avp(129, bytes(6), 0, ADSL)),
    "clear-2-rate-6-octets-m": message(ICRQ, *CALL, avp(129, bytes(6), M, ADSL)),
    # duplicates
    "clear-3-session-id-twice": message(ICRQ, *CALL, SESSION),
    "ok-host-name-twice-no-m": message(SCCRQ, *BEGIN, avp(7, b"other", 0), tunnel=0),
    # missing: section 6
    "clear-3-sccrq-bare": message(SCCRQ, tunnel=0),
    "clear-3-sccrq-no-host-name": message(SCCRQ, VERSION, FRAMING, TUNNEL, tunnel=0),
    "clear-3-sccrq-no-tunnel-id": message(SCCRQ, VERSION, FRAMING, HOST, tunnel=0),
    "clear-3-stopccn-no-result": message(STOPCCN, TUNNEL),
    "clear-3-icrq-no-serial": message(ICRQ, SESSION),
    "clear-3-icrq-no-session-id": message(ICRQ, SERIAL),
    "clear-3-iccn-no-speed": message(ICCN, FRAME),
    "clear-3-ocrq-no-number": message(OCRQ, *CALL, avp(16, u32(1)), avp(17, u32(2)),
                                      avp(18, u32(2)), FRAME),
    "clear-3-cdn-no-result": message(CDN, SESSION),
    "clear-3-wen-bare": message(WEN),
    "clear-3-sli-bare": message(SLI),
    "ignore-csun-bare": message(CSUN, session=0, m=0),
    "clear-3-needed-malformed-no-m": message(ICRQ, avp(14, b"\x01", 0), SERIAL),
    # hiding: section 4.3
    "ok-hidden": message(ICRQ, rv(), hidden(14, u16(815)), hidden(15, u32(42)),
                         hidden(22, b"5551234")),
    "ok-hidden-padded": message(ICRQ, rv(), hidden(14, u16(815), pad=b"padding"), SERIAL),
    "ok-hidden-no-m": message(ICCN, rv(), *UP, hidden(33, b"secret password", 0)),
    "ok-hidden-3-segments": message(ICRQ, rv(), *CALL, hidden(22, b"5" * 40)),
    "ok-hidden-1015": message(ICRQ, rv(), *CALL, hidden(22, b"5" * 1015)),
    "ok-hidden-empty-value": message(ICRQ, rv(), *CALL, hidden(22, b"")),
    "ok-hidden-vector-1-octet": message(ICRQ, rv(b"v"), hidden(14, u16(1), vector=b"v"), SERIAL),
    "ok-hidden-vector-empty": message(ICRQ, rv(b""), hidden(14, u16(1), vector=b""), SERIAL),
    "ok-hidden-vector-1017": message(ICRQ, rv(b"v" * 1017),
                                     hidden(14, u16(1), vector=b"v" * 1017), SERIAL),
    "ok-hidden-two-vectors": message(ICRQ, rv(b"one"), hidden(14, u16(1), vector=b"one"),
                                     rv(b"two"), hidden(15, u32(1), vector=b"two")),
    "ok-hidden-adsl": message(ICRQ, rv(), *CALL, hidden(1, b"dslam", 0, ADSL)),
    "ok-vector-alone": message(HELLO, rv(), rv(), session=0),
    "clear-2-hidden-wrong-vector": message(ICRQ, rv(b"one"), rv(b"two"),
                                           hidden(14, u16(1), vector=b"one"), SERIAL),
    "clear-2-hidden-wrong-secret": message(ICRQ, rv(), hidden(14, u16(1), secret=b"other"), SERIAL),
    "clear-3-hidden-before-vector": message(ICRQ, hidden(14, u16(815)), rv(), SERIAL),
    "clear-3-hidden-without-vector": message(ICRQ, hidden(14, u16(815)), SERIAL),
    "ok-hidden-without-vector-no-m": message(ICRQ, *CALL, hidden(22, b"5", 0)),
    "clear-2-hidden-no-value": message(ICRQ, rv(), avp(14, b"", M | H), SERIAL),
    "clear-2-hidden-1-octet": message(ICRQ, rv(), avp(14, b"\x00", M | H), SERIAL),
    "clear-2-hidden-inner-1-too-long": message(ICRQ, rv(), *CALL, hidden(22, b"5", length=2)),
    "clear-2-hidden-inner-65535": message(ICRQ, rv(), *CALL, hidden(22, b"5" * 100, length=65535)),
    "ok-hidden-inner-65535-no-m": message(ICRQ, rv(), *CALL, hidden(22, b"5", 0, length=65535)),
    "clear-2-hidden-inner-too-short": message(ICRQ, rv(), hidden(14, u16(1), length=1), SERIAL),
    "clear-3-hidden-host-name": message(SCCRQ, rv(), VERSION, FRAMING, hidden(7, b"lac"), TUNNEL,
                                        tunnel=0),
    "clear-3-hidden-result": message(CDN, rv(), hidden(1, u16(3)), SESSION),
    "clear-3-hidden-vector": message(ICRQ, rv(VECTOR, M | H), *CALL),
    "clear-3-hidden-session-id-0": message(ICRQ, rv(), hidden(14, u16(0)), SERIAL),
    "clear-3-hidden-session-id-twice": message(ICRQ, rv(), *CALL, hidden(14, u16(1))),
    "ok-hidden-vector-no-m-skipped": message(ICRQ, rv(VECTOR, H), *CALL),
}


def hide_input(secret, vector, number, octets):
    return bytes([len(secret), len(vector)]) + u16(number) + secret + vector + octets


HIDE = {
    "one-segment": hide_input(SECRET, VECTOR, 14, cover(14, u16(2, 815))),
    "three-segments": hide_input(SECRET, VECTOR, 30, cover(30, u16(40) + b"x" * 40)),
    "whole-segments": hide_input(SECRET, VECTOR, 30, cover(30, u16(30) + b"x" * 30)),
    "padded": hide_input(b"s" * 255, b"", 24, cover(24, u16(4) + bytes(16), b"", b"s" * 255)),
    "inner-too-long": hide_input(SECRET, VECTOR, 33, cover(33, u16(65535) + bytes(33))),
    "no-length": hide_input(SECRET, VECTOR, 33, b"\x00"),
    "nothing": hide_input(SECRET, VECTOR, 33, b""),
    "longest": hide_input(SECRET, VECTOR, 33, cover(33, u16(1015) + bytes(1015))),
}


def write(directory, files):
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, octets in files.items():
        (directory / name).write_bytes(octets)


def main():
    top = pathlib.Path(__file__).parent
    write(top / "l2tp_msg", PACKETS)
    write(top / "l2tp_hide", HIDE)
    print(f"{len(PACKETS)} packets, {len(HIDE)} hidden values")


if __name__ == "__main__":
    main()
