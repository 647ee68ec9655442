/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RUNCLOCK_H
#define GL_BROKER_RUNCLOCK_H

/* When and where a run really ran. Its own clock is Unix ms less the time it stood still: like the
 * boot clock of its guest it does not go on while it is suspended or frozen for a move. Without
 * spans it always ran in one place, and both clocks are one. Pure. */

#include "base/json.h"

#define GL_RUN_SPANS_MAX 4096

struct gl_run_span {
    int64_t from_ms, until_ms;
    bool is_running;
    char region[40], zone[40]; /* zone "" = not known */
    int64_t move;              /* the ledger's event that moved it here; 0 = it was launched here */
    int64_t since_ms;          /* in this place; before its own from_ms when it stood still there */
};

struct gl_run_spans {
    size_t count; /* 0 = one, running, where it was launched */
    struct gl_run_span *items;
};

/* "instance.spans": in order and without holes from started_ms to ended_ms; absent: none. Free with
 * gl_run_spans_done(). Errors: BAD_REPLY, TOO_LARGE. */
int gl_run_spans_parse(const json_t *instance, int64_t started_ms, int64_t ended_ms,
                       struct gl_run_spans *out, struct gl_error *err);
void gl_run_spans_done(struct gl_run_spans *spans);

/* The run's own clock at a Unix time. */
int64_t gl_run_clock(const struct gl_run_spans *spans, int64_t wall_ms);
/* Unix time of an instant of the run's own clock; at one where it stood still, the end of that when
 * `is_late`, else the start. */
int64_t gl_run_wall(const struct gl_run_spans *spans, int64_t run_ms, bool is_late);

#endif
