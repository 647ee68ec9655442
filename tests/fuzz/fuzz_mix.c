/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/signal.h"

#include <stdlib.h>
#include <string.h>

/* Answers of the sources that give generation by fuel or by country; the first byte says which and,
 * for one that is asked several questions, which of them. Whatever the bytes, what comes of them
 * keeps the contract; a tidied series that is not suspect holds possible figures only. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define NOW INT64_C(1768047000) /* 2026-01-10T12:10Z */

static const struct {
    const char *name, *zone;
    unsigned request;
} questions[] = {
    {"entsoe", "FR", 0}, {"eia", "US-CAL-CISO", 0}, {"ember", "DE", 0},
    {"ember", "DE", 1},  {"ember", "DE", 2},        {"ember", "DE", 3},
};

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_series(struct gl_series *series)
{
    bool is_share = series->meaning.quantity != GL_INTENSITY;

    gl_series_tidy(series, (struct gl_instant){NOW});
    demand((series->meaning.share_of != 0) == is_share);
    demand(series->meaning.trace == GL_PRODUCTION);
    for (size_t i = 0; i < series->count; i++) {
        const struct gl_point *point = &series->points[i];

        demand(point->until_s > point->from_s);
        demand(i == 0 || point->from_s >= series->points[i - 1].until_s);
        if (series->is_suspect)
            continue;
        demand(point->value_u >= 0 && (!is_share || point->value_u <= 1005000));
        demand(point->low_u == GL_UNKNOWN || point->low_u <= point->value_u);
        demand(point->high_u == GL_UNKNOWN || point->high_u >= point->value_u);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_signal_query query = {.from = {NOW}, .until = {NOW + 3600}};
    struct gl_signal_result result = {0};
    struct gl_error err = {0};
    unsigned which;

    if (size == 0)
        return 0;
    which = bytes[0] % (sizeof questions / sizeof questions[0]);
    memcpy(query.zone, questions[which].zone, strlen(questions[which].zone) + 1);
    if (gl_signal_find(questions[which].name)
            ->parse(&query, questions[which].request, (const char *)bytes + 1, size - 1,
                    (struct gl_instant){NOW}, &result, &err) < 0) {
        demand(err.code != GL_OK && result.count == 0);
        return 0;
    }
    demand(result.count > 0);
    for (size_t i = 0; i < result.count; i++)
        check_series(&result.series[i]);
    gl_signal_result_done(&result);
    return 0;
}
