// SPDX-License-Identifier: BSD-2-Clause
/*
 * metrics: the text format of Prometheus, version 0.0.4. See metrics.h.
 */
#include "lns/control/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LABELS 8 /* of a sample at most; what is more is left out */

struct metrics_out {
	FILE *file;
	const struct metrics_row *row;
};

struct labels {
	const char *names[LABELS], *values[LABELS];
	size_t count;
};

static void take_labels(struct labels *labels, va_list args)
{
	const char *name;

	labels->count = 0;
	while (labels->count < LABELS && (name = va_arg(args, const char *))) {
		labels->names[labels->count] = name;
		labels->values[labels->count++] = va_arg(args, const char *);
	}
}

/* As the format wants it; what is not printable ASCII looks as it does in the log. */
static void put_label_value(FILE *file, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '\\' || *c == '"')
			fprintf(file, "\\%c", *c);
		else if (*c == '\n')
			fputs("\\n", file);
		else if (*c < 0x20 || *c >= 0x7f)
			fprintf(file, "\\\\x%02x", *c);
		else
			fputc(*c, file);
	}
}

static void put_help(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\\\", file);
		else if (*text == '\n')
			fputs("\\n", file);
		else
			fputc(*text, file);
	}
}

static void put_seconds(FILE *file, uint64_t microseconds)
{
	uint64_t part = microseconds % 1000000;
	int digits = 6;

	fprintf(file, "%" PRIu64, microseconds / 1000000);
	if (part == 0)
		return;
	for (; part % 10 == 0; part /= 10)
		digits--;
	fprintf(file, ".%0*" PRIu64, digits, part);
}

/* The name and labels of a sample; le: NULL, or the bound of a bucket, UINT64_MAX for infinity. */
static void put_name(const struct metrics_out *out, const char *suffix, const struct labels *labels,
	const uint64_t *le)
{
	FILE *file = out->file;

	fprintf(file, "%s%s", out->row->name, suffix);
	if (labels->count > 0 || le)
		fputc('{', file);
	for (size_t i = 0; i < labels->count; i++) {
		fprintf(file, "%s%s=\"", i ? "," : "", labels->names[i]);
		put_label_value(file, labels->values[i]);
		fputc('"', file);
	}
	if (le) {
		fprintf(file, "%sle=\"", labels->count > 0 ? "," : "");
		if (*le == UINT64_MAX)
			fputs("+Inf", file);
		else
			put_seconds(file, *le);
		fputc('"', file);
	}
	fputs(labels->count > 0 || le ? "} " : " ", file);
}

void metrics_number(struct metrics_out *out, uint64_t value, ...)
{
	struct labels labels;
	va_list args;

	va_start(args, value);
	take_labels(&labels, args);
	va_end(args);
	put_name(out, "", &labels, NULL);
	fprintf(out->file, "%" PRIu64 "\n", value);
}

void metrics_seconds(struct metrics_out *out, uint64_t microseconds, ...)
{
	struct labels labels;
	va_list args;

	va_start(args, microseconds);
	take_labels(&labels, args);
	va_end(args);
	put_name(out, "", &labels, NULL);
	put_seconds(out->file, microseconds);
	fputc('\n', out->file);
}

void metrics_histogram(struct metrics_out *out, const struct metrics_histogram *histogram, ...)
{
	struct labels labels;
	uint64_t count = 0;
	va_list args;

	va_start(args, histogram);
	take_labels(&labels, args);
	va_end(args);
	for (size_t i = 0; i <= histogram->bound_count; i++) {
		uint64_t le = i < histogram->bound_count ? histogram->bounds[i] : UINT64_MAX;

		count += histogram->counts[i];
		put_name(out, "_bucket", &labels, &le);
		fprintf(out->file, "%" PRIu64 "\n", count);
	}
	put_name(out, "_sum", &labels, NULL);
	put_seconds(out->file, histogram->sum);
	fputc('\n', out->file);
	put_name(out, "_count", &labels, NULL);
	fprintf(out->file, "%" PRIu64 "\n", count);
}

char *metrics_text(const struct metrics_row *rows, void *ctx, size_t *ret_len)
{
	static const char *const types[] = {
		[METRICS_COUNTER] = "counter",
		[METRICS_GAUGE] = "gauge",
		[METRICS_HISTOGRAM] = "histogram",
	};
	struct metrics_out out;
	char *text = NULL;
	int failed;

	out.file = open_memstream(&text, ret_len);
	if (!out.file)
		return NULL;
	for (out.row = rows; out.row->name; out.row++) {
		fprintf(out.file, "# HELP %s ", out.row->name);
		put_help(out.file, out.row->help);
		fprintf(out.file, "\n# TYPE %s %s\n", out.row->name, types[out.row->type]);
		out.row->value(ctx, &out);
	}
	failed = ferror(out.file);
	if (fclose(out.file) || failed) {
		free(text);
		return NULL;
	}
	return text;
}
