/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * power_vfs: a disk for SQLite that forgets what was not synced when the power goes. Files live in
 * memory; while it is installed it is SQLite's default.
 */
#ifndef TESTS_RADIUS_POWER_VFS_H
#define TESTS_RADIUS_POWER_VFS_H

#include <stdbool.h>
#include <stddef.h>

void power_vfs_install(void);
/* Forgets all files. */
void power_vfs_remove(void);

/* From now on everything fails and nothing is written. */
void power_vfs_cut(void);
/*
 * The power is back: of what was written but not synced, each sector is there or not, by chance. Nobody
 * may have a file open.
 */
void power_vfs_restore(unsigned int seed);

/* How many octets all files together may have, 0 = any. */
void power_vfs_set_quota(size_t octets);
size_t power_vfs_used(void);
/* Whether syncs are lies: they say that they did it. */
void power_vfs_set_lying(bool is_lying);
/* How long a sync takes, in milliseconds of real time. */
void power_vfs_set_slow(unsigned int ms);
unsigned int power_vfs_syncs(void);

#endif
