/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_SIGNAL_ANSWERS_H
#define GL_TESTS_SIGNAL_ANSWERS_H

/* Answers of signal sources: hostile ones, good ones made bad, and what a good one keeps. */

#include "base/json.h"
#include "base/str.h"
#include "providers/signal/signal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1768047000) /* 2026-01-10T12:10Z, as in the vectors */

/* Nothing usable may come of these, whatever the source. */
static const char *const hostile[] = {
    "",
    "{}",
    "[]",
    "null",
    "true",
    "0",
    "\"text\"",
    "{\"data\":null}",
    "{\"data\":{}}",
    "{\"data\":[]}",
    "{\"data\":[null]}",
    "{\"data\":[[]]}",
    "{\"records\":[{}]}",
    "{\"series\":[{}]}",
    "{\"unix_seconds\":[],\"share\":[],\"ren_share\":[]}",
    "{\"error\":{\"code\":\"400 Bad Request\",\"message\":\"no\"}}",
    "<html><body>503 Service Unavailable</body></html>",
    "\xff\xfe\x00\x01",
    "{\"a\":1} {",
    "{\"data\":1e999}",
    "\xef\xbb\xbf{}",
    "{\"a\":\"\\ud800\"}",
    "from,until\n1,2\n",
    "<GL_MarketDocument/>",
    "<GL_MarketDocument><type>A75</type><process.processType>A16</process.processType>",
    "<!DOCTYPE a [<!ENTITY b \"b\">]><a>&b;</a>",
    "{\"response\":{\"total\":\"0\",\"data\":[]}}",
    "{\"response\":{\"frequency\":\"hourly\",\"data\":[{}]}}",
};

static inline struct gl_view view(const char *text)
{
    return (struct gl_view){text, strlen(text)};
}

static inline bool has_usable(const struct gl_signal_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        if (!result->series[i].is_suspect && result->series[i].count > 0)
            return true;
    return false;
}

static inline void check_contract(const struct gl_series *series, const char *zone,
                                  const char *name)
{
    assert_string_equal(series->zone, zone);
    assert_string_equal(series->provider, name);
    assert_true(series->dataset[0] != '\0' && series->licence[0] != '\0');
    assert_false(series->is_suspect);
    assert_true(series->count > 0);
    if (series->meaning.quantity == GL_INTENSITY) {
        assert_int_not_equal(series->meaning.boundary, GL_BOUNDARY_NA);
        assert_int_not_equal(series->meaning.gases, GL_GASES_NA);
        assert_int_equal(series->meaning.share_of, 0);
    } else {
        assert_int_equal(series->meaning.boundary, GL_BOUNDARY_NA);
        assert_int_equal(series->meaning.gases, GL_GASES_NA);
        /* What a seller claims may leave open what counts. */
        if (series->meaning.accounting != GL_MARKET)
            assert_int_not_equal(series->meaning.share_of, 0);
    }
    for (size_t i = 0; i < series->count; i++) {
        assert_true(series->points[i].until_s > series->points[i].from_s);
        assert_true(i == 0 || series->points[i].from_s >= series->points[i - 1].until_s);
    }
}

/* A second tidying changes nothing. */
static inline void check_tidied(struct gl_series *series)
{
    size_t count = series->count;
    struct gl_point *before = gl_alloc(count * sizeof *before);

    memcpy(before, series->points, count * sizeof *before);
    gl_series_tidy(series, (struct gl_instant){NOW});
    assert_int_equal(series->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(series->points[i].from_s, before[i].from_s);
        assert_int_equal(series->points[i].until_s, before[i].until_s);
        assert_int_equal(series->points[i].value_u, before[i].value_u);
    }
    free(before);
}

static inline bool is_named(const char *const *names, const char *key)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, key) == 0)
            return true;
    return false;
}

/* Replace every value under the named members by `value`, in lists too; how many there were. */
static inline unsigned replace(json_t *node, const char *const *names, json_t *value)
{
    unsigned count = 0;
    const char *key;
    void *next;
    json_t *member;
    size_t i, k;

    json_object_foreach_safe(node, next, key, member)
    {
        if (!is_named(names, key)) {
            count += replace(member, names, value);
        } else if (json_is_array(member)) {
            for (k = 0; k < json_array_size(member); k++, count++)
                json_array_set(member, k, value);
        } else {
            json_object_set(node, key, value);
            count++;
        }
    }
    json_array_foreach(node, i, member) count += replace(member, names, value);
    return count;
}

/* The same in XML: the text of every element of these names, `value` as it is without quotes. */
static inline char *replace_elements(const char *bytes, const char *const *names, const char *value)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};
    size_t length = strlen(value), quote = value[0] == '"';
    const char *at = bytes, *end;
    char name[64];

    for (; (end = strchr(at, '>')) != NULL; at = end) {
        gl_str_add_bytes(&out, at, (size_t)(++end - at));
        for (at = end - 1; at > bytes && *at != '<';)
            at--;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, " >"), at + 1);
        if (*at != '<' || !is_named(names, name))
            continue;
        gl_str_add_bytes(&out, value + quote, length - 2 * quote);
        end += strcspn(end, "<");
    }
    gl_str_add(&out, at);
    return gl_str_take(&out);
}

#endif
