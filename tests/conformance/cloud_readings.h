/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_READINGS_H
#define GL_TESTS_CLOUD_READINGS_H

/* The readings on an instance's console, verified as the broker does it. */

#include "tests/conformance/cloud_bench.h"

struct gl_readings {
    size_t count;
    bool is_final;
    unsigned refused; /* forged, replayed, forked or without what goes before; doubled lines too */
    unsigned jumps;   /* readings that say that the machine stood still */
    int64_t gap_ms;   /* that no reading covers */
    int64_t boot_ms;  /* from the first to the last reading by the boot clock, */
    int64_t wall_ms;  /* and by the wall clock */
    bool is_whole;    /* the last totals are the sums of all that was told */
};

/* Aborts the test unless sequence and chain are without a hole. */
void gl_readings_of(const char *console, const struct gl_bench_names *names,
                    struct gl_readings *out);

#endif
