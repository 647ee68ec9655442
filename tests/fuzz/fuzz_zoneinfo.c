/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zoneinfo.h"

#include <stdlib.h>
#include <string.h>

/* A TZif file, and its bytes as a rule: a zone whose clocks can be asked at any instant. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void ask(const struct gl_zone *zone)
{
    static const int64_t instants[] = {-1000000000000,  -1, 0, 1700000000, 4000000000, 253402300799,
                                       1000000000000000};

    for (size_t i = 0; i < sizeof instants / sizeof *instants; i++) {
        int64_t at = instants[i], first = gl_zone_of_local(zone, at);

        demand(gl_zone_next(zone, at) > at);
        demand(first + gl_zone_offset(zone, first) >= at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_zone zone;
    struct gl_error err = {0};
    char text[256];

    if (gl_zone_read(bytes, size, "fuzz", &zone, &err) == 0) {
        ask(&zone);
        gl_zone_done(&zone);
    }
    if (size >= sizeof text)
        return 0;
    memcpy(text, bytes, size);
    text[size] = '\0';
    zone = gl_zone_utc;
    gl_error_clear(&err);
    if (gl_zone_rule_read(text, &zone.rule, &err) == 0)
        ask(&zone);
    return 0;
}
