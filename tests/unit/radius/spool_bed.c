/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_bed: see spool_bed.h.
 */
#include "tests/unit/radius/spool_bed.h"

#include "tests/unit/radius/power_vfs.h"

#include "radius/attr_codes.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 10 /* seconds of real time */

struct radius_spool *spool;
char bed_dir[64], bed_path[128];
unsigned int bed_durable, bed_failed, bed_seen_count;
struct bed_packet bed_seen[BED_SEEN];
bool (*bed_answers)(const struct bed_packet *packet);
bool (*bed_is_alive)(uint64_t session);

void bed_setup(void)
{
	int space = 4 << 20;

	one_setup();
	one_remake((struct radius_client_config){ .timeout = FAKE_SEC(1), .tries = 1 },
		RADIUS_MA_AUTO);
	/* Room for all that is in flight; beyond the system's limit for root only. */
	if (setsockopt(server.fd, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof(space)))
		(void)setsockopt(server.fd, SOL_SOCKET, SO_RCVBUF, &space, sizeof(space));
	snprintf(bed_dir, sizeof(bed_dir), "/tmp/spool-XXXXXX");
	cr_assert(mkdtemp(bed_dir));
	snprintf(bed_path, sizeof(bed_path), "%s/accounting.db", bed_dir);
}

static void remove_dir(void)
{
	DIR *dir = opendir(bed_dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	(void)rmdir(bed_dir);
}

void bed_teardown(void)
{
	bed_close();
	bed_is_alive = NULL;
	one_teardown();
	remove_dir();
}

void bed_power_setup(void)
{
	bed_setup();
	power_vfs_install();
}

void bed_power_teardown(void)
{
	bed_close();
	power_vfs_remove();
	bed_teardown();
}

static bool is_alive(void *ctx, uint64_t session)
{
	cr_assert_null(ctx);
	return !bed_is_alive || bed_is_alive(session);
}

int bed_try(const struct radius_spool_config *config)
{
	struct radius_spool_config copy = *config;

	copy.is_alive = is_alive;
	return radius_spool_new(&fake.host, &copy, client, &spool);
}

void bed_open_with(const struct radius_spool_config *config)
{
	cr_assert_eq(bed_try(config), 0);
}

void bed_open(void)
{
	bed_open_with(&(struct radius_spool_config){ .path = bed_path });
	bed_until(bed_is_loaded, "loaded");
}

void bed_close(void)
{
	radius_spool_free(spool);
	spool = NULL;
}

static struct radius_attrs *attrs_of(uint64_t session)
{
	struct radius_attrs *attrs = radius_attrs_new();
	char text[32];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long)session);
	radius_add_string(attrs, RADIUS_ACCT_SESSION_ID, 0, text);
	radius_add_string(attrs, RADIUS_USER_NAME, 0, "alice@example.net");
	radius_add_string(attrs, RADIUS_NAS_IDENTIFIER, 0, "lns1.example.net");
	return attrs;
}

int bed_put_for(
	uint64_t session, enum radius_record_kind kind, void (*durable)(void *, int), void *ctx)
{
	struct radius_attrs *attrs = attrs_of(session);
	int err;

	err = radius_spool_put(spool, session, kind, attrs, fake.wallclock, durable, ctx);
	radius_attrs_free(attrs);
	return err;
}

void bed_checkpoint(uint64_t session, uint32_t lasted, uint32_t input)
{
	struct radius_attrs *fixed = attrs_of(session), *attrs = radius_attrs_new();
	uint8_t octets[512];
	int len = radius_attrs_encode(fixed, octets, sizeof(octets));

	radius_add_u32(attrs, RADIUS_ACCT_SESSION_TIME, 0, lasted);
	radius_add_u32(attrs, RADIUS_ACCT_INPUT_OCTETS, 0, input);
	cr_assert_eq(radius_spool_checkpoint(spool, &(struct radius_checkpoint){ .session = session,
							    .event_time = fake.wallclock,
							    .fixed = octets,
							    .fixed_len = (size_t)len,
							    .attrs = attrs }),
		0);
	radius_attrs_free(attrs);
	radius_attrs_free(fixed);
}

int bed_put(uint64_t session, enum radius_record_kind kind)
{
	return bed_put_for(session, kind, NULL, NULL);
}

void bed_saved(void *ctx, int err)
{
	(void)ctx;
	if (err)
		bed_failed++;
	else
		bed_durable++;
}

