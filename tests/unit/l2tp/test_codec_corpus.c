/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The committed packets against the decoder: their names say what it must find. They come from
 * tests/replay/make_corpus.py, which encodes and hides for itself. Run from the top directory.
 */
#include "lns/l2tp/msg.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORPUS "tests/replay/l2tp_msg"

static const struct l2tp_secret secret = { .len = 6, .data = "secret" };
static uint8_t packet[L2TP_PACKET_MAX], scratch[L2TP_PACKET_MAX];

static size_t load(const char *name)
{
	char path[512];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", CORPUS, name);
	file = fopen(path, "rbe");
	cr_assert(file, "%s", path);
	len = fread(packet, 1, sizeof(packet), file);
	fclose(file);
	return len;
}

/* The verdict that a name promises; *ret_error the error code of a clear-N-. */
static int promised(const char *name, unsigned long *ret_error)
{
	*ret_error = 0;
	if (strncmp(name, "ok-", 3) == 0)
		return L2TP_OK;
	if (strncmp(name, "ignore-", 7) == 0)
		return L2TP_IGNORE;
	if (strncmp(name, "discard-", 8) == 0)
		return L2TP_DISCARD;
	cr_assert(strncmp(name, "clear-", 6) == 0, "%s", name);
	*ret_error = strtoul(name + 6, NULL, 10);
	return L2TP_CLEAR;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

Test(codec_corpus, every_packet_is_judged_as_its_name_says)
{
	struct dirent **entries;
	int count = scandir(CORPUS, &entries, visible, alphasort);

	cr_assert(count > 100, "%d packets in " CORPUS, count);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		struct l2tp_header header;
		struct l2tp_result result;
		struct l2tp_msg msg;
		unsigned long error;
		int verdict, want = promised(name, &error);

		verdict = (int)l2tp_msg_decode(packet, load(name), &secret, false, scratch,
			sizeof(scratch), &header, &msg, &result);
		cr_expect(verdict == want && result.error == error, "%s: verdict %d error %u: %s",
			name, verdict, result.error, result.text);
		cr_expect(result.code == (want == L2TP_CLEAR ? 2 : 0), "%s", name);
		free(entries[i]);
	}
	free(entries);
}
