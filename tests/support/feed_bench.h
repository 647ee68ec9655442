/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_FEED_BENCH_H
#define GL_TESTS_FEED_BENCH_H

/* Demand feeds of made-up organisations, each with a key of its own. For test_feed*.c, one program
 * each. */

#include "broker/feed_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OCTOBER (12 * 2026 + 9)     /* as gl_demand_cell.month */
#define NOW_S   INT64_C(1795132800) /* 2026-11-20 */
#define RULE    "renewable-share>=95%;location;hourly;grade>=C"

static inline void key_of(unsigned organisation, struct gl_secret_key *secret,
                          struct gl_public_key *key)
{
    uint8_t seed[32] = {7};

    memcpy(seed + 1, &organisation, sizeof organisation);
    gl_key_of_seed(seed, secret, key);
}

static inline struct gl_demand_cell cell_of(const char *region, int month, int64_t launches)
{
    struct gl_demand need = {.capability = GL_CAPABILITY_GREEN, .provider = "aws", .rule = RULE};
    struct gl_demand_cell cell = {.month = month,
                                  .capability = need.capability,
                                  .provider = "aws",
                                  .rule = RULE,
                                  .organisations = gl_demand_range_of(GL_DEMAND_K),
                                  .launches = gl_demand_range_of(launches),
                                  .hours = gl_demand_range_of(4 * launches),
                                  .gpu_hours = gl_demand_range_of(0),
                                  .grade = GL_GRADE_B};

    snprintf(need.region, sizeof need.region, "%s", region);
    memcpy(cell.region, need.region, sizeof cell.region);
    gl_demand_fingerprint(&need, cell.fingerprint);
    return cell;
}

static inline json_t *own_document(struct gl_demand_cell *cells, size_t count, int64_t issued_s)
{
    struct gl_error err = {0};
    json_t *list = gl_demand_cells_json(cells, count, false, &err);

    assert_non_null(list);
    return json_pack("{s:i,s:s,s:b,s:I,s:{s:i,s:i},s:o}", "greenlaunch_demand", 1, "kind", "own",
                     "demo", 0, "issued_s", (json_int_t)issued_s, "threshold", "refused", 5, "days",
                     3, "cells", list);
}

static inline json_t *shared_document(struct gl_demand_cell *cells, size_t count, int64_t k)
{
    struct gl_error err = {0};
    json_t *list = gl_demand_cells_json(cells, count, true, &err);

    assert_non_null(list);
    return json_pack("{s:i,s:s,s:b,s:I,s:I,s:o,s:o}", "greenlaunch_demand", 1, "kind", "shared",
                     "demo", 0, "issued_s", (json_int_t)NOW_S, "k", (json_int_t)k, "noise",
                     gl_demand_noise_json(), "cells", list);
}

/* Its signed text; the document is taken. To be freed. */
static inline char *sealed(json_t *document, unsigned organisation)
{
    struct gl_error err = {0};
    struct gl_secret_key secret;
    struct gl_public_key key;
    char *text;

    key_of(organisation, &secret, &key);
    text = gl_seal(document, &secret, &key, &err);
    json_decref(document);
    if (text == NULL)
        fail_msg("%s", err.text);
    return text;
}

static inline char *own_text(struct gl_demand_cell *cells, size_t count, int64_t issued_s,
                             unsigned organisation)
{
    return sealed(own_document(cells, count, issued_s), organisation);
}

/* 0, or -1 with *err. *out_is_newest may be NULL. */
static inline int merge_text(struct gl_demand_merge *merge, const char *text, bool *out_is_newest,
                             struct gl_error *err)
{
    GL_AUTO(gl_demand_feed_done) struct gl_demand_feed feed = {0};
    bool is_newest = false;

    gl_error_clear(err);
    if (gl_demand_feed_read(text, strlen(text), NULL, &feed, err) != 0 ||
        gl_demand_merge_add(merge, &feed, &is_newest, err) != 0)
        return -1;
    if (out_is_newest != NULL)
        *out_is_newest = is_newest;
    return 0;
}

#endif
