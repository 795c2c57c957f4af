// SPDX-License-Identifier: BSD-2-Clause
/* state: the memory survives its engine, and is distrusted by the next one. */
#include "lns/state.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int memory(void)
{
	int fd = memfd_create("state", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	return fd;
}

Test(state, what_one_engine_writes_the_next_one_reads)
{
	struct state_session *session;
	struct state *state;
	int fd = memory();
	uint64_t key;
	bool fresh;

	cr_assert_eq(state_open(fd, &state, &fresh), 0);
	cr_assert(fresh);
	state_set_boot(state, 7);
	key = state_next_key(state);
	cr_assert_eq(key, 7ull << 32 | 1);
	session = state_session_take(state, key);
	session->ifindex = 42;
	state_publish(&session->used, STATE_UP);
	state_tunnel(state, 9)->ns = 3;
	state_close(state);

	cr_assert_eq(state_open(fd, &state, &fresh), 0);
	cr_assert_not(fresh);
	session = state_session_at(state, 0);
	cr_assert_eq(session->used, STATE_UP);
	cr_assert_eq(session->key, key);
	cr_assert_eq(session->ifindex, 42);
	cr_assert_eq(state_tunnel(state, 9)->ns, 3);
	cr_assert_eq(state_next_key(state), 7ull << 32 | 2, "keys go on");
	state_close(state);
	close(fd);
}

Test(state, records_are_taken_once)
{
	struct state_session *a, *b, *c;
	struct state *state;
	int fd = memory();
	bool fresh;

	cr_assert_eq(state_open(fd, &state, &fresh), 0);
	a = state_session_take(state, 1);
	b = state_session_take(state, 2);
	c = state_session_take(state, 3);
	cr_assert(a != b && b != c && a != c);
	state_session_release(state, a);
	cr_assert_eq(state_session_take(state, 4), a, "the first free one");
	cr_assert_eq(b->key, 2);
	cr_assert_neq(state_session_take(state, 5), c, "never one in use");
	cr_assert_null(state_session_at(state, STATE_SESSIONS));
	state_close(state);
	close(fd);
}

Test(state, another_layout_is_refused)
{
	struct state *state;
	int fd = memory();
	bool fresh;

	cr_assert_eq(state_open(fd, &state, &fresh), 0);
	state_close(state);
	cr_assert_eq(pwrite(fd, "????", 4, 0), 4);
	cr_assert_eq(state_open(fd, &state, &fresh), -EPROTO);
	cr_assert_eq(ftruncate(fd, 4096), 0);
	cr_assert_eq(state_open(fd, &state, &fresh), -EPROTO);
	close(fd);
}

Test(state, boots_are_counted_on_disk)
{
	char dir[] = "/tmp/lnsd-state-XXXXXX", path[64];
	uint32_t boot = 0;
	FILE *file;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/boot", dir);
	cr_assert_eq(state_count_boot(dir, &boot), 0);
	cr_assert_eq(boot, 1);
	cr_assert_eq(state_count_boot(dir, &boot), 0);
	cr_assert_eq(boot, 2);
	file = fopen(path, "w");
	fputs("4711\n", file);
	fclose(file);
	cr_assert_eq(state_count_boot(dir, &boot), 0);
	cr_assert_eq(boot, 4712);
	unlink(path);
	cr_assert_eq(rmdir(dir), 0, "nothing else is left");
	cr_assert_eq(state_count_boot(dir, &boot), -ENOENT);
}
