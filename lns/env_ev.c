// SPDX-License-Identifier: BSD-2-Clause
/*
 * env_ev: env.h on libev. The clock is read once a turn, right after the wait; the CPU time of each
 * turn is measured from one wait to the next, because no turn may work longer than 5 ms. A turn asks the
 * kernel for the time as seldom as it can, and for random octets many turns ahead: where there is no vDSO,
 * that was every other system call.
 *
 * libev would serve every descriptor that is ready in one turn, be it thousands. So descriptors are in an
 * epoll set of their own, which is the only one that libev knows: a turn takes a few of them, stops when
 * its time is over, and leaves the rest to the next turns, in order.
 */
#include "lns/env_ev.h"

#include <ev.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define READY_MAX   32        /* descriptors a turn */
#define READY_LIMIT ENV_MS(2) /* of a turn's time, then no further one is served */
#define RANDOM_POOL 512       /* octets */
#define LOOP        "loop"    /* what is not work */
#define WORKS_MAX   16        /* kinds of work in a turn that are told apart */

struct env {
	struct ev_loop *loop;
	ev_prepare before_wait;
	ev_check after_wait;
	int epoll; /* of all descriptors */
	ev_io any_ready;
	struct epoll_event ready[READY_MAX]; /* taken; [next, count) are not served yet */
	int next, count;
	uint64_t now, wallclock; /* of this turn; wallclock 0: nobody asked yet */
	uint64_t turn_began;     /* CPU time */
	uint8_t random[RANDOM_POOL];
	size_t random_left;                  /* at the end of it; what was handed out is wiped */
	struct env_ev_work works[WORKS_MAX]; /* of this turn */
	unsigned int work_count;
	struct env_ev_work *work; /* under way since work_began */
	uint64_t work_began;
	struct env_ev_load load;
};

struct env_timer {
	ev_timer timer;
	struct env *env;
	const char *what;
	void (*fire)(void *ctx);
	void *ctx;
};

struct env_io {
	struct env *env;
	const char *what;
	int fd, events;
	void (*ready)(void *ctx, int events);
	void *ctx;
};

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void turn_begins(struct ev_loop *loop, ev_check *check, int events)
{
	struct env *env = check->data;

	(void)loop;
	(void)events;
	env->now = env->work_began = read_clock(CLOCK_BOOTTIME);
	env->wallclock = 0;
}

/* The clock is read only between works of two kinds, and at the end of a turn longer than any before. */
static void work_ends(struct env *env)
{
	uint64_t now = read_clock(CLOCK_BOOTTIME);

	if (env->work)
		env->work->spent += now - env->work_began;
	env->work = NULL;
	env->work_began = now;
}

/* Beyond WORKS_MAX kinds, all are taken for the last one. */
static void work_begins(struct env *env, const char *what)
{
	unsigned int i = 0;

	if (env->work && env->work->what != what)
		work_ends(env);
	if (!env->work) {
		while (i < env->work_count && env->works[i].what != what)
			i++;
		if (i == WORKS_MAX)
			i--;
		env->work = &env->works[i];
		if (i == env->work_count) {
			*env->work = (struct env_ev_work){ .what = what };
			env->work_count++;
		}
	}
	env->work->calls++;
}

static struct env_ev_work most_work(struct env *env)
{
	const struct env_ev_work *most = &env->works[0];

	work_ends(env);
	for (unsigned int i = 1; i < env->work_count; i++)
		if (env->works[i].spent > most->spent)
			most = &env->works[i];
	return env->work_count ? *most : (struct env_ev_work){ .what = LOOP };
}

static void turn_ends(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct env *env = prepare->data;
	uint64_t spent = read_clock(CLOCK_THREAD_CPUTIME_ID), took = spent - env->turn_began;

	(void)loop;
	(void)events;
	env->turn_began = spent;
	env->load.turns++;
	env->load.busy += took;
	env->load.slow += took > ENV_EV_SLOW;
	if (took > env->load.longest) {
		env->load.longest = took;
		env->load.longest_work = most_work(env);
	}
	env->work_count = 0;
	env->work = NULL;
}

static void serve(const struct epoll_event *event)
{
	struct env_io *io = event->data.ptr;
	int ready = (event->events & (EPOLLIN | EPOLLERR | EPOLLHUP) ? ENV_READ : 0) |
		    (event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP) ? ENV_WRITE : 0);

	if (!io || !(ready & io->events))
		return;
	work_begins(io->env, io->what);
	io->ready(io->ctx, ready & io->events);
}

static void serve_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct env *env = watcher->data;

	(void)loop;
	(void)events;
	if (env->next >= env->count) {
		env->next = 0;
		env->count = epoll_wait(env->epoll, env->ready, READY_MAX, 0);
	}
	while (env->next < env->count) {
		serve(&env->ready[env->next++]);
		if (env->next == env->count)
			break;
		work_ends(env);
		if (env->work_began - env->now > READY_LIMIT)
			break;
	}
}

struct env *env_ev_new(void)
{
	struct env *env = calloc(1, sizeof(*env));

