// SPDX-License-Identifier: BSD-2-Clause
/* sort: see sort.h. */
#include "lns/control/sort.h"

#include <stdlib.h>
#include <string.h>

/* A row, and where it was. */
struct row {
	json_t *item, *value; /* borrowed */
	size_t index;
	int direction;
};

const struct column *sort_column(const struct column *columns, const char *name)
{
	const struct column *column = columns;

	name += *name == '-';
	while (column && column->key && strcasecmp(column->key, name) != 0 &&
		(!*name || strcasecmp(column->title, name) != 0))
		column++;
	return column && column->key ? column : NULL;
}

static bool is_nothing(const json_t *value)
{
	return !value || json_is_null(value);
}

/* Numbers inside texts count as numbers: 10.0.0.9 comes before 10.0.0.10. */
static int compare_values(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b)) {
		double left = json_number_value(a), right = json_number_value(b);

		return left < right ? -1 : left > right;
	}
	if (json_is_string(a) && json_is_string(b))
		return strverscmp(json_string_value(a), json_string_value(b));
	return (int)json_typeof(a) - (int)json_typeof(b);
}

static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = is_nothing(a->value) - is_nothing(b->value);

	if (!order && !is_nothing(a->value))
		order = a->direction * compare_values(a->value, b->value);
	if (!order)
		order = a->index < b->index ? -1 : 1;
	return order;
}

void sort_items(json_t *items, const struct column *columns, const char *name)
{
	const struct column *column = sort_column(columns, name);
	size_t count = json_array_size(items);
	struct row *rows = calloc(count ? count : 1, sizeof(*rows));
	json_t *sorted = json_array();

	for (size_t i = 0; rows && i < count; i++) {
		json_t *item = json_array_get(items, i);

		rows[i] = (struct row){ item, json_object_get(item, column->key), i,
			*name == '-' ? -1 : 1 };
	}
	if (rows && sorted) {
		qsort(rows, count, sizeof(*rows), compare_rows);
		for (size_t i = 0; i < count; i++)
			json_array_append(sorted, rows[i].item);
		json_array_clear(items);
		json_array_extend(items, sorted);
	}
	json_decref(sorted);
	free(rows);
}
