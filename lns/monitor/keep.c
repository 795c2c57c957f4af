/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/keep: a hash table of kept descriptors per kind. The table owns entries and descriptors.
 */
#include "lns/monitor/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BUCKETS 4096

struct kept {
	struct kept *next;
	uint64_t id;
	int fd;
};

struct monitor_keep_table {
	struct kept *buckets[MONITOR_KEEP_MAX][BUCKETS];
	unsigned int count;
};

struct monitor_keep_table *monitor_keep_new(void)
{
	return calloc(1, sizeof(struct monitor_keep_table));
}

void monitor_keep_free(struct monitor_keep_table *table)
{
	if (!table)
		return;
	for (unsigned int kind = 0; kind < MONITOR_KEEP_MAX; kind++) {
		for (unsigned int i = 0; i < BUCKETS; i++) {
			struct kept *next;

			for (struct kept *kept = table->buckets[kind][i]; kept; kept = next) {
				next = kept->next;
				close(kept->fd);
				free(kept);
			}
		}
	}
	free(table);
}

/* The place that points to the entry, or to NULL where it would be. */
static struct kept **keep_find(
	struct monitor_keep_table *table, enum monitor_kind kind, uint64_t id)
{
	struct kept **place =
		&table->buckets[kind][(id * UINT64_C(0x9e3779b97f4a7c15)) >> 52 & (BUCKETS - 1)];

	while (*place && (*place)->id != id)
		place = &(*place)->next;
	return place;
}

int monitor_keep_put(struct monitor_keep_table *table, enum monitor_kind kind, uint64_t id, int fd)
{
	struct kept **place = keep_find(table, kind, id);

	if (*place) {
		close((*place)->fd);
	} else {
		*place = calloc(1, sizeof(**place));
		if (!*place) {
			close(fd);
			return -ENOMEM;
		}
		table->count++;
	}
	(*place)->id = id;
	(*place)->fd = fd;
	return 0;
}

int monitor_keep_drop(struct monitor_keep_table *table, enum monitor_kind kind, uint64_t id)
{
	struct kept **place = keep_find(table, kind, id), *kept = *place;

	if (!kept)
		return -ENOENT;
	*place = kept->next;
	close(kept->fd);
	free(kept);
	table->count--;
	return 0;
}

unsigned int monitor_keep_count(const struct monitor_keep_table *table)
{
	return table->count;
}

int monitor_keep_each(const struct monitor_keep_table *table, unsigned int *place,
	int (*each)(void *ctx, enum monitor_kind kind, uint64_t id, int fd), void *ctx)
{
	while (*place < MONITOR_KEEP_MAX * BUCKETS) {
		enum monitor_kind kind = (enum monitor_kind)(*place / BUCKETS);
		const struct kept *kept = table->buckets[kind][*place % BUCKETS];
		int stop = 0;

		++*place;
		for (; kept; kept = kept->next) {
			int err = each(ctx, kind, kept->id, kept->fd);

			stop = stop ? stop : err;
		}
		if (stop)
			return stop;
	}
	return 0;
}
