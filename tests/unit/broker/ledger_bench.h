/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_LEDGER_BENCH_H
#define GL_TESTS_LEDGER_BENCH_H

/* A ledger in a folder of its own, events in it, and SQL behind its back. For test_ledger*.c, one
 * program each. */

#include "base/file.h"
#include "broker/ledger.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* Unit tests link archives only. */
#include "tests/support/scratch.c"

#define NOW INT64_C(1767225600000)

static char *folder, *path;
static struct gl_world *world;
static struct gl_error err;
static const char *padding = ""; /* of events, where they shall be large */

static inline int set_up(void **state)
{
    (void)state;
    folder = scratch_make("test_ledger");
    path = gl_path_join(folder, "ledger.db");
    world = gl_world_fixed_new(NOW, 1, NULL);
    gl_error_clear(&err);
    padding = "";
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    gl_world_fixed_free(world);
    free(path);
    scratch_remove(folder);
    return 0;
}

static inline struct gl_ledger *open_capped(int max_pages)
{
    return gl_ledger_open(path, world, max_pages, &err);
}

static inline struct gl_ledger *must_open(void)
{
    struct gl_ledger *ledger = open_capped(0);

    if (ledger == NULL)
        fail_msg("%s", err.text);
    return ledger;
}

/* An event that changes the projection, so that a half of it would show. */
static inline int append(struct gl_ledger *ledger, const char *launch, const char *state,
                         int64_t number)
{
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = state,
                                      .zone = "XX"};
    json_t *body = json_pack("{s:s,s:I}", "state", state, "number", (json_int_t)number);
    int result;

    if (padding[0] != '\0')
        json_object_set_new(body, "padding", json_string(padding));
    change.attempt = number;
    change.created_ms = NOW + number;
    world->sleep_ms(world->cookie, 10);
    result = gl_ledger_append(ledger, state, launch, body, &change, &err);
    json_decref(body);
    return result;
}

static inline void append_many(struct gl_ledger *ledger, int64_t count)
{
    for (int64_t i = 1; i <= count; i++)
        assert_int_equal(append(ledger, i % 2 ? "gl-odd" : "gl-even", "running", i), 0);
}

static inline struct gl_ledger_check must_check(struct gl_ledger *ledger)
{
    struct gl_ledger_check check;

    if (gl_ledger_check(ledger, &check, &err) != 0)
        fail_msg("%s", err.text);
    return check;
}

/* Behind its back. */
static inline void sql(const char *text)
{
    char *why = NULL;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

#define WITHOUT_GUARDS "DROP TRIGGER events_keep; DROP TRIGGER events_stay;"

struct seen {
    size_t count, most;
    int64_t last;
    struct gl_str text;
};

static inline int see(void *cookie, const json_t *event)
{
    struct seen *seen = cookie;
    struct gl_error ignored = {0};
    char *text = gl_json_canonical(event, &ignored);

    gl_str_addf(&seen->text, "%s\n", text);
    free(text);
    assert_true(json_integer_value(json_object_get(event, "seq")) > seen->last);
    seen->last = json_integer_value(json_object_get(event, "seq"));
    return ++seen->count == seen->most;
}

static inline void fresh(int64_t events)
{
    struct gl_ledger *ledger;

    assert_int_equal(gl_dir_remove(folder, &err), 0);
    assert_int_equal(gl_dir_make(folder, &err), 0);
    ledger = must_open();
    append_many(ledger, events);
    gl_ledger_close(ledger);
}

#endif
