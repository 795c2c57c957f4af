// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/ktrace: `lnsctl kernel trace on|off|show`: the kernel's own tracepoints of L2TP. The monitor
 * switches them and opens what they recorded, the kernel thread reads it, and here its lines become items.
 */
#include "lns/engine/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX (8 << 20) /* octets that are shown, the oldest */

/* One request. Owned by the engine from open to close. */
struct engine_ktrace {
	LIST_ENTRY(engine_ktrace) entry;
	struct engine *engine;
	struct control_feed *feed;
	enum monitor_open what;
	bool asked; /* the monitor, which has not answered yet */
	struct kernel_job *job;
	char *text, *rest; /* rest: what is still to be shown */
};

static void ktrace_free(struct engine_ktrace *ktrace)
{
	LIST_REMOVE(ktrace, entry);
	kernel_cancel(ktrace->job);
	free(ktrace->text);
	free(ktrace);
}

static void end(struct engine_ktrace *ktrace, int err)
{
	control_feed_end(ktrace->feed,
		err == 0 ? NULL
		: err == -EOPNOTSUPP
			? "not possible: this kernel has no tracing (CONFIG_FTRACE, mounted at "
			  "/sys/kernel/tracing), or no tracepoints of L2TP (module l2tp_core)"
		: err == -ENODATA ? "tracing is off; lnsctl kernel trace on"
				  : strerror(-err));
	ktrace_free(ktrace);
}

/* ---- what was recorded ---- */

/*
 * "            pppd-1234    [001] d..1.   123.456789: delete_session: ..." as an item; NULL: no event. Task
 * names may have blanks and hyphens in them, so the line is read from its brackets on.
 */
static json_t *event_item(char *line)
{
	char *cpu = strstr(line, " ["), *event, *text, *task = line + strspn(line, " "), *end;
	unsigned int number;
	char time[32];
	int used = 0;

	if (*line == '#' || !cpu ||
		sscanf(cpu, " [%u] %*s %31[0-9.]: %n", &number, time, &used) < 2 || !used)
		return NULL;
	event = cpu + used;
	text = strstr(event, ": ");
	if (!text)
		return NULL;
	*text = '\0';
	for (end = cpu; end > task && end[-1] == ' ';)
		end--;
	*end = '\0';
	return json_pack("{s:s, s:i, s:s, s:s, s:s}", "time", time, "cpu", (int)number, "task",
		task, "event", event, "text", text + 2);
}

static json_t *next_item(void *ctx, struct control_feed *feed)
{
	struct engine_ktrace *ktrace = control_feed_user(feed);
	char *line = strsep(&ktrace->rest, "\n");
	json_t *item;

	(void)ctx;
	if (!line)
		return NULL;
	item = event_item(line);
	return item ? item : json_null();
}

static void text_read(void *ctx, int err, int fd)
{
	struct engine_ktrace *ktrace = ctx;

	(void)fd;
	ktrace->job = NULL;
	if (err) {
		end(ktrace, err);
		return;
	}
	ktrace->rest = ktrace->text;
	control_feed_supply(ktrace->feed, next_item);
}

/* ---- requests ---- */

static void answered(struct engine_ktrace *ktrace, int err, int fd)
{
	if (err == 0 && fd >= 0) {
		ktrace->job = kernel_text_read(
			ktrace->engine->kernel, fd, TEXT_MAX, &ktrace->text, text_read, ktrace);
		if (!ktrace->job)
			end(ktrace, -ENOMEM);
		return;
	}
	if (err == 0)
		control_feed_push(ktrace->feed,
			json_pack("{s:b}", "tracing", ktrace->what == MONITOR_OPEN_TRACE_ON));
	end(ktrace, err);
}

void engine_ktrace_opened(struct engine *engine, enum monitor_open what, int error, int fd)
{
	struct engine_ktrace *ktrace;

	LIST_FOREACH(ktrace, &engine->ktraces, entry)
		if (ktrace->asked && ktrace->what == what)
			break;
	if (!ktrace) {
		if (fd >= 0)
			close(fd);
		return;
	}
	ktrace->asked = false;
	answered(ktrace, error, fd);
}

static int ask_monitor(struct engine *engine, enum monitor_open what, struct control_feed *feed)
{
	struct engine_ktrace *ktrace = calloc(1, sizeof(*ktrace));
	int err;

	if (!ktrace)
		return -ENOMEM;
	err = monitor_client_open(engine->monitor, what);
	if (err) {
		free(ktrace);
		return err;
	}
	ktrace->engine = engine;
	ktrace->feed = feed;
	ktrace->what = what;
	ktrace->asked = true;
	LIST_INSERT_HEAD(&engine->ktraces, ktrace, entry);
	control_feed_set_user(feed, ktrace);
	control_feed_wait(feed);
	return 0;
}

int engine_ktrace_on(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	(void)args;
	(void)error;
	(void)size;
	return ask_monitor(ctx, MONITOR_OPEN_TRACE_ON, feed);
}

int engine_ktrace_off(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	(void)args;
	(void)error;
	(void)size;
	return ask_monitor(ctx, MONITOR_OPEN_TRACE_OFF, feed);
}

int engine_ktrace_show(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	(void)args;
	(void)error;
	(void)size;
	return ask_monitor(ctx, MONITOR_OPEN_TRACE_READ, feed);
}

void engine_ktrace_close(void *ctx, struct control_feed *feed)
{
	(void)ctx;
	ktrace_free(control_feed_user(feed));
}
