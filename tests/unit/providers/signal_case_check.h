/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_SIGNAL_CASE_CHECK_H
#define GL_TESTS_SIGNAL_CASE_CHECK_H

/* The part of signal_case.h that compares what an adapter gave with "expect" of case.json. */

#include "base/time.h"
#include "providers/signal/signal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

struct signal_case {
    const char *folder;
    const struct gl_signal_ops *ops;
    json_t *json;
    struct gl_signal_query query;
    struct gl_instant retrieved;
    struct gl_signal_result result;
    struct gl_error error;
    bool is_read; /* the adapter gave a result */
};

static inline int64_t case_figure(const json_t *value)
{
    return json_is_null(value) ? GL_UNKNOWN : json_integer_value(value);
}

/* [from, until, value, low, high, evidence] */
static inline void case_check_point(const struct signal_case *c, const struct gl_point *point,
                                    const json_t *wanted)
{
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){point->from_s}, from);
    gl_instant_text((struct gl_instant){point->until_s}, until);
    print_message("    %s %s %s\n", c->folder, from, until);
    assert_string_equal(from, json_string_value(json_array_get(wanted, 0)));
    assert_string_equal(until, json_string_value(json_array_get(wanted, 1)));
    assert_int_equal(point->value_u, case_figure(json_array_get(wanted, 2)));
    assert_int_equal(point->low_u, case_figure(json_array_get(wanted, 3)));
    assert_int_equal(point->high_u, case_figure(json_array_get(wanted, 4)));
    assert_string_equal(gl_evidence_word(point->evidence),
                        json_string_value(json_array_get(wanted, 5)));
}

/* A word of the meaning, when the case names one. */
static inline void case_check_word(const json_t *wanted, const char *key, const char *found)
{
    const json_t *word = json_object_get(wanted, key);

    if (word != NULL)
        assert_string_equal(json_string_value(word), found);
}

static inline void case_check_meaning(const struct gl_series *series, const json_t *wanted)
{
    const struct gl_meaning *m = &series->meaning;
    const json_t *bits = json_object_get(wanted, "share_of");
    const json_t *permille = json_object_get(wanted, "bound_permille");

    case_check_word(wanted, "quantity", gl_quantity_word(m->quantity));
    case_check_word(wanted, "rate", gl_rate_word(m->rate));
    case_check_word(wanted, "boundary", gl_boundary_word(m->boundary));
    case_check_word(wanted, "gases", gl_gases_word(m->gases));
    case_check_word(wanted, "trace", gl_trace_word(m->trace));
    case_check_word(wanted, "accounting", gl_accounting_word(m->accounting));
    case_check_word(wanted, "matching", gl_matching_word(m->matching));
    case_check_word(wanted, "factor_set", m->factor_set);
    case_check_word(wanted, "dataset", series->dataset);
    case_check_word(wanted, "zone", series->zone);
    if (bits != NULL)
        assert_int_equal(m->share_of, json_integer_value(bits));
    if (permille != NULL)
        assert_int_equal(series->bound_permille, json_integer_value(permille));
}

static inline void case_check_series(const struct signal_case *c, struct gl_series *series,
                                     const json_t *wanted)
{
    const char *suspicion = json_string_value(json_object_get(wanted, "suspect"));
    const json_t *points = json_object_get(wanted, "points");

    gl_series_tidy(series, c->retrieved);
    assert_string_equal(series->provider, c->ops->name);
    assert_true(series->licence[0] != '\0' && series->attribution[0] != '\0');
    assert_int_equal(series->retrieved_s, c->retrieved.unix_s);
    case_check_meaning(series, wanted);
    if (suspicion == NULL && series->is_suspect)
        fail_msg("%s is suspect: %s", c->folder, series->suspicion);
    if (suspicion != NULL) {
        assert_true(series->is_suspect);
        assert_string_equal(series->suspicion, suspicion);
    }
    if (points == NULL)
        return;
    assert_int_equal(series->count, json_array_size(points));
    for (size_t i = 0; i < series->count; i++)
        case_check_point(c, &series->points[i], json_array_get(points, i));
}

static inline void case_check(struct signal_case *c)
{
    const json_t *expect = json_object_get(c->json, "expect");
    const char *error = json_string_value(json_object_get(expect, "error"));
    const char *says = json_string_value(json_object_get(expect, "says"));
    const json_t *series = json_object_get(expect, "series");

    print_message("  %s\n", c->folder);
    if (error != NULL) {
        assert_false(c->is_read);
        assert_string_equal(gl_errc_row(c->error.code)->symbol, error);
        if (says != NULL && strstr(c->error.text, says) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", c->folder, c->error.text, says);
        assert_int_equal(c->result.count, 0); /* nothing half is left behind */
        return;
    }
    if (!c->is_read)
        fail_msg("%s: %s", c->folder, c->error.text);
    assert_true(json_is_array(series));
    assert_int_equal(c->result.count, json_array_size(series));
    for (size_t i = 0; i < c->result.count; i++)
        case_check_series(c, &c->result.series[i], json_array_get(series, i));
}

#endif
