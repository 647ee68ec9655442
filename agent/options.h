/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_OPTIONS_H
#define GL_AGENT_OPTIONS_H

/* Command line of greenlaunch-meter: one mode and its options, from one table that also prints the
 * help. */

#include "agent/config.h"

enum gl_meter_mode {
    GL_MODE_NONE,
    GL_MODE_GUEST,
    GL_MODE_ONESHOT,
    GL_MODE_SELFTEST,
    GL_MODE_RUN,
    GL_MODE_DAEMON,
    GL_MODE_REPLAY,
    GL_MODE_HELP,
    GL_MODE_VERSION,
};

struct gl_meter_options {
    enum gl_meter_mode mode;
    const char *replay; /* spool folder or segment file */
    const char *control, *console, *sysroot, *spool, *output, *launch, *token_file, *family;
    const char *gpu_helper, *load;
    const char *exit_status; /* of the command that was metered, 0 to 255; NULL = not said */
    const char *tail;        /* file of what it printed; NULL = not told */
    int64_t interval_ms, threads_milli, memory_mb, gpu_count, gpu_watts; /* 0 = not given */
    char **command; /* after "--", NULL = none */
};

/* Errors: USAGE. */
int gl_meter_options_parse(int argc, char **argv, struct gl_meter_options *out,
                           struct gl_error *err);
/* The number of --exit, -1 when it is none. */
int gl_meter_exit_status(const char *text);
void gl_meter_options_help(void);

#endif
