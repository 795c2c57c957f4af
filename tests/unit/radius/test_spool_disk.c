/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The spool and its disk: what was durable is there after the loss of power and after kill -9; a disk
 * that is full, slow or damaged; attributes that stay on disk; many records.
 */
#include "tests/unit/radius/power_vfs.h"
#include "tests/unit/radius/spool_bed.h"

#include "radius/attr_codes.h"
#include "radius/spool_table.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TestSuite(spool_disk, .init = bed_setup, .fini = bed_teardown, .timeout = 60);
TestSuite(spool_power, .init = bed_power_setup, .fini = bed_power_teardown, .timeout = 60);

/* ---- power ---- */

#define SESSIONS 400

static bool is_durable[SESSIONS];

static void note_durable(void *ctx, int err)
{
	if (!err)
		is_durable[(uintptr_t)ctx] = true;
}

/* Whether the server has got it, which it says, or it still waits. */
static bool is_kept(uint64_t session)
{
	for (unsigned int i = 0; i < bed_seen_count; i++)
		if (bed_seen[i].session == session && bed_seen[i].kind == RADIUS_STOP)
			return true;
	return bed_count(session, RADIUS_STOP) == 1;
}

/* Records come, go out and are deleted, until the power goes at some moment. The records lost. */
static unsigned int lose_power(unsigned int seed)
{
	unsigned int lost = 0, until = 20 + (unsigned int)rand_r(&seed) % (SESSIONS - 20);

	memset(is_durable, 0, sizeof(is_durable));
	bed_seen_count = 0;
	bed_open();
	for (uintptr_t session = 1; session < until; session++) {
		bed_put(session, RADIUS_INTERIM);
		bed_put_for(session, RADIUS_STOP, note_durable, (void *)session);
		if (rand_r(&seed) % 16 == 0)
			bed_put(session / 2 + 1, RADIUS_INTERIM);
		if (rand_r(&seed) % 8 == 0)
			bed_serve();
		else if (rand_r(&seed) % 4 == 0)
			fake_advance(&fake, 0);
	}
	power_vfs_cut();
	bed_close();
	power_vfs_restore(seed);
	if (bed_try(&(struct radius_spool_config){ .path = bed_path })) {
		power_vfs_remove(); /* nothing can be read of it */
		power_vfs_install();
		return until;
	}
	bed_until(bed_is_loaded, "loaded");
	for (uint64_t session = 1; session < SESSIONS; session++)
		lost += is_durable[session] && !is_kept(session);
	bed_close();
	return lost;
}

Test(spool_power, what_was_durable_survives)
{
	unsigned int durable = 0;

	for (unsigned int seed = 1; seed <= 12; seed++) {
		cr_expect_eq(lose_power(seed), 0, "seed %u", seed);
		for (int session = 0; session < SESSIONS; session++)
			durable += is_durable[session];
	}
	cr_expect_gt(durable, 500, "only %u were durable", durable);
	cr_expect_null(strstr(fake.log, "damaged"), "%s", fake.log);
}

/* The same with syncs that do nothing loses records: the test can fail. */
Test(spool_power, what_was_not_synced_is_lost)
{
	unsigned int lost = 0;

	power_vfs_set_lying(true);
	for (unsigned int seed = 1; seed <= 4; seed++)
		lost += lose_power(seed);
	cr_expect_gt(lost, 0);
}

Test(spool_power, many_share_a_sync)
{
	unsigned int before;

	bed_open();
	radius_spool_set_client(spool, NULL);
	power_vfs_set_slow(5);
	before = power_vfs_syncs();
	for (uint64_t session = 1; session <= 2000; session++)
		bed_put_for(session, RADIUS_STOP, bed_saved, NULL);
	bed_until(bed_all_saved, "saved");
	cr_expect_eq(bed_durable, 2000);
	cr_expect_lt(power_vfs_syncs() - before, 30, "%u", power_vfs_syncs() - before);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

Test(spool_power, the_loop_does_not_wait_for_a_slow_disk)
{
	double began, worst = 0;

	bed_open();
	power_vfs_set_slow(500);
	bed_put_for(100, RADIUS_STOP, bed_saved, NULL);
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	for (uint64_t session = 1; session <= 50; session++) {
		began = now();
		bed_put_for(session, RADIUS_STOP, bed_saved, NULL);
		fake_advance(&fake, 0);
		if (now() - began > worst)
			worst = now() - began;
	}
	cr_expect_lt(worst, 0.2, "%.3f s", worst);
	cr_expect_eq(bed_durable, 0);
	power_vfs_set_slow(0);
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_durable, 51);
}

