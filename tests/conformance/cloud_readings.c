/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_readings.h"

#include "broker/meterlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Totals are rounded down to millijoules. */
static bool is_total(const struct gl_reading *last, enum gl_component_kind kind, int64_t sum_uj)
{
    for (size_t i = 0; i < last->component_count; i++)
        if (last->components[i].kind == kind)
            return llabs(last->components[i].total_mj - sum_uj / 1000) <= 1;
    return sum_uj == 0;
}

static void add_up(const struct gl_meterlog *log, struct gl_readings *out)
{
    int64_t sum_uj[GL_COMP_OTHER + 1] = {0};
    const struct gl_reading *first = &log->readings[0], *last = &log->readings[log->count - 1];

    for (size_t i = 0; i < log->count; i++) {
        const struct gl_reading *reading = &log->readings[i];
        uint32_t flags = 0;

        assert_int_equal(reading->seq, i + 1);
        assert_string_equal(reading->boot, first->boot);
        out->gap_ms += reading->gap_ms;
        for (size_t j = 0; j < reading->component_count; j++) {
            sum_uj[reading->components[j].kind] += reading->components[j].delta_uj;
            flags |= reading->components[j].flags;
        }
        out->jumps += (flags & GL_FLAG_JUMPED) != 0;
    }
    out->boot_ms = (last->boottime_ns - first->boottime_ns) / 1000000;
    out->wall_ms = last->wall_ms - first->wall_ms;
    out->is_whole = true;
    for (int kind = 0; kind <= GL_COMP_OTHER; kind++)
        out->is_whole &= is_total(last, (enum gl_component_kind)kind, sum_uj[kind]);
}

void gl_readings_of(const char *console, const struct gl_bench_names *names,
                    struct gl_readings *out)
{
    struct gl_meterlog log = {.count = 0};
    struct gl_error err = {0};
    uint8_t token[32];

    assert_int_equal(gl_hex_parse(names->enrol, token, sizeof token, &err), 0);
    gl_meterlog_init(&log, names->id, token, sizeof token);
    gl_meterlog_feed(&log, console, strlen(console));
    *out = (struct gl_readings){.count = log.count,
                                .is_final = log.is_final,
                                .refused = log.rejected + log.repeated + log.forked + log.orphaned};
    assert_true(log.has_key || strstr(console, "GLM1 ") == NULL); /* it has said nothing yet */
    if (log.count > 0)
        add_up(&log, out);
    gl_meterlog_done(&log);
}
