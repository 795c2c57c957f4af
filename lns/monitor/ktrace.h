/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/ktrace: switches the kernel's tracepoints of L2TP on and off, and opens what they recorded.
 */
#ifndef LNS_MONITOR_KTRACE_H
#define LNS_MONITOR_KTRACE_H

/* 0 or -errno; -EOPNOTSUPP: the kernel has no tracing, or none of L2TP (yet). May be repeated. */
int monitor_ktrace_on(void);
int monitor_ktrace_off(void);
/* A descriptor for reading, or -errno as above; -ENODATA: it is off. */
int monitor_ktrace_open(void);

#endif