/* ---- a full disk ---- */

static unsigned int lines_with(const char *text)
{
	unsigned int count = 0;

	for (const char *at = fake.log; (at = strstr(at, text)); at++)
		count++;
	return count;
}

Test(spool_power, full_disk)
{
	bed_open();
	radius_spool_set_client(spool, NULL);
	bed_put(1, RADIUS_START);
	bed_put(1, RADIUS_INTERIM);
	bed_until(bed_all_saved, "saved");
	power_vfs_set_quota(power_vfs_used());
	for (uint64_t session = 1; session <= 300; session++)
		bed_put_for(session, RADIUS_STOP, bed_saved, NULL);
	bed_put(1, RADIUS_INTERIM);
	bed_until(bed_disk_failed, "noticed");
	bed_serve();
	cr_expect_eq(bed_failed, 300, "%u durable, %u failed", bed_durable, bed_failed);
	cr_expect_eq(bed_info().disk_error, ENOSPC);
	cr_expect_eq(bed_info().waiting, 302);
	cr_expect_eq(bed_info().unsaved, 301);
	bed_pass(FAKE_SEC(30));
	cr_expect_eq(lines_with("cannot be saved"), 1, "%s", fake.log);
	/* New ones are told at once, in a later turn, and go to the servers from memory. */
	bed_put_for(301, RADIUS_STOP, bed_saved, NULL);
	cr_expect_eq(bed_failed, 300);
	bed_serve();
	cr_expect_eq(bed_failed, 301);
	radius_spool_set_client(spool, client);
	bed_until(bed_all_sent, "sent from memory");
	cr_expect_eq(bed_info().sent, 303);
	/* Room again: it is noticed, and nothing comes back that was sent. */
	radius_spool_set_client(spool, NULL);
	for (uint64_t session = 400; session < 500; session++)
		bed_put(session, RADIUS_STOP);
	power_vfs_set_quota(0);
	bed_pass(FAKE_SEC(6));
	bed_until(bed_disk_works, "recovered");
	cr_expect_eq(lines_with("saved again"), 1, "%s", fake.log);
	cr_expect_str_eq(fake.events, "disk fails: No space left on device\ndisk works\n");
	bed_close();
	bed_open();
	cr_expect_eq(bed_info().waiting, 100);
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_info().sent, 100);
}

Test(spool_power, flush_tries_the_disk)
{
	bed_open();
	radius_spool_set_client(spool, NULL);
	power_vfs_set_quota(1);
	bed_put(1, RADIUS_STOP);
	bed_until(bed_disk_failed, "noticed");
	power_vfs_set_quota(0);
	radius_spool_flush(spool);
	bed_until(bed_disk_works, "recovered without the clock going on");
}

Test(spool_power, full_disk_and_full_memory)
{
	bed_open_with(&(struct radius_spool_config){ .path = bed_path, .max_memory = 10000 });
	bed_until(bed_is_loaded, "loaded");
	radius_spool_set_client(spool, NULL);
	power_vfs_set_quota(1);
	bed_put(1, RADIUS_STOP);
	bed_until(bed_disk_failed, "noticed");
	for (uint64_t session = 1; session <= 200; session++) {
		bed_put(session, RADIUS_START);
		bed_put(session, RADIUS_INTERIM);
		bed_serve();
	}
	cr_expect_lt(bed_info().memory, 10200);
	cr_expect_gt(bed_info().shed, 200);
	cr_expect_eq(bed_count(0, RADIUS_INTERIM), 1, "%u", bed_count(0, RADIUS_INTERIM));
	for (uint64_t session = 1; session <= 200; session++) {
		cr_assert_eq(bed_put(session, RADIUS_STOP), 0);
		bed_serve();
	}
	cr_expect_eq(bed_count(0, RADIUS_STOP), 201);
	cr_expect_eq(bed_put(2000, RADIUS_START), -ENOBUFS);
	power_vfs_set_quota(0);
	radius_spool_flush(spool);
	bed_until(bed_disk_works, "recovered");
	bed_close();
	bed_open();
	cr_expect_eq(bed_count(0, RADIUS_STOP), 201);
}

/* Unsaved records get their last chance when the spool ends. */
Test(spool_power, ends_with_a_full_disk)
{
	bed_open();
	radius_spool_set_client(spool, NULL);
	power_vfs_set_quota(1);
	bed_put(1, RADIUS_STOP);
	bed_until(bed_disk_failed, "noticed");
	bed_put(2, RADIUS_STOP);
	power_vfs_set_quota(0);
	bed_close();
	bed_open();
	cr_expect_eq(bed_info().waiting, 2);
	power_vfs_set_quota(1);
	bed_put(3, RADIUS_STOP);
	bed_close();
	cr_expect(strstr(fake.log, "1 records could not be saved and are lost"), "%s", fake.log);
}

