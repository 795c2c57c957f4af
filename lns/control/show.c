// SPDX-License-Identifier: BSD-2-Clause
/* show: see show.h. */
#include "lns/control/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MAX 32
#define INDENT      2

/* ---- values for people ---- */

void show_text(const char *text, FILE *out)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			fprintf(out, "\\x%02x", *c);
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			fprintf(out, "\\x%02x", *++c);
		else
			fputc(*c, out);
	}
}

/* "42s", "3m07s", "1h02m", "3d04h" */
static void print_seconds(json_int_t seconds, FILE *out)
{
	static const struct {
		json_int_t length, part;
		char unit, part_unit;
	} rows[] = { { 86400, 3600, 'd', 'h' }, { 3600, 60, 'h', 'm' }, { 60, 1, 'm', 's' } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (seconds < rows[i].length)
			continue;
		fprintf(out, "%" JSON_INTEGER_FORMAT "%c%02" JSON_INTEGER_FORMAT "%c",
			seconds / rows[i].length, rows[i].unit,
			seconds % rows[i].length / rows[i].part, rows[i].part_unit);
		return;
	}
	fprintf(out, "%" JSON_INTEGER_FORMAT "s", seconds);
}

/* "999", "1.2k", "12k", "1.2M": thousands, cut and not rounded up */
static void print_octets(json_int_t octets, FILE *out)
{
	const char *unit = "kMGTPE";
	json_int_t tenths;

	if (octets < 1000) {
		fprintf(out, "%" JSON_INTEGER_FORMAT, octets);
		return;
	}
	for (tenths = octets / 100; tenths >= 10000 && unit[1]; unit++)
		tenths /= 1000;
	if (tenths < 100)
		fprintf(out, "%" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT "%c", tenths / 10,
			tenths % 10, *unit);
	else
		fprintf(out, "%" JSON_INTEGER_FORMAT "%c", tenths / 10, *unit);
}

static void print_number(json_int_t number, enum format format, FILE *out)
{
	if (format == FORMAT_SECONDS)
		print_seconds(number, out);
	else if (format == FORMAT_OCTETS)
		print_octets(number, out);
	else if (format == FORMAT_MICROSECONDS)
		fprintf(out, "%" JSON_INTEGER_FORMAT ".%03" JSON_INTEGER_FORMAT "ms", number / 1000,
			number % 1000);
	else
		fprintf(out, "%" JSON_INTEGER_FORMAT, number);
}

/* A value in a cell or behind a key; "-" for what is not there. */
static void print_value(const json_t *value, enum format format, FILE *out)
{
	if (json_is_string(value)) {
		show_text(*json_string_value(value) ? json_string_value(value) : "-", out);
	} else if (json_is_integer(value)) {
		print_number(json_integer_value(value), format, out);
	} else if (json_is_real(value)) {
		fprintf(out, "%g", json_real_value(value));
	} else if (json_is_boolean(value)) {
		fputs(json_is_true(value) ? "yes" : "no", out);
	} else if (json_is_array(value) && json_array_size(value)) {
		for (size_t i = 0; i < json_array_size(value); i++) {
			fputs(i ? ", " : "", out);
			print_value(json_array_get(value, i), format, out);
		}
	} else {
		fputc('-', out);
	}
}

/* ---- tables ---- */

char *show_value(const json_t *value, enum format format)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out) {
		print_value(value, format, out);
		fclose(out);
	}
	if (!text) {
		fputs("lnsctl: out of memory\n", stderr);
		exit(1);
	}
	return text;
}

static char *cell_text(const json_t *items, size_t row, const struct column *column)
{
	return show_value(json_object_get(json_array_get(items, row), column->key), column->format);
}

/* Columns that a terminal needs for UTF-8 text: characters, all taken for narrow ones. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

size_t show_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return SIZE_MAX;
	return size.ws_col;
}

size_t show_height(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_row;
}

/* Leaves columns out (width 0), the least important first, until a line fits. */
static void fit_columns(const struct column *columns, size_t *widths, size_t limit)
{
	for (;;) {
		size_t total = 0, least = 0;

		for (size_t c = 0; columns[c].key; c++) {
			total += widths[c] ? widths[c] + INDENT : 0;
			if (widths[c] &&
				columns[c].rank > (widths[least] ? columns[least].rank : 0))
				least = c;
		}
		if (total <= limit || total - INDENT <= limit || !columns[least].rank)
			return;
		widths[least] = 0;
	}
}

