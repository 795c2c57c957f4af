# SPDX-License-Identifier: BSD-2-Clause
"""freeradius: Debian's FreeRADIUS with the configuration of conf/freeradius, and what it wrote down."""

import contextlib
import hashlib
import hmac
import os
import shutil
import socket
import sqlite3
import struct

from lab.wait import wait_for

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def _status_server(secret):
    """A Status-Server packet (RFC 5997)."""
    head = struct.pack("!BBH", 12, 7, 38) + os.urandom(16)
    zero = head + struct.pack("!BB", 80, 18) + bytes(16)
    return zero[:-16] + hmac.new(secret.encode(), zero, hashlib.md5).digest()


def parse_records(text):
    """The records of a detail file: a dictionary each, with a list for what occurs more than once.

    An unfinished record at the end is left for the next look.
    """
    records = []
    for block in text.split("\n\n")[:-1]:
        record = {}
        for line in block.splitlines():
            if not line.startswith("\t"):
                continue
            name, _, value = line.strip().partition(" = ")
            value = value.strip('"')
            if name in record:
                old = record[name] if isinstance(record[name], list) else [record[name]]
                record[name] = old + [value]
            else:
                record[name] = value
        records.append(record)
    return records


class FreeRadius:
    port = 1812
    mode = "-f"  # -s: one thread

    def __init__(self, namespace, directory, address, client, secret, users=None):
        """client is the LNS's address; users is text of a users file, by default the example's."""
        self.namespace = namespace
        self.directory = directory
        self.address = address
        self.secret = secret
        self.process = None
        shutil.copytree(os.path.join(TREE, "conf", "freeradius"), directory)
        os.chmod(directory, 0o700)
        self._write(
            "clients.conf",
            f"client lns {{\n\tipaddr = {client}\n\tsecret = '{secret}'\n"
            "\trequire_message_authenticator = yes\n}\n"
            f"client self {{\n\tipaddr = {address}\n\tsecret = '{secret}'\n}}\n",
        )
        if users is not None:
            self._write("users", users)
        self.log = os.path.join(directory, "log")
        self._adapt()
        self.start()

    def _adapt(self):
        """Changes what was copied of the example."""

    def _write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)

    def start(self):
        self.process = self.namespace.start(
            *("freeradius", self.mode, "-d", self.directory, "-l", "stdout"),
            log=self.log,
            env={"LNS_RADIUS_LOG": self.directory},
        )
        wait_for(self.answers, "an answer of FreeRADIUS", context=self.process.output)

    def answers(self):
        assert self.process.running(), "FreeRADIUS ended:\n" + self.process.output()
        with contextlib.closing(self.namespace.socket()) as sock:
            sock.settimeout(0.5)
            sock.bind((self.address, 0))
            try:
                sock.connect((self.address, self.port))
                sock.send(_status_server(self.secret))
                return sock.recv(4096)[0] == 2
            except (socket.timeout, ConnectionRefusedError):
                return False

    def stop(self):
        self.process.stop()

    def _records(self, name):
        try:
            path = os.path.join(self.directory, name)
            with open(path, "r", encoding="utf-8", errors="replace") as file:
                return parse_records(file.read())
        except FileNotFoundError:
            return []

    def requests(self, user=None):
        """The Access-Requests that came, passwords left out."""
        return [r for r in self._records("authentication") if user in (None, r.get("User-Name"))]

    def accounting(self, user=None, status=None):
        """The accounting records that came, oldest first."""
        return [
            record
            for record in self._records("accounting")
            if user in (None, record.get("User-Name"))
            and status in (None, record.get("Acct-Status-Type"))
        ]

    def wait_accounting(self, status, user=None, count=1):
        """Waits for count records and returns them; more of them than that are an error."""
        records = wait_for(
            lambda: len(found := self.accounting(user, status)) >= count and found,
            f"{count} accounting {status} of {user or 'anybody'}",
            context=lambda: f"there are: {self.accounting()}",
        )
        assert len(records) == count, records
        return records

    def forget(self):
        """Empties the files, for the next test."""
        for name in ("authentication", "accounting"):
            with contextlib.suppress(FileNotFoundError):
                os.truncate(os.path.join(self.directory, name), 0)


RADDB = "/etc/freeradius/3.0"  # of Debian's package, in 12 and 13

SQL = f"""
	sql {{
		dialect = "sqlite"
		driver = "rlm_sql_sqlite"
		sqlite {{
			filename = "${{logdir}}/radacct.db"
			busy_timeout = 5000
			bootstrap = "{RADDB}/mods-config/sql/main/sqlite/schema.sql"
		}}
		radius_db = "radius"
		acct_table1 = "radacct"
		acct_table2 = "radacct"
		postauth_table = "radpostauth"
		authcheck_table = "radcheck"
		groupcheck_table = "radgroupcheck"
		authreply_table = "radreply"
		groupreply_table = "radgroupreply"
		usergroup_table = "radusergroup"
		client_table = "nas"
		group_attribute = "SQL-Group"
		sql_user_name = "%{{User-Name}}"
		pool {{
			start = 1
			min = 1
			max = 1
			spare = 0
			uses = 0
			lifetime = 0
			idle_timeout = 0
		}}
		$INCLUDE {RADDB}/mods-config/sql/main/sqlite/queries.conf
	}}
"""


class SqlWitness(FreeRadius):
    """FreeRADIUS with its default SQL schema and queries in SQLite, beside the other one, on other ports."""

    port = 1912

    def _adapt(self):
        with open(os.path.join(self.directory, "radiusd.conf"), encoding="utf-8") as file:
            text = file.read()
        for old, new in (
            ("port = 1812", f"port = {self.port}"),
            ("port = 1813", f"port = {self.port + 1}"),
            ("modules {\n", "modules {\n\talways ok {\n\t\trcode = ok\n\t}\n" + SQL),
            ("accounting {\n\t\tdetail\n", "preacct {\n\t\tacct_unique\n\t}\n\taccounting {\n\t\tdetail\n\t\tsql\n"),
            ("server lns {\n", f"policy {{\n\t$INCLUDE {RADDB}/policy.d/accounting\n}}\n\nserver lns {{\n"),
        ):
            assert old in text, old
            text = text.replace(old, new)
        self._write("radiusd.conf", text)

    def rows(self):
        """What it knows of all sessions."""
        path = os.path.join(self.directory, "radacct.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute("SELECT * FROM radacct")]