/* The journal is used again and again, and the file does not keep what it once needed. */
Test(spool_power, gives_space_back)
{
	static const uint8_t attrs[500];
	struct spool_table *table;
	size_t most = 0, data = 0, least;

	cr_assert_eq(spool_table_open(bed_path, &table), 0);
	for (uint64_t id = 1; id <= 30000; id++) {
		if (id % 100 == 1)
			cr_assert_eq(spool_table_begin(table), 0);
		cr_assert_eq(spool_table_insert(
				     table, &(struct spool_row){ .id = id }, attrs, sizeof(attrs)),
			0);
		data += sizeof(attrs);
		if (id % 100 == 0)
			cr_assert_eq(spool_table_commit(table), 0);
		if (power_vfs_used() > data + most)
			most = power_vfs_used() - data;
	}
	cr_expect_lt(most, 10 << 20, "the journal grew: %zu", most);
	cr_assert_eq(spool_table_begin(table), 0);
	for (uint64_t id = 1; id <= 30000; id++)
		cr_assert_eq(spool_table_delete(table, id), 0);
	cr_assert_eq(spool_table_commit(table), 0);
	while (spool_table_tidy(table) > 0)
		;
	spool_table_recover(table);
	least = power_vfs_used();
	spool_table_close(table);
	cr_expect_lt(least, 5 << 20, "%zu", least);
}

/* ---- kill -9 ---- */

struct report {
	uint32_t session;
	bool is_sent;
};

static int report_fd;

static void report(uint32_t session, bool is_sent)
{
	struct report what = { session, is_sent };

	if (write(report_fd, &what, sizeof(what)) != sizeof(what))
		_exit(1);
}

static void report_durable(void *ctx, int err)
{
	if (!err)
		report((uint32_t)(uintptr_t)ctx, false);
}

static bool report_and_answer(const struct bed_packet *packet)
{
	report((uint32_t)packet->session, true);
	return true;
}

/* Puts and sends until it is killed. */
static void child(void)
{
	bed_answers = report_and_answer;
	bed_open();
	for (uintptr_t session = 1; session < BED_SEEN; session++) {
		bed_put_for(session, RADIUS_STOP, report_durable, (void *)session);
		if (session % 8 == 0)
			bed_serve();
	}
	_exit(0);
}