static void print_cell(
	const struct column *column, const char *text, size_t width, bool last, FILE *out)
{
	int blanks = (int)(width - text_width(text));

	if (column->format == FORMAT_TEXT)
		fprintf(out, "%s%*s", text, last ? 0 : blanks, "");
	else
		fprintf(out, "%*s%s", blanks, "", text);
	fprintf(out, last ? "\n" : "%*s", INDENT, "");
}

void show_table(const struct column *columns, const json_t *items, size_t limit, FILE *out)
{
	size_t widths[COLUMNS_MAX] = { 0 }, last = 0;

	for (size_t c = 0; columns[c].key; c++) {
		widths[c] = strlen(columns[c].title);
		for (size_t i = 0; i < json_array_size(items); i++) {
			char *text = cell_text(items, i, &columns[c]);

			widths[c] = text_width(text) > widths[c] ? text_width(text) : widths[c];
			free(text);
		}
	}
	fit_columns(columns, widths, limit);
	for (size_t c = 0; columns[c].key; c++)
		last = widths[c] ? c : last;
	for (size_t c = 0; c <= last; c++)
		if (widths[c])
			print_cell(&columns[c], columns[c].title, widths[c], c == last, out);
	for (size_t i = 0; i < json_array_size(items); i++) {
		for (size_t c = 0; c <= last; c++) {
			char *text;

			if (!widths[c])
				continue;
			text = cell_text(items, i, &columns[c]);
			print_cell(&columns[c], text, widths[c], c == last, out);
			free(text);
		}
	}
}

/* ---- one object ---- */

static bool has_end(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

/* The format that a key's last word asks for; *ret_len is the key's length without a unit. */
static enum format key_format(const char *key, size_t *ret_len)
{
	*ret_len = strlen(key);
	if (has_end(key, "octets"))
		return FORMAT_OCTETS;
	if (has_end(key, "uptime") || has_end(key, "_timeout") || has_end(key, "interim"))
		return FORMAT_SECONDS;
	if (has_end(key, "_seconds")) {
		*ret_len -= strlen("_seconds");
		return FORMAT_SECONDS;
	}
	if (has_end(key, "_bps"))
		return FORMAT_OCTETS;
	if (has_end(key, "_us")) {
		*ret_len -= strlen("_us");
		return FORMAT_MICROSECONDS;
	}
	return FORMAT_NUMBER;
}

/* Keys and values, a pair a line, objects inside indented below their key. */
static void print_object(json_t *object, int indent, FILE *out)
{
	size_t width = 0, len;

	for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
		key_format(json_object_iter_key(it), &len);
		if (!json_is_object(json_object_iter_value(it)) && len > width)
			width = len;
	}
	for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
		const char *key = json_object_iter_key(it);
		json_t *value = json_object_iter_value(it);
		enum format format = key_format(key, &len);

		fprintf(out, "%*s", indent, "");
		for (size_t i = 0; i < len; i++)
			fputc(key[i] == '_' ? ' ' : key[i], out);
		if (json_is_object(value)) {
			fputc('\n', out);
			print_object(value, indent + INDENT, out);
			continue;
		}
		fprintf(out, "%*s", (int)(width - len) + INDENT, "");
		print_value(value, format, out);
		fputc('\n', out);
	}
}

void show_object(json_t *object, FILE *out)
{
	print_object(object, 0, out);
}

/* ---- for programs ---- */

void show_json(const json_t *items, bool list, FILE *out)
{
	const json_t *item = json_array_get(items, 0);

	if (list) {
		fputc('[', out);
		for (size_t i = 0; i < json_array_size(items); i++) {
			fputs(i ? ",\n" : "\n", out);
			json_dumpf(json_array_get(items, i), out, JSON_COMPACT);
		}
		fputs("\n]\n", out);
	} else if (item) {
		json_dumpf(item, out, JSON_INDENT(INDENT));
		fputc('\n', out);
	} else {
		fputs("{}\n", out);
	}
}
