/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * short_memory: memory that runs out at a chosen allocation.
 *
 * Every unit program is linked with --wrap for malloc, calloc, realloc, reallocarray and strdup, so that
 * each call of them from our objects, fakes included, comes here; libraries are not concerned. They are
 * counted, whatever the thread, while memory is armed.
 */
#ifndef TESTS_UNIT_SHORT_MEMORY_H
#define TESTS_UNIT_SHORT_MEMORY_H

#include <stdbool.h>

/* Counts from 0 again: the n-th allocation (0: none) will fail, once. Disarms. */
void short_memory_at(unsigned int n);
void short_memory_arm(bool on);
/* Those of this thread do not count, as they are of a fake that has no use for failures. */
void short_memory_spare(bool on);
/* How many there were since short_memory_at. */
unsigned int short_memory_count(void);
/* One more allocation, of a kind that is not wrapped here: whether it has to fail. */
bool short_memory_strikes(void);

/*
 * Runs live for every n, with the n-th allocation failing, until one run makes less than n. live arms
 * memory itself, and checks that nothing is left; n is for its messages. Returns how many allocations
 * the last run, to which nothing happened, made: less than expected when --wrap is not in use.
 */
unsigned int short_memory_everywhere(void (*live)(unsigned int n));

#endif
