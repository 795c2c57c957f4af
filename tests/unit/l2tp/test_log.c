// SPDX-License-Identifier: BSD-2-Clause
/* What is logged of a peer's mistakes is found in the journal by its address and all else that is known of it. */
#include "tests/unit/l2tp/fake.h"

#include "lns/log.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct fake fake;
static struct lac lac;
static struct sockaddr_un journal = { .sun_family = AF_UNIX };
static int journal_fd;

static void setup(void)
{
	snprintf(journal.sun_path, sizeof(journal.sun_path), "/tmp/l2tp-log-%d", (int)getpid());
	journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(journal_fd, (struct sockaddr *)&journal, sizeof(journal)), 0);
	log_open_at("engine", LOG_TO_JOURNAL, journal.sun_path);
	fake_init(&fake);
	fake_start(&fake);
	lac_init(&lac, &fake, "198.51.100.7", 1701, 77);
}

static void teardown(void)
{
	fake_end(&fake);
	close(journal_fd);
	unlink(journal.sun_path);
}

TestSuite(log, .init = setup, .fini = teardown);

/* The next record with this text has exactly these of the fields that say whom it is about. */
static void expect_record(const char *message, const char *fields)
{
	char text[2048], *found = NULL;
	ssize_t len;

	do {
		len = recv(journal_fd, text, sizeof(text) - 1, 0);
		cr_assert_gt(len, 0, "no record with \"%s\"", message);
		text[len] = '\0';
	} while (!strstr(text, message));
	found = strstr(text, "LNS_PROCESS=engine\n");
	cr_assert_not_null(found, "%s", text);
	cr_assert_str_eq(found + strlen("LNS_PROCESS=engine\n"), fields);
}

Test(log, of_a_tunnel)
{
	struct l2tp_msg wen = { .type = L2TP_WEN, .present = HAS(CALL_ERRORS) };
	char fields[200];

	lac_open(&lac);
	lac_send(&lac, 4242, &wen);
	snprintf(fields, sizeof(fields),
		"LNS_LAC=%s\nLNS_PEER=%s\nLNS_PEER_ADDRESS=198.51.100.7\nLNS_TUNNEL=%u\n"
		"LNS_CALL=4242\n",
		fake.lac.name, lac.host_name, lac.peer_id);
	expect_record("refused: there is no session 4242", fields);
}

Test(log, of_a_stranger_in_a_tunnel)
{
	struct l2tp_msg hello = lac_hello();
	struct lac stranger;
	char fields[200];

	lac_open(&lac);
	lac_init(&stranger, &fake, "198.51.100.9", 1701, 79);
	stranger.peer_id = lac.peer_id;
	lac_send(&stranger, 0, &hello);
	snprintf(fields, sizeof(fields),
		"LNS_LAC=%s\nLNS_PEER_ADDRESS=198.51.100.9\nLNS_TUNNEL=%u\n", fake.lac.name,
		lac.peer_id);
	expect_record("is not its peer", fields);
}

Test(log, of_a_refused_tunnel)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac);
	char fields[200];

	l2tp_server_drain(fake.server, true);
	lac_send(&lac, 0, &sccrq);
	snprintf(fields, sizeof(fields), "LNS_LAC=%s\nLNS_PEER=%s\nLNS_PEER_ADDRESS=198.51.100.7\n",
		fake.lac.name, lac.host_name);
	expect_record("SCCRQ refused: no new tunnels here", fields);
}

Test(log, of_who_is_no_lac)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac), hello = lac_hello();
	char fields[200];

	fake.unknown_peer = true;
	lac_send(&lac, 0, &sccrq);
	snprintf(fields, sizeof(fields), "LNS_PEER=%s\nLNS_PEER_ADDRESS=198.51.100.7\n",
		lac.host_name);
	expect_record("no lac section matches this peer", fields);
	fake_advance(&fake, ENV_SEC(1));
	lac.peer_id = 4711;
	lac_send(&lac, 0, &hello);
	expect_record("unknown tunnel 4711", "LNS_PEER_ADDRESS=198.51.100.7\n");
}