	if (!env)
		return NULL;
	env->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	env->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!env->loop || env->epoll < 0) {
		env_ev_free(env);
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	/* Otherwise glibc merges, or returns, all freed memory in one call now and then: a turn of 40 ms. */
	mallopt(M_MXFAST, 0);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	ev_prepare_init(&env->before_wait, turn_ends);
	ev_check_init(&env->after_wait, turn_begins);
	ev_io_init(&env->any_ready, serve_ready, env->epoll, EV_READ);
	env->before_wait.data = env->after_wait.data = env->any_ready.data = env;
	ev_set_priority(&env->after_wait, EV_MAXPRI);
	ev_prepare_start(env->loop, &env->before_wait);
	ev_check_start(env->loop, &env->after_wait);
	ev_io_start(env->loop, &env->any_ready);
	env->now = env->work_began = read_clock(CLOCK_BOOTTIME);
	env->load.longest_work.what = LOOP;
	return env;
}

void env_ev_free(struct env *env)
{
	if (!env)
		return;
	if (env->loop)
		ev_loop_destroy(env->loop);
	if (env->epoll >= 0)
		close(env->epoll);
	explicit_bzero(env->random, sizeof(env->random));
	free(env);
}

void env_ev_run(struct env *env)
{
	env->turn_began = read_clock(CLOCK_THREAD_CPUTIME_ID);
	ev_run(env->loop, 0);
}

void env_ev_stop(struct env *env)
{
	ev_break(env->loop, EVBREAK_ALL);
}

void env_ev_get_load(const struct env *env, struct env_ev_load *ret_load)
{
	*ret_load = env->load;
}

uint64_t env_now(struct env *env)
{
	return env->now;
}

uint64_t env_turn_spent(struct env *env)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID) - env->turn_began;
}

uint64_t env_wallclock(struct env *env)
{
	if (!env->wallclock)
		env->wallclock = read_clock(CLOCK_REALTIME);
	return env->wallclock;
}

static void get_random(uint8_t *out, size_t len)
{
	while (len > 0) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0)
			continue; /* only a signal can interrupt it */
		out += n;
		len -= (size_t)n;
	}
}

void env_random(struct env *env, void *buf, size_t len)
{
	uint8_t *next;

	if (len > sizeof(env->random)) {
		get_random(buf, len);
		return;
	}
	if (len > env->random_left) {
		get_random(env->random, sizeof(env->random));
		env->random_left = sizeof(env->random);
	}
	next = env->random + sizeof(env->random) - env->random_left;
	memcpy(buf, next, len);
	explicit_bzero(next, len);
	env->random_left -= len;
}

static void timer_fires(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct env_timer *t = timer->data;

	(void)loop;
	(void)events;
	work_begins(t->env, t->what);
	t->fire(t->ctx);
}

struct env_timer *env_timer_make(
	struct env *env, const char *what, void (*fire)(void *ctx), void *ctx)
{
	struct env_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return NULL;
	ev_timer_init(&timer->timer, timer_fires, 0., 0.);
	timer->timer.data = timer;
	timer->env = env;
	timer->what = what;
	timer->fire = fire;
	timer->ctx = ctx;
	return timer;
}

void env_timer_start(struct env_timer *timer, uint64_t delay)
{
	ev_timer_stop(timer->env->loop, &timer->timer);
	ev_timer_set(&timer->timer, (double)delay / 1e6, 0.);
	ev_timer_start(timer->env->loop, &timer->timer);
}

void env_timer_stop(struct env_timer *timer)
{
	if (timer)
		ev_timer_stop(timer->env->loop, &timer->timer);
}

int env_timer_running(const struct env_timer *timer)
{
	return ev_is_active(&timer->timer);
}

void env_timer_free(struct env_timer *timer)
{
	if (!timer)
		return;
	ev_timer_stop(timer->env->loop, &timer->timer);
	free(timer);
}

/* Watched for nothing, only the first sign of its end would be reported, and is ignored. */
static struct epoll_event interest(struct env_io *io)
{
	return (struct epoll_event){
		.events = (io->events & ENV_READ ? EPOLLIN : 0) |
			  (io->events & ENV_WRITE ? EPOLLOUT : 0) | (io->events ? 0 : EPOLLET),
		.data = { .ptr = io },
	};
}

struct env_io *env_io_make(struct env *env, const char *what, int fd, int events,
	void (*ready)(void *ctx, int events), void *ctx)
{
	struct env_io *io = calloc(1, sizeof(*io));
	struct epoll_event event;

	if (!io)
		return NULL;
	*io = (struct env_io){
		.env = env, .what = what, .fd = fd, .events = events, .ready = ready, .ctx = ctx
	};
	event = interest(io);
	if (epoll_ctl(env->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(io);
		return NULL;
	}
	return io;
}

void env_io_set(struct env_io *io, int events)
{
	struct epoll_event event;

	if (events == io->events)
		return;
	io->events = events;
	event = interest(io);
	epoll_ctl(io->env->epoll, EPOLL_CTL_MOD, io->fd, &event);
}

void env_io_free(struct env_io *io)
{
	struct env *env;

	if (!io)
		return;
	env = io->env;
	epoll_ctl(env->epoll, EPOLL_CTL_DEL, io->fd, NULL);
	for (int i = env->next; i < env->count; i++)
		if (env->ready[i].data.ptr == io)
			env->ready[i].data.ptr = NULL;
	free(io);
}
