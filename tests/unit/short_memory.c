/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * short_memory: see short_memory.h.
 */
#include "tests/unit/short_memory.h"

#include <stdatomic.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__wrap_strdup(const char *text);

static atomic_uint allocations, fail_at;
static atomic_bool armed;
static _Thread_local bool spared;

void short_memory_at(unsigned int n)
{
	short_memory_arm(false);
	atomic_store(&allocations, 0);
	atomic_store(&fail_at, n);
}

void short_memory_arm(bool on)
{
	atomic_store(&armed, on);
}

void short_memory_spare(bool on)
{
	spared = on;
}

unsigned int short_memory_count(void)
{
	return atomic_load(&allocations);
}

bool short_memory_strikes(void)
{
	return atomic_load(&armed) && !spared &&
	       atomic_fetch_add(&allocations, 1) + 1 == atomic_load(&fail_at);
}

unsigned int short_memory_everywhere(void (*live)(unsigned int n))
{
	unsigned int n = 0;

	do {
		short_memory_at(++n);
		live(n);
		short_memory_arm(false);
	} while (short_memory_count() >= n);
	return short_memory_count();
}

void *__wrap_malloc(size_t size)
{
	return short_memory_strikes() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return short_memory_strikes() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return short_memory_strikes() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	return short_memory_strikes() ? NULL : __real_reallocarray(memory, count, size);
}

char *__wrap_strdup(const char *text)
{
	return short_memory_strikes() ? NULL : __real_strdup(text);
}
