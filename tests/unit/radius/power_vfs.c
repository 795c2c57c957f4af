/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * power_vfs: see power_vfs.h. A file has two images, what a reader sees and what is on the platter, and
 * the writes between them in order. Only exclusive WAL databases work: there is no shared memory.
 *
 * The spool has one thread at a time in its database; what the test changes meanwhile is atomic.
 */
#include "tests/unit/radius/power_vfs.h"

#include "tests/unit/short_memory.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILES  16
#define SECTOR 512

struct image {
	uint8_t *octets;
	size_t len, room;
};

/* A write, or, without octets, a truncation. */
struct change {
	struct change *next;
	size_t at, len;
	uint8_t *octets;
};

struct disk_file {
	char name[256];
	bool exists;
	struct image seen, kept;
	struct change *changes, **changes_end;
};

struct open_file {
	sqlite3_file base;
	struct disk_file *file;
};

static struct disk_file files[FILES];
static sqlite3_vfs *real;
static atomic_bool is_cut, is_lying;
static atomic_size_t quota;
static atomic_uint slow_ms, syncs;

static void image_resize(struct image *image, size_t len)
{
	if (len > image->room) {
		image->room = 2 * len;
		short_memory_spare(true);
		image->octets = realloc(image->octets, image->room);
		short_memory_spare(false);
		cr_assert(image->octets);
	}
	if (len > image->len)
		memset(image->octets + image->len, 0, len - image->len);
	image->len = len;
}

static void image_write(struct image *image, size_t at, const uint8_t *octets, size_t len)
{
	if (at + len > image->len)
		image_resize(image, at + len);
	memcpy(image->octets + at, octets, len);
}

static void note_change(struct disk_file *file, size_t at, const void *octets, size_t len)
{
	struct change *change;

	short_memory_spare(true);
	change = calloc(1, sizeof(*change));
	cr_assert(change);
	change->at = at;
	change->len = len;
	if (octets) {
		change->octets = malloc(len);
		cr_assert(change->octets);
		memcpy(change->octets, octets, len);
	}
	short_memory_spare(false);
	*file->changes_end = change;
	file->changes_end = &change->next;
}

static void forget_changes(struct disk_file *file)
{
	struct change *change;

	while ((change = file->changes)) {
		file->changes = change->next;
		free(change->octets);
		free(change);
	}
	file->changes_end = &file->changes;
}

static void image_copy(struct image *to, const struct image *from)
{
	image_resize(to, from->len);
	if (from->len)
		memcpy(to->octets, from->octets, from->len);
}

/* ---- files ---- */

static struct disk_file *file_of(sqlite3_file *base)
{
	return ((struct open_file *)base)->file;
}

