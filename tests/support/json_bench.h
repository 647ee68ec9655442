/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_JSON_BENCH_H
#define GL_TESTS_JSON_BENCH_H

/* A JSON reader over bytes in memory, as the tests of its parts use it. */

#include "base/jsonpull.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

struct bench {
    struct gl_feed *feed;
    struct gl_jsonpull *pull;
    struct gl_error err;
};

static inline struct bench open_bytes(const char *bytes, size_t length)
{
    struct bench bench = {.feed = gl_feed_of_bytes(bytes, length, "plan.json")};

    bench.pull = gl_jsonpull_new(bench.feed);
    return bench;
}

static inline struct bench open_text(const char *text)
{
    return open_bytes(text, strlen(text));
}

static inline void done(struct bench *bench)
{
    gl_jsonpull_free(bench->pull);
    gl_feed_close(bench->feed);
}

static inline void assert_failed(struct bench *bench, int rc, enum gl_errc code, const char *says)
{
    assert_int_equal(rc, -1);
    if (bench->err.code != code || strstr(bench->err.text, says) == NULL)
        fail_msg("%d: %s", (int)bench->err.code, bench->err.text);
}

#endif
