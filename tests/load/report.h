/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report: a run in figures: the progress line, the table, the JSON document.
 */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include <stdbool.h>
#include <stdio.h>

struct load;

/* One line, in place of the one before; report_progress_end moves on to a new line. */
void report_progress(const struct load *load);
void report_progress_end(void);

/* Sorts the samples of the run. ok is what the exit status says. */
void report_table(struct load *load, bool ok, FILE *out);
/* Writes to path, "-" for standard output. 0 or -errno. */
int report_json(struct load *load, bool ok, const char *path);

#endif
