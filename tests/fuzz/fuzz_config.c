/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a configuration, as a text (behind a line %% comes the users file) or, when it begins
 * like one, as a bundle. What is accepted can be dumped, and the indexes made from it work.
 */
#include "tests/fuzz/fuzz.h"
#include "lns/config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void report(void *ctx, const char *line)
{
	*(size_t *)ctx += strlen(line);
}

/* The input as a bundle in a memfd, -1 when there is no room for it. */
static int make_bundle(const uint8_t *data, size_t size)
{
	static const char magic[] = "lnsconf1", mark[] = "\n%%\n";
	const uint8_t *split = memmem(data, size, mark, strlen(mark));
	size_t len = split ? (size_t)(split - data) + 1 : size;
	const uint8_t *users = split ? split + strlen(mark) : data + size;
	const struct config_text texts[] = {
		{ "lns.conf", data, len },
		{ "users", users, (size_t)(data + size - users) },
		{ "key", "secret\n", 7 },
		{ "more.conf", users, (size_t)(data + size - users) },
	};
	int fd;

	if (size >= strlen(magic) && !memcmp(data, magic, strlen(magic))) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		if (fd >= 0 && write(fd, data, size) == (ssize_t)size)
			return fd;
		close(fd);
		return -1;
	}
	return config_bundle_memory(texts, sizeof(texts) / sizeof(texts[0]), &fd) ? -1 : fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = make_bundle(data, size);
	struct config *config = NULL;
	size_t said = 0, dumped;
	char *dump = NULL;
	FILE *out;

	if (fd < 0)
		return 0;
	if (config_parse(fd, report, &said, &config)) {
		if (!said || config)
			abort(); /* a refusal has a reason */
	} else {
		out = open_memstream(&dump, &dumped);
		if (out) {
			config_dump(config, out);
			fclose(out);
		}
		free(dump);
		config_free(config);
	}
	close(fd);
	return 0;
}
