/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TEST_POLICY_TEXT_H
#define GL_TEST_POLICY_TEXT_H

/* Policies as string literals for the policy tests. Every error is compared by code, place and a
 * piece of its text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct gl_diagnostics found; /* of the last parse */

static inline struct gl_view view_of(const char *text)
{
    return (struct gl_view){text, strlen(text)};
}

static inline void print_found(void)
{
    struct gl_str text = {0};

    gl_diagnostics_text(&found, 400, &text);
    print_message("%s", gl_str_text(&text));
    gl_str_done(&text);
}

static inline struct gl_policy *parse(const char *text)
{
    return gl_policy_parse(view_of(text), "p.yaml", NULL, &found);
}

/* A policy that must be good. */
static inline struct gl_policy *parse_good(const char *text)
{
    struct gl_policy *policy = parse(text);

    if (policy == NULL)
        print_found();
    assert_non_null(policy);
    assert_int_equal(found.count, 0);
    return policy;
}

/* The i-th error found. */
static inline void assert_error(size_t i, enum gl_errc code, uint32_t line, uint32_t column,
                                const char *piece)
{
    if (i >= found.count || found.errors[i].code != code || found.errors[i].pos.line != line ||
        found.errors[i].pos.column != column || strstr(found.errors[i].text, piece) == NULL) {
        print_message("wanted %d at %u:%u \"%s\", found:\n", (int)code, line, column, piece);
        print_found();
        fail();
    }
}

/* A policy with exactly one error. */
static inline void assert_bad(const char *text, enum gl_errc code, uint32_t line, uint32_t column,
                              const char *piece)
{
    struct gl_policy *policy = parse(text);

    assert_null(policy);
    assert_error(0, code, line, column, piece);
    if (found.count != 1)
        print_found();
    assert_int_equal(found.count, 1);
}

static inline const struct gl_constraint *constraint_of(const struct gl_rule *rule,
                                                        enum gl_key_id key)
{
    for (size_t i = 0; i < rule->count; i++)
        if (rule->constraints[i].key->id == key)
            return &rule->constraints[i];
    return NULL;
}

/* An example file of the repository, to be freed. */
static inline char *read_example(const char *name)
{
    struct gl_error err = {0};
    char path[256];
    char *text;
    size_t length;

    snprintf(path, sizeof path, "examples/policies/%s", name);
    if (gl_file_read(path, GL_POLICY_MAX_BYTES, &text, &length, &err))
        print_message("%s\n", err.text);
    assert_int_equal(err.code, GL_OK);
    return text;
}

#endif
