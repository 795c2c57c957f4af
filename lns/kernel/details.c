/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * details: debugfs' l2tp/tunnels, line by line. See details.h.
 *
 *   TUNNEL 4711 peer 12 from 192.0.2.1 to 192.0.2.2
 *    2 sessions, refcnt 5/4                        (of the socket, of the tunnel)
 *     SESSION 7, peer 8, PPP
 *      nr 3, ns 4                                  (with sequencing only)
 *      refcnt 1
 */
#include "lns/kernel/details.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where in the file we are. */
struct place {
	struct kernel_l2tp_list *list;
	struct kernel_l2tp_entry *tunnel, *session; /* NULL: none, or one that the list lacks */
	unsigned int tunnel_id;
};

static struct kernel_l2tp_entry *find(
	const struct place *place, unsigned int tunnel_id, unsigned int session_id)
{
	/* The list is ours to write to; kernel_l2tp_find is for everybody. */
	return (struct kernel_l2tp_entry *)kernel_l2tp_find(place->list, tunnel_id, session_id);
}

static void take_line(struct place *place, const char *line)
{
	unsigned int id, first, second;

	if (sscanf(line, "TUNNEL %u", &id) == 1) {
		place->tunnel_id = id;
		place->tunnel = find(place, id, 0);
		place->session = NULL;
	} else if (sscanf(line, " SESSION %u", &id) == 1) {
		place->session = id ? find(place, place->tunnel_id, id) : NULL;
		place->tunnel = NULL;
	} else if (place->tunnel &&
		   sscanf(line, " %*u sessions, refcnt %u/%u", &first, &second) == 2) {
		place->tunnel->has_details = true;
		place->tunnel->socket_references = first;
		place->tunnel->references = second;
	} else if (place->session && sscanf(line, " nr %u, ns %u", &first, &second) == 2) {
		place->session->next_receive = first;
		place->session->next_send = second;
	} else if (place->session && sscanf(line, " refcnt %u", &first) == 1) {
		place->session->has_details = true;
		place->session->references = first;
	}
}

void kernel_details_parse(FILE *in, struct kernel_l2tp_list *list)
{
	struct place place = { .list = list };
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, in) > 0)
		take_line(&place, line);
	free(line);
}

void kernel_details_read(int fd, struct kernel_l2tp_list *list)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	FILE *in = copy < 0 ? NULL : fdopen(copy, "re");

	if (!in) {
		if (copy >= 0)
			close(copy);
		return;
	}
	kernel_details_parse(in, list);
	fclose(in);
}
