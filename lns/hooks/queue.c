// SPDX-License-Identifier: BSD-2-Clause
/*
 * hooks/queue: see hooks/queue.h.
 *
 * The rate is kept by the time at which the next start would be due if starts were evenly spaced; as
 * many as may run at a time may be ahead of it.
 */
#include "lns/hooks/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define SECOND UINT64_C(1000000)

struct item {
	TAILQ_ENTRY(item) entry;
	struct hooks_event event;
};

struct hooks_queue {
	TAILQ_HEAD(, item) items;
	unsigned int waiting, running;
	unsigned int room, parallel;
	uint64_t interval;                 /* between two starts */
	uint64_t due;                      /* of the next start */
	uint64_t busy[HOOKS_PARALLEL_MAX]; /* sessions; the first `running` of them */
};

struct hooks_queue *hooks_queue_new(void)
{
	struct hooks_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	TAILQ_INIT(&queue->items);
	queue->parallel = 1;
	queue->interval = SECOND;
	return queue;
}

void hooks_queue_free(struct hooks_queue *queue)
{
	struct item *item;

	if (!queue)
		return;
	while ((item = TAILQ_FIRST(&queue->items))) {
		TAILQ_REMOVE(&queue->items, item, entry);
		free(item);
	}
	free(queue);
}

void hooks_queue_configure(struct hooks_queue *queue, const struct hooks_config *config)
{
	queue->room = config->queue;
	queue->parallel = config->parallel;
	queue->interval = SECOND / config->rate;
	queue->due = 0;
}

void hooks_queue_hurry(struct hooks_queue *queue)
{
	queue->interval = 0;
	queue->due = 0;
}

int hooks_queue_put(struct hooks_queue *queue, const struct hooks_event *event)
{
	struct item *item;

	if (queue->waiting >= queue->room)
		return -ENOSPC;
	item = malloc(sizeof(*item));
	if (!item)
		return -ENOMEM;
	item->event = *event;
	TAILQ_INSERT_TAIL(&queue->items, item, entry);
	queue->waiting++;
	return 0;
}

static bool is_busy(const struct hooks_queue *queue, uint64_t session)
{
	for (unsigned int i = 0; i < queue->running; i++)
		if (queue->busy[i] == session)
			return true;
	return false;
}

static void take_out(struct hooks_queue *queue, struct item *item, struct hooks_event *ret_event)
{
	TAILQ_REMOVE(&queue->items, item, entry);
	queue->waiting--;
	*ret_event = item->event;
	free(item);
}

bool hooks_queue_take(
	struct hooks_queue *queue, uint64_t now, struct hooks_event *ret_event, uint64_t *ret_wait)
{
	uint64_t ahead = queue->interval * (queue->parallel - 1);
	struct item *item;

	*ret_wait = UINT64_MAX;
	if (queue->running >= queue->parallel)
		return false;
	TAILQ_FOREACH(item, &queue->items, entry)
		if (!is_busy(queue, item->event.session))
			break;
	if (!item)
		return false;
	if (queue->due > now + ahead) {
		*ret_wait = queue->due - ahead - now;
		return false;
	}
	queue->due = (queue->due > now ? queue->due : now) + queue->interval;
	queue->busy[queue->running++] = item->event.session;
	take_out(queue, item, ret_event);
	return true;
}

void hooks_queue_done(struct hooks_queue *queue, uint64_t session)
{
	for (unsigned int i = 0; i < queue->running; i++) {
		if (queue->busy[i] != session)
			continue;
		queue->busy[i] = queue->busy[--queue->running];
		return;
	}
}

bool hooks_queue_drop(struct hooks_queue *queue, struct hooks_event *ret_event)
{
	struct item *item = TAILQ_FIRST(&queue->items);

	if (item)
		take_out(queue, item, ret_event);
	return item != NULL;
}

unsigned int hooks_queue_waiting(const struct hooks_queue *queue)
{
	return queue->waiting;
}

unsigned int hooks_queue_running(const struct hooks_queue *queue)
{
	return queue->running;
}
