/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HOOK_READ_H
#define TESTS_HOOK_READ_H

/* Documents in memory through a plan reader, for its tests. */

#include "broker/hook/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A value that no output and no error may hold. */
#define PLANTED "hunter2-planted"

static struct gl_hook_mapping *mapping;

static int open_mapping(void **state)
{
    struct gl_error err = {0};

    (void)state;
    mapping = gl_mapping_open(NULL, &err);
    return mapping == NULL;
}

static int close_mapping(void **state)
{
    (void)state;
    gl_mapping_free(mapping);
    return 0;
}

static int read_bytes(const struct gl_hook_reader *reader, const char *text, size_t length,
                      struct gl_hook_options options, struct gl_hook_plan *out,
                      struct gl_error *err)
{
    struct gl_feed *feed = gl_feed_of_bytes(text, length, "p");
    int status;

    options.mapping = mapping;
    *out = (struct gl_hook_plan){0};
    status = reader->read(feed, &options, out, err);
    gl_feed_close(feed);
    return status;
}

static __attribute__((unused)) void read_text(const struct gl_hook_reader *reader, const char *text,
                                              struct gl_hook_options options,
                                              struct gl_hook_plan *out)
{
    struct gl_error err = {0};
    json_t *json;
    char *shown;

    if (read_bytes(reader, text, strlen(text), options, out, &err) != 0)
        fail_msg("%s", err.text);
    json = gl_hook_plan_json(out);
    shown = json_dumps(json, 0);
    if (strstr(shown, PLANTED) != NULL)
        fail_msg("a value left the reader: %s", shown);
    free(shown);
    json_decref(json);
}

static __attribute__((unused)) void expect_error(const struct gl_hook_reader *reader,
                                                 const char *text, enum gl_errc code,
                                                 const char *said)
{
    struct gl_hook_plan plan;
    struct gl_error err = {0};

    assert_int_equal(
        read_bytes(reader, text, strlen(text), (struct gl_hook_options){0}, &plan, &err), -1);
    if (err.code != code || strstr(err.text, said) == NULL || strstr(err.text, PLANTED) != NULL)
        fail_msg("code %d, \"%s\" for %s", err.code, err.text, text);
    gl_hook_plan_done(&plan);
}

static __attribute__((unused)) const struct gl_intent *intent_of(const struct gl_hook_plan *plan,
                                                                 const char *address)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->intents[i].address, address) == 0)
            return &plan->intents[i];
    fail_msg("no %s", address);
    return NULL;
}

static __attribute__((unused)) bool says(const char *const *list, const char *part)
{
    for (; list != NULL && *list != NULL; list++)
        if (strstr(*list, part) != NULL)
            return true;
    return false;
}

/* Every prefix of it is an error or a plan, never a crash. */
static __attribute__((unused)) void read_prefixes(const struct gl_hook_reader *reader,
                                                  const char *text)
{
    for (size_t length = 0; length < strlen(text); length++) {
        struct gl_hook_plan plan;
        struct gl_error err = {0};
        char *cut = gl_alloc(length + 1);

        memcpy(cut, text, length);
        (void)read_bytes(reader, cut, length, (struct gl_hook_options){0}, &plan, &err);
        gl_hook_plan_done(&plan);
        free(cut);
    }
}

#endif