Test(spool_disk, kill_9)
{
	static unsigned int durable[BED_SEEN], sent[BED_SEEN];
	struct report what;
	int fds[2], count = 0, status;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		report_fd = fds[1];
		child();
	}
	close(fds[1]);
	while (read(fds[0], &what, sizeof(what)) == sizeof(what)) {
		(what.is_sent ? sent : durable)[what.session]++;
		if (++count == 60)
			kill(pid, SIGKILL);
	}
	close(fds[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	bed_open();
	for (uint64_t session = 1; session < BED_SEEN; session++)
		if (durable[session] && !sent[session])
			cr_expect(is_kept(session), "session %llu", (unsigned long long)session);
}

/* ---- damage ---- */

static void fill(unsigned int count)
{
	bed_open();
	radius_spool_set_client(spool, NULL);
	for (uint64_t session = 1; session <= count; session++)
		bed_put(session, RADIUS_STOP);
	bed_until(bed_all_saved, "saved");
	bed_close();
}

static void overwrite(off_t at, size_t len)
{
	static const uint8_t garbage[8192] = { [0 ... 8191] = 0xa5 };
	int fd = open(bed_path, O_WRONLY | O_CLOEXEC);

	cr_assert(fd >= 0);
	cr_assert_eq(pwrite(fd, garbage, len, at), (ssize_t)len);
	close(fd);
}

Test(spool_disk, a_file_that_is_no_database_is_moved_aside)
{
	fill(10);
	overwrite(0, 4096);
	bed_open();
	cr_expect_eq(bed_info().waiting, 0);
	cr_expect(strstr(fake.log, "damaged and moved to "), "%s", fake.log);
	bed_put(1, RADIUS_STOP);
	bed_until(bed_all_sent, "sent");
}

Test(spool_disk, what_can_be_read_of_a_damaged_file_is_kept)
{
	unsigned int waiting;

	fill(2000);
	overwrite((off_t)4096 * 30, 4096);
	bed_open();
	bed_serve();
	waiting = bed_info().waiting + (unsigned int)bed_info().sent;
	cr_expect_gt(waiting, 1900, "%u of 2000: %s", waiting, fake.log);
	cr_expect_lt(waiting, 2000);
	cr_expect(strstr(fake.log, "damaged and moved to "), "%s", fake.log);
	bed_until(bed_all_sent, "sent");
}

static void run_sql(const char *sql)
{
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(bed_path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static int ask_sql(const char *sql)
{
	sqlite3_stmt *statement;
	sqlite3 *db;
	int value;

	cr_assert_eq(sqlite3_open(bed_path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

Test(spool_disk, records_that_cannot_be_read_are_set_aside)
{
	fill(10);
	run_sql("UPDATE record SET attrs = x'01ff' WHERE id = 3");
	run_sql("UPDATE record SET attrs = zeroblob(5000) WHERE id = 4");
	run_sql("UPDATE record SET kind = 99 WHERE id = 5");
	run_sql("UPDATE record SET session = 0 WHERE id = 6");
	run_sql("UPDATE record SET attrs = 'text' WHERE id = 7");
	run_sql("UPDATE record SET attrs = x'' WHERE id = 8");
	bed_open();
	bed_until(bed_all_sent, "sent");
	bed_serve();
	cr_expect_eq(bed_info().unreadable, 6);
	cr_expect_eq(bed_seen_count, 4);
	cr_expect_not(bed_info().is_paused);
	cr_expect_eq(lines_with("of the spool cannot be read"), 1, "%s", fake.log);
	bed_close();
	cr_expect_eq(ask_sql("SELECT count(*) FROM unreadable"), 6);
	cr_expect_eq(ask_sql("SELECT count(*) FROM record"), 0);
}

/* ---- many, and who may read them ---- */

Test(spool_disk, nobody_else_may_read_it)
{
	char wal[160];
	struct stat st;
	int fd;

	umask(0);
	fd = open(bed_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	close(fd);
	bed_open();
	bed_put(1, RADIUS_STOP);
	bed_until(bed_all_sent, "sent");
	snprintf(wal, sizeof(wal), "%s-wal", bed_path);
	cr_assert_eq(stat(bed_path, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	cr_assert_eq(stat(wal, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
}

Test(spool_disk, one_process_at_a_time)
{
	struct radius_spool *other = NULL;
	int status;
	pid_t pid;

	bed_open();
	pid = fork();
	if (pid == 0)
		_exit(-radius_spool_new(&fake.host,
			&(struct radius_spool_config){ .path = bed_path }, NULL, &other));
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	cr_expect_eq(WEXITSTATUS(status), EBUSY);
}

Test(spool_disk, a_link_is_not_followed)
{
	cr_assert_eq(symlink("/tmp/elsewhere", bed_path), 0);
	cr_expect_eq(radius_spool_new(&fake.host, &(struct radius_spool_config){ .path = bed_path },
			     NULL, &spool),
		-ELOOP);
}

/* Memory is for what is being worked on: attributes of what waits long are on disk. */
Test(spool_disk, attributes_of_many_stay_on_disk)
{
	struct radius_attrs *attrs = radius_attrs_new();
	uint8_t class[200] = { 1 };

	for (int i = 0; i < 3; i++)
		radius_add_octets(attrs, RADIUS_CLASS, class, sizeof(class));
	radius_add_string(attrs, RADIUS_ACCT_SESSION_ID, 0, "00000000000000ff");
	bed_open();
	radius_spool_set_client(spool, NULL);
	for (uint64_t session = 1; session <= 20000; session++) {
		radius_spool_put(spool, session, RADIUS_STOP, attrs, fake.wallclock, NULL, NULL);
		if (session % 500 == 0)
			bed_until(bed_all_saved, "saved");
	}
	radius_attrs_free(attrs);
	cr_expect_leq(bed_info().memory, (8 << 20) + 4096, "%zu", bed_info().memory);
	radius_spool_set_client(spool, client);
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_info().memory, 0);
}

Test(spool_disk, loads_many_in_parts_and_takes_new_ones_meanwhile)
{
	fill(3000);
	bed_open_with(&(struct radius_spool_config){ .path = bed_path });
	cr_expect(bed_info().is_loading);
	for (uint64_t session = 1; session <= 100; session++)
		bed_put(session, RADIUS_STOP);
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_info().sent, 3100);
	cr_expect_eq(bed_seen_count, 3100);
	cr_expect(strstr(fake.log, "of an earlier run"), "%s", fake.log);
}
