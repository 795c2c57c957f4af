// SPDX-License-Identifier: BSD-2-Clause
/*
 * config/diff: what differs between two configurations, option by option as the schema has them. Sections
 * are the same when their titles are. Secrets are compared and never told.
 */
#include "lns/config/schema.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_LEN 256

struct diff {
	config_report_fn *report;
	void *ctx;
	int count;
};

static void report(struct diff *diff, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void report(struct diff *diff, const char *path, const char *format, ...)
{
	char what[600], line[PATH_MAX_LEN + sizeof(what) + 2];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(line, sizeof(line), "%s%s%s", path, *path ? ": " : "", what);
	diff->count++;
	diff->report(diff->ctx, line);
}

/* The option's value as it would stand in the file, "" when it is not set; allocated. */
static char *value_of(const struct config_option *option, const void *base)
{
	char *text = NULL, *value;
	size_t size, skip = strlen(option->name) + strlen(" = ");
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	config_value_print(option, base, "", out);
	if (fclose(out) || !text)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	value = strdup(strlen(text) > skip ? text + skip : "");
	free(text);
	return value;
}

static void diff_option(struct diff *diff, const char *path, const struct config_option *option,
	const void *old, const void *new)
{
	char *before, *after;

	if (option->type == CONFIG_SECRET) {
		const void *a = (const char *)old + option->field.offset;
		const void *b = (const char *)new + option->field.offset;

		if (memcmp(a, b, sizeof(struct l2tp_secret)) != 0)
			report(diff, path, "%s has changed", option->name);
		return;
	}
	before = value_of(option, old);
	after = value_of(option, new);
	if (before && after && strcmp(before, after) != 0)
		report(diff, path, "%s = %.250s (was %.250s)", option->name,
			*after ? after : "not set", *before ? before : "not set");
	free(before);
	free(after);
}

/* Sections of one kind inside of a section: how many, and where the first is. */
struct group {
	size_t count;
	const char *first;
};

static struct group group_of(const struct config_section_info *info, const void *base)
{
	const char *parent = base;
	struct group group = { 0, parent + info->offset };

	if (info->title) {
		memcpy(&group.count, parent + info->count_offset, sizeof(group.count));
		memcpy(&group.first, parent + info->offset, sizeof(group.first));
	} else {
		group.count = *(const bool *)(parent + info->count_offset);
	}
	return group;
}

static const char *find(enum config_section section, const struct group *group, const char *wanted)
{
	for (size_t i = 0; i < group->count; i++) {
		const char *at = group->first + i * config_sections[section].size;
		char title[CONFIG_TITLE];

		if (strcmp(config_section_title(section, at, title), wanted) == 0)
			return at;
	}
	return NULL;
}

static void diff_section(struct diff *diff, const char *path, enum config_section section,
	const void *old, const void *new);

static void diff_group(struct diff *diff, const char *path, enum config_section section,
	const void *old, const void *new)
{
	const struct config_section_info *info = &config_sections[section];
	struct group before = group_of(info, old), after = group_of(info, new);
	char title[CONFIG_TITLE], inner[PATH_MAX_LEN];

	for (size_t i = 0; i < before.count + after.count; i++) {
		bool is_old = i < before.count;
		const struct group *group = is_old ? &before : &after;
		const char *at = group->first + (is_old ? i : i - before.count) * info->size;
		const char *same = find(section, is_old ? &after : &before,
			config_section_title(section, at, title));

		snprintf(inner, sizeof(inner), "%.150s%s%s%s%.80s%s", path, *path ? ": " : "",
			info->name, info->title ? " \"" : "", title, info->title ? "\"" : "");
		if (!same)
			report(diff, inner, "%s", is_old ? "removed" : "added");
		else if (is_old)
			diff_section(diff, inner, section, at, same);
	}
}

static void diff_section(struct diff *diff, const char *path, enum config_section section,
	const void *old, const void *new)
{
	for (size_t i = 0; i < config_option_count; i++)
		if (config_options[i].section == section && config_options[i].type != CONFIG_FILE &&
			config_options[i].type != CONFIG_NAME)
			diff_option(diff, path, &config_options[i], old, new);
	for (int s = CONFIG_ROOT + 1; s < CONFIG_SECTIONS; s++)
		if (config_sections[s].parent == section)
			diff_group(diff, path, s, old, new);
}

/* The first match wins: their order is part of what they say. */
static bool same_order(const struct config *old, const struct config *new)
{
	size_t next = 0;

	for (size_t i = 0; i < old->lac_count; i++)
		for (size_t n = 0; n < new->lac_count; n++) {
			if (strcmp(old->lacs[i].lac.name, new->lacs[n].lac.name) != 0)
				continue;
			if (n < next)
				return false;
			next = n;
		}
	return true;
}

static bool same_users(const struct config *old, const struct config *new)
{
	bool same = old->user_count == new->user_count;

	for (size_t i = 0; same && i < old->user_count; i++) {
		const struct config_user *a = &old->users[i], *b = &new->users[i];

		same = strcmp(a->name, b->name) == 0 && addr_equal(&a->address, &b->address) &&
		       a->rate_down == b->rate_down && a->rate_up == b->rate_up &&
		       a->secret.len == b->secret.len &&
		       memcmp(a->secret.data, b->secret.data, a->secret.len) == 0;
	}
	return same;
}

int config_diff(const struct config *old, const struct config *new, config_report_fn *fn, void *ctx)
{
	struct diff diff = { fn, ctx, 0 };

	diff_section(&diff, "", CONFIG_ROOT, old, new);
	if (!same_order(old, new))
		report(&diff, "", "lac sections are in another order");
	if (!same_users(old, new))
		report(&diff, "", "users have changed: %zu (were %zu)", new->user_count,
			old->user_count);
	return diff.count;
}
