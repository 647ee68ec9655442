/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_IDENTITY_BENCH_H
#define GL_TESTS_IDENTITY_BENCH_H

/* Fixtures of tests/vectors/identity and what is common to test_identity*.c, one program each. */

#include "providers/cloud/identity.h"

#include "base/file.h"
#include "base/json.h"
#include "base/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER    "tests/vectors/identity"
#define CHALLENGE "0123456789abcdef0123456789abcdef"
#define NOW       2426365200 /* 2046-11-20T22:20:00Z: long after the fixtures were made */

static inline struct gl_view read_file(const char *name)
{
    struct gl_error err = {0};
    char *path = gl_path_join(FOLDER, name), *text = NULL;
    size_t length;

    assert_int_equal(gl_file_read(path, GL_IDENTITY_MAX_DOCUMENT, &text, &length, &err), 0);
    free(path);
    return (struct gl_view){text, length};
}

static inline void free_view(struct gl_view *view)
{
    free((char *)(uintptr_t)view->text);
}

#define AUTO_VIEW GL_AUTO(free_view) struct gl_view

static inline void accepted(const struct gl_identity_ask *ask, struct gl_identity *out)
{
    struct gl_error err = {0};

    if (gl_identity_verify(ask, out, &err) != 0)
        fail_msg("%s", err.text);
}

static inline void refused(const struct gl_identity_ask *ask, const char *why)
{
    struct gl_identity out = {.provider = "untouched"};
    struct gl_error err = {0};

    assert_int_equal(gl_identity_verify(ask, &out, &err), -1);
    assert_string_equal(out.provider, "untouched");
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    if (strstr(err.text, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

#endif
