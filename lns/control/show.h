/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show: how lnsctl prints what lnsd answers: values, tables and objects for people, JSON for programs.
 *
 * Columns are as wide as what is in them; where a line does not fit, the least important ones are left
 * out. Text may come from strangers (names of users, numbers): whatever could move a terminal's cursor
 * is printed as \xNN.
 */
#ifndef LNS_CONTROL_SHOW_H
#define LNS_CONTROL_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How a value is shown to a person. */
enum format { FORMAT_TEXT, FORMAT_NUMBER, FORMAT_SECONDS, FORMAT_MICROSECONDS, FORMAT_OCTETS };

struct column {
	const char *key, *title;
	enum format format;
	unsigned int rank; /* the highest goes first when the terminal is narrow; 0 stays */
};

/* Writes text without anything that a terminal obeys: controls of ASCII and their kin of Latin-1. */
void show_text(const char *text, FILE *out);
/* A value as it stands in a cell, allocated; ends the program when memory is short. */
char *show_value(const json_t *value, enum format format);
/* Columns of the terminal; SIZE_MAX when the output goes elsewhere. */
size_t show_width(void);
/* Lines of the terminal; 0 when the output goes elsewhere. */
size_t show_height(void);
/* The items of a list, at most limit columns wide if that is possible. */
void show_table(const struct column *columns, const json_t *items, size_t limit, FILE *out);
/* Keys and values, a pair a line, objects inside indented below their key. */
void show_object(json_t *object, FILE *out);
/* One document: an array with an element a line, or the first item. */
void show_json(const json_t *items, bool list, FILE *out);

#endif
