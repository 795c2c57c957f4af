/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine: the unprivileged half of lnsd; wires the modules to the loop.
 */
#ifndef LNS_ENGINE_ENGINE_H
#define LNS_ENGINE_ENGINE_H

/*
 * Runs the engine on its connection to the monitor until told to stop. Returns the exit status: 0 when
 * everything was ended as asked.
 */
int engine_main(int monitor_fd);

#endif
