// SPDX-License-Identifier: BSD-2-Clause
/*
 * state: see state.h. The file is as large as it can ever get from the start; memory is taken only for
 * the pages that were touched.
 */
#include "lns/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_MAGIC  0x6c6e7364 /* "lnsd" */
#define STATE_LAYOUT 3

struct state_memory {
	uint32_t magic, layout, size;
	uint32_t boot, sequence;
	struct state_drained drained[STATE_DRAINED];
	struct state_tunnel tunnels[STATE_TUNNELS];
	struct state_session sessions[STATE_SESSIONS];
};
_Static_assert(sizeof(struct state_memory) <= UINT32_MAX, "size is kept in 32 bits");

struct state {
	struct state_memory *memory;
	uint32_t free_hint; /* below it, every session record is taken */
};

int state_open(int fd, struct state **ret_state, bool *ret_fresh)
{
	struct state *state;
	struct state_memory *memory;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_fresh = st.st_size == 0;
	if (*ret_fresh && ftruncate(fd, sizeof(*memory)) < 0)
		return -errno;
	if (!*ret_fresh && st.st_size != sizeof(*memory))
		return -EPROTO;
	memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	if (*ret_fresh) {
		memory->layout = STATE_LAYOUT;
		memory->size = sizeof(*memory);
		memory->magic = STATE_MAGIC;
	}
	state = calloc(1, sizeof(*state));
	if (!state || memory->magic != STATE_MAGIC || memory->layout != STATE_LAYOUT ||
		memory->size != sizeof(*memory)) {
		munmap(memory, sizeof(*memory));
		free(state);
		return state ? -EPROTO : -ENOMEM;
	}
	state->memory = memory;
	*ret_state = state;
	return 0;
}

void state_close(struct state *state)
{
	if (!state)
		return;
	munmap(state->memory, sizeof(*state->memory));
	free(state);
}

int state_count_boot(const char *dir, uint32_t *ret_boot)
{
	char path[512], next[512], text[32] = "";
	unsigned long boot;
	int fd, len, err = 0;

	if (snprintf(path, sizeof(path), "%s/boot", dir) >= (int)sizeof(path) ||
		snprintf(next, sizeof(next), "%s/boot.new", dir) >= (int)sizeof(next))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0)
			err = -errno;
		close(fd);
	} else if (errno != ENOENT) {
		err = -errno;
	}
	if (err < 0)
		return err;
	boot = strtoul(text, NULL, 10) + 1;
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	len = snprintf(text, sizeof(text), "%lu\n", boot);
	if (write(fd, text, (size_t)len) != len || fsync(fd) < 0)
		err = errno ? -errno : -EIO;
	close(fd);
	if (!err && rename(next, path) < 0)
		err = -errno;
	if (!err)
		*ret_boot = (uint32_t)boot;
	return err;
}

void state_set_boot(struct state *state, uint32_t boot)
{
	state->memory->boot = boot;
}

uint64_t state_next_key(struct state *state)
{
	return (uint64_t)state->memory->boot << 32 | ++state->memory->sequence;
}

struct state_tunnel *state_tunnel(struct state *state, uint16_t id)
{
	return &state->memory->tunnels[id];
}

struct state_session *state_session_take(struct state *state, uint64_t key)
{
	for (uint32_t i = state->free_hint; i < STATE_SESSIONS; i++) {
		struct state_session *session = &state->memory->sessions[i];

		if (session->used != STATE_FREE)
			continue;
		state->free_hint = i + 1;
		memset(session, 0, sizeof(*session));
		session->key = key;
		state_publish(&session->used, STATE_SETUP);
		return session;
	}
	return NULL;
}

struct state_session *state_session_at(struct state *state, unsigned int index)
{
	return index < STATE_SESSIONS ? &state->memory->sessions[index] : NULL;
}

void state_session_release(struct state *state, struct state_session *session)
{
	uint32_t index = (uint32_t)(session - state->memory->sessions);

	state_publish(&session->used, STATE_FREE);
	if (index < state->free_hint)
		state->free_hint = index;
}

struct state_drained *state_drained_at(struct state *state, unsigned int index)
{
	return index < STATE_DRAINED ? &state->memory->drained[index] : NULL;
}

void state_publish(uint32_t *used, uint32_t value)
{
	__atomic_store_n(used, value, __ATOMIC_RELEASE);
}
