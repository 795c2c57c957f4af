/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/notify: what a service manager is told, by the protocol of sd_notify(3). Without one
 * (NOTIFY_SOCKET is not set) nothing happens.
 */
#ifndef LNS_MONITOR_NOTIFY_H
#define LNS_MONITOR_NOTIFY_H

#include <stdint.h>

void monitor_notify_ready(void);
/* The end may take this long, microseconds, whatever the manager thinks of it. */
void monitor_notify_stopping(uint64_t longest);
/* A reload has begun; monitor_notify_ready ends it. */
void monitor_notify_reloading(void);
/* A line for people ("systemctl status"). */
void monitor_notify_status(const char *text);

/* The interval at which monitor_notify_alive is to be called, microseconds; 0: nobody asks for it. */
uint64_t monitor_notify_interval(void);
void monitor_notify_alive(void);

#endif