struct radius_spool_info bed_info(void)
{
	struct radius_spool_info info;

	radius_spool_info(spool, &info);
	return info;
}

/* ---- the server ---- */

static void look_at_packet(const struct fake_packet *packet)
{
	struct bed_packet *seen = &bed_seen[bed_seen_count];
	char text[17] = "";
	size_t len;
	const uint8_t *session = fake_packet_find(packet, RADIUS_ACCT_SESSION_ID, &len);

	if (packet->octets[0] != RADIUS_ACCOUNTING_REQUEST)
		return; /* Status-Server: no answer */
	cr_assert(session && len == 16);
	memcpy(text, session, 16);
	*seen = (struct bed_packet){ 0 };
	seen->session = strtoull(text, NULL, 16);
	seen->kind = fake_packet_u32(packet, RADIUS_ACCT_STATUS_TYPE);
	seen->time = fake_packet_u32(packet, RADIUS_EVENT_TIMESTAMP);
	if (seen->kind == RADIUS_STOP && fake_packet_find(packet, RADIUS_ACCT_SESSION_TIME, &len)) {
		seen->lasted = fake_packet_u32(packet, RADIUS_ACCT_SESSION_TIME);
		seen->input = fake_packet_u32(packet, RADIUS_ACCT_INPUT_OCTETS);
		seen->cause = fake_packet_u32(packet, RADIUS_ACCT_TERMINATE_CAUSE);
		seen->is_named = fake_packet_find(packet, RADIUS_USER_NAME, &len) != NULL;
	}
	if (bed_seen_count < BED_SEEN - 1)
		bed_seen_count++;
	if (!bed_answers || bed_answers(seen))
		fake_server_answer(&server, packet, RADIUS_ACCOUNTING_RESPONSE);
}

static bool turn(void)
{
	struct fake_packet packet;
	bool is_busy = false;

	fake_advance(&fake, 0);
	while (fake_server_take(&server, &packet)) {
		look_at_packet(&packet);
		is_busy = true;
	}
	return is_busy;
}

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
}

/* The thread's answer may take its time: nothing has to come for a while, but not while it saves. */
void bed_serve(void)
{
	int quiet = 0;

	for (int i = 0; i < 50000 && quiet < 25; i++) {
		quiet = turn() || !bed_all_saved() ? 0 : quiet + 1;
		pause_a_little();
	}
}

void bed_until(bool (*holds)(void), const char *what)
{
	time_t until = time(NULL) + PATIENCE;

	while (!holds()) {
		(void)turn();
		cr_assert(time(NULL) <= until, "never: %s", what);
		pause_a_little();
	}
}

void bed_pass(uint64_t delay)
{
	bed_serve();
	for (uint64_t at = 0; at < delay; at += FAKE_MS(250)) {
		while (turn())
			;
		pause_a_little();
		(void)turn();
		fake_advance(&fake, FAKE_MS(250));
	}
	bed_serve();
}

/* ---- conditions ---- */

static bool look_if_saved(void *ctx, const struct radius_spool_entry *entry)
{
	*(bool *)ctx &= entry->is_saved;
	return entry->is_saved;
}

bool bed_all_saved(void)
{
	struct radius_spool_info info = bed_info();
	bool is_saved = true;

	if (info.disk_error)
		return true; /* nothing is on its way */
	radius_spool_each(spool, NULL, look_if_saved, &is_saved);
	return is_saved;
}

bool bed_all_sent(void)
{
	return bed_info().waiting == 0 && !bed_info().is_loading;
}

bool bed_is_loaded(void)
{
	return !bed_info().is_loading;
}

bool bed_disk_failed(void)
{
	return bed_info().disk_error != 0;
}

bool bed_disk_works(void)
{
	return bed_info().disk_error == 0 && bed_info().unsaved == 0 && bed_all_saved();
}

struct count {
	uint64_t session;
	unsigned int kind, count;
};

static bool count_one(void *ctx, const struct radius_spool_entry *entry)
{
	struct count *count = ctx;

	count->count += (!count->session || entry->session == count->session) &&
			(!count->kind || entry->kind == count->kind);
	return true;
}

unsigned int bed_count(uint64_t session, unsigned int kind)
{
	struct count count = { session, kind, 0 };

	cr_assert(radius_spool_each(spool, NULL, count_one, &count));
	return count.count;
}