static int file_close(sqlite3_file *base)
{
	(void)base;
	return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *octets, int len, sqlite3_int64 at)
{
	const struct image *image = &file_of(base)->seen;
	size_t have = (size_t)at >= image->len ? 0 : image->len - (size_t)at;

	if (is_cut)
		return SQLITE_IOERR_READ;
	if (have > (size_t)len)
		have = (size_t)len;
	memset(octets, 0, (size_t)len);
	if (have)
		memcpy(octets, image->octets + at, have);
	return have < (size_t)len ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

size_t power_vfs_used(void)
{
	size_t used = 0;

	for (int i = 0; i < FILES; i++)
		used += files[i].exists ? files[i].seen.len : 0;
	return used;
}

static int file_write(sqlite3_file *base, const void *octets, int len, sqlite3_int64 at)
{
	struct disk_file *file = file_of(base);
	size_t end = (size_t)at + (size_t)len;

	if (is_cut)
		return SQLITE_IOERR_WRITE;
	if (quota && end > file->seen.len && power_vfs_used() + end - file->seen.len > quota)
		return SQLITE_FULL;
	image_write(&file->seen, (size_t)at, octets, (size_t)len);
	note_change(file, (size_t)at, octets, (size_t)len);
	return SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 len)
{
	if (is_cut)
		return SQLITE_IOERR_TRUNCATE;
	image_resize(&file_of(base)->seen, (size_t)len);
	note_change(file_of(base), (size_t)len, NULL, 0);
	return SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags)
{
	struct disk_file *file = file_of(base);
	struct timespec wait = { .tv_nsec = 1000000L * slow_ms };

	(void)flags;
	if (wait.tv_nsec)
		nanosleep(&wait, NULL);
	if (is_cut)
		return SQLITE_IOERR_FSYNC;
	syncs++;
	if (is_lying)
		return SQLITE_OK;
	for (const struct change *change = file->changes; change; change = change->next)
		if (change->octets)
			image_write(&file->kept, change->at, change->octets, change->len);
		else
			image_resize(&file->kept, change->at);
	forget_changes(file);
	return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret_len)
{
	*ret_len = (sqlite3_int64)file_of(base)->seen.len;
	return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level)
{
	(void)base, (void)level;
	return SQLITE_OK;
}

static int file_check_lock(sqlite3_file *base, int *ret_is_locked)
{
	(void)base;
	*ret_is_locked = 0;
	return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int what, void *arg)
{
	(void)base, (void)what, (void)arg;
	return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base)
{
	(void)base;
	return SECTOR;
}

static int file_device(sqlite3_file *base)
{
	(void)base;
	return 0; /* nothing is promised: no atomic writes, no order */
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_lock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_device,
};

/* ---- the disk ---- */

static struct disk_file *disk_find(const char *name)
{
	for (int i = 0; i < FILES; i++)
		if (files[i].exists && strcmp(files[i].name, name) == 0)
			return &files[i];
	return NULL;
}

static int disk_open(
	sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags)
{
	struct disk_file *file = name ? disk_find(name) : NULL;

	(void)vfs;
	base->pMethods = NULL;
	if (is_cut)
		return SQLITE_CANTOPEN;
	for (int i = 0; !file && i < FILES; i++) {
		if (files[i].exists)
			continue;
		file = &files[i];
		file->exists = true;
		file->changes_end = &file->changes;
		snprintf(file->name, sizeof(file->name), "%s", name ? name : "");
	}
	cr_assert(file, "too many files");
	((struct open_file *)base)->file = file;
	base->pMethods = &methods;
	if (ret_flags)
		*ret_flags = flags;
	return SQLITE_OK;
}

static void file_forget(struct disk_file *file)
{
	forget_changes(file);
	free(file->seen.octets);
	free(file->kept.octets);
	memset(file, 0, sizeof(*file));
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	struct disk_file *file = disk_find(name);

	(void)vfs, (void)sync_dir;
	if (is_cut)
		return SQLITE_IOERR_DELETE;
	if (file)
		file_forget(file);
	return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_exists)
{
	const struct disk_file *file = disk_find(name);

	(void)vfs;
	*ret_exists = file && (flags != SQLITE_ACCESS_EXISTS || file->seen.len > 0);
	return SQLITE_OK;
}

static int disk_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	return snprintf(out, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int disk_random(sqlite3_vfs *vfs, int len, char *out)
{
	(void)vfs;
	return real->xRandomness(real, len, out);
}

static int disk_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return real->xSleep(real, us);
}

static int disk_time(sqlite3_vfs *vfs, double *ret_time)
{
	(void)vfs;
	return real->xCurrentTime(real, ret_time);
}

static int disk_last_error(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs, (void)size, (void)out;
	return 0;
}

static sqlite3_vfs disk = {
	.iVersion = 1,
	.szOsFile = sizeof(struct open_file),
	.mxPathname = 255,
	.zName = "power",
	.xOpen = disk_open,
	.xDelete = disk_delete,
	.xAccess = disk_access,
	.xFullPathname = disk_full_name,
	.xRandomness = disk_random,
	.xSleep = disk_sleep,
	.xCurrentTime = disk_time,
	.xGetLastError = disk_last_error,
};

void power_vfs_install(void)
{
	real = sqlite3_vfs_find(NULL);
	cr_assert_eq(sqlite3_vfs_register(&disk, 1), SQLITE_OK);
}

void power_vfs_remove(void)
{
	sqlite3_vfs_unregister(&disk);
	sqlite3_vfs_register(real, 1);
	for (int i = 0; i < FILES; i++)
		if (files[i].exists)
			file_forget(&files[i]);
	is_cut = is_lying = false;
	quota = 0;
	slow_ms = 0;
}

void power_vfs_cut(void)
{
	is_cut = true;
}

/* A change that was under way: each of its sectors came to rest, or not. */
static void replay(struct image *kept, const struct change *change, unsigned int *seed)
{
	if (!change->octets) {
		if (rand_r(seed) % 2)
			image_resize(kept, change->at);
		return;
	}
	for (size_t done = 0; done < change->len;) {
		size_t len = SECTOR - (change->at + done) % SECTOR;

		if (len > change->len - done)
			len = change->len - done;
		if (rand_r(seed) % 2)
			image_write(kept, change->at + done, change->octets + done, len);
		done += len;
	}
}

void power_vfs_restore(unsigned int seed)
{
	for (int i = 0; i < FILES; i++) {
		struct disk_file *file = &files[i];

		if (!file->exists)
			continue;
		for (const struct change *change = file->changes; change; change = change->next)
			replay(&file->kept, change, &seed);
		image_copy(&file->seen, &file->kept);
		forget_changes(file);
	}
	is_cut = false;
}

void power_vfs_set_quota(size_t octets)
{
	quota = octets;
}

void power_vfs_set_lying(bool lying)
{
	is_lying = lying;
}

void power_vfs_set_slow(unsigned int ms)
{
	slow_ms = ms;
}

unsigned int power_vfs_syncs(void)
{
	return syncs;
}
