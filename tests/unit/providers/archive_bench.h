/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_ARCHIVE_BENCH_H
#define GL_TESTS_ARCHIVE_BENCH_H

/* An archive of one key, and what may be asked of it. The test defines FOLDER, its own folder below
 * build/, before it includes this. */

#include "base/file.h"
#include "providers/signal/adapter.h"
#include "providers/signal/archive.h"
#include "providers/signal/archive_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW  INT64_C(1768046400) /* 2026-01-10T12:00Z */
#define HOUR INT64_C(3600)
#define DAY  INT64_C(86400)
#define G(x) ((int64_t)(x)*1000000)

static const struct gl_meaning grams = {.quantity = GL_INTENSITY,
                                        .boundary = GL_DIRECT,
                                        .gases = GL_CO2,
                                        .trace = GL_FIXED_IMPORTS,
                                        .factor_set = "NESO"};
static const struct gl_archive_key key = {.folder = FOLDER,
                                          .provider = "neso",
                                          .dataset = "national",
                                          .zone = "GB",
                                          .meaning = &grams,
                                          .licence = "CC BY 4.0",
                                          .attribution = "NESO"};

static inline int set_up(void **state)
{
    struct gl_error err = {0};

    (void)state;
    return gl_dir_remove(FOLDER, &err);
}

/* ---- what is kept ---- */

static inline struct gl_archive_actual actual(int64_t hour_s, int64_t value_u, int64_t received_s)
{
    return (struct gl_archive_actual){.hour_s = hour_s,
                                      .value_u = value_u,
                                      .received_s = received_s,
                                      .updated_s = GL_UNKNOWN,
                                      .evidence = GL_PRELIMINARY};
}

static inline struct gl_archive_kept keep_actual(struct gl_archive_actual one)
{
    struct gl_archive_batch batch = {.actuals = &one, .actual_count = 1};
    struct gl_archive_kept kept = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_archive_keep(&key, &batch, NULL, &kept, &err), 0);
    return kept;
}

/* An issue of three hours, received at `received_s`. */
static inline int keep_issue(int64_t issued_s, int64_t received_s, const int64_t values_u[3],
                             struct gl_error *err)
{
    const struct gl_archive_issue issue = {.issued_s = issued_s,
                                           .received_s = received_s,
                                           .start_s = received_s - received_s % HOUR,
                                           .count = 3,
                                           .value_u = values_u};
    const struct gl_archive_batch batch = {.issue = &issue};
    struct gl_archive_kept kept = {0};

    return gl_archive_keep(&key, &batch, NULL, &kept, err) ? -1 : (int)kept.issues;
}

static inline struct gl_archive_content read_at(int64_t known_at_s)
{
    struct gl_archive_content content = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_archive_read(&key, known_at_s, &content, &err), 0);
    return content;
}

static inline size_t count_at(int64_t known_at_s, bool of_issues)
{
    struct gl_archive_content content = read_at(known_at_s);
    size_t count = of_issues ? content.issue_count : content.actual_count;

    gl_archive_content_done(&content);
    return count;
}

static inline void store_five(void)
{
    for (int i = 0; i < 5; i++)
        keep_actual(actual(NOW - (5 - i) * HOUR, G(100) + i, NOW + i));
}

#endif
