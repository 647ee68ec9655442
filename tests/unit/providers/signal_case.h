/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_SIGNAL_CASE_H
#define GL_TESTS_SIGNAL_CASE_H

/* Runs the folders of tests/vectors/signal/<adapter>/: case.json says what is asked and what must
 * come of it, body.* is the answer (README.md there). Adding a test is adding a folder. */

#include "base/file.h"
#include "base/json.h"
#include "tests/unit/providers/signal_case_check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static inline struct gl_instant case_time(const json_t *object, const char *key)
{
    struct gl_instant at = {0};
    struct gl_error err = {0};
    const char *text = json_string_value(json_object_get(object, key));

    if (text == NULL)
        fail_msg("%s is missing", key);
    if (gl_instant_parse(text, &at, &err))
        fail_msg("%s: %s", key, err.text);
    return at;
}

static inline json_t *case_load(const char *folder)
{
    char *path = gl_path_join(folder, "case.json");
    struct gl_error err = {0};
    char *bytes;
    size_t length;
    json_t *json;

    if (gl_file_read(path, 1 << 20, &bytes, &length, &err))
        fail_msg("%s", err.text);
    json = gl_json_parse(bytes, length, path, &err);
    if (json == NULL)
        fail_msg("%s: %s", path, err.text);
    free(bytes);
    free(path);
    return json;
}

/* The body file of a case, a fresh path. */
static inline char *case_body(const struct signal_case *c)
{
    const char *name = json_string_value(json_object_get(c->json, "body"));

    return gl_path_join(c->folder, name != NULL ? name : "body.json");
}

static inline void case_parse(struct signal_case *c)
{
    unsigned index = (unsigned)json_integer_value(json_object_get(c->json, "request"));
    char *path = case_body(c);
    struct gl_error err = {0};
    char *bytes;
    size_t length;

    if (gl_file_read(path, (size_t)16 << 20, &bytes, &length, &err))
        fail_msg("%s", err.text);
    c->is_read =
        c->ops->parse(&c->query, index, bytes, length, c->retrieved, &c->result, &c->error) == 0;
    free(bytes);
    free(path);
}

static inline void case_read(struct signal_case *c)
{
    struct gl_world *world = gl_world_fixed_new(c->retrieved.unix_s * 1000, 1, NULL);
    char *path = case_body(c);
    const struct gl_signal_config config = {
        .name = c->ops->name,
        .path = path,
        .zone = json_string_value(json_object_get(c->json, "configured_zone")),
    };

    c->is_read = c->ops->read(&c->query, &config, world, &c->result, &c->error) == 0;
    gl_world_fixed_free(world);
    free(path);
}

/* "config": the words of the configuration that the source is told. */
static inline void case_config(const json_t *json, struct gl_signal_config *out)
{
    const json_t *told = json_object_get(json, "config");

    out->zone = json_string_value(json_object_get(told, "zone"));
    out->location = json_string_value(json_object_get(told, "location"));
    out->rate = json_string_value(json_object_get(told, "rate"));
    out->boundary = json_string_value(json_object_get(told, "boundary"));
    out->gases = json_string_value(json_object_get(told, "gases"));
    out->trace = json_string_value(json_object_get(told, "trace"));
    out->unit = json_string_value(json_object_get(told, "unit"));
}

static inline void case_run(const char *folder, const struct gl_signal_ops *ops)
{
    struct signal_case c = {.folder = folder, .ops = ops, .json = case_load(folder)};
    const char *zone = json_string_value(json_object_get(c.json, "zone"));
    struct gl_signal_config config = {.name = ops->name};

    assert_non_null(zone);
    case_config(c.json, &config);
    c.query.config = json_object_get(c.json, "config") != NULL ? &config : NULL;
    snprintf(c.query.zone, sizeof c.query.zone, "%s", zone);
    c.query.neso = json_string_value(json_object_get(c.json, "neso"));
    c.query.is_past = json_is_true(json_object_get(c.json, "past"));
    c.query.from = case_time(c.json, "from");
    c.query.until = case_time(c.json, "until");
    c.retrieved = case_time(c.json, "retrieved");
    if (ops->parse != NULL)
        case_parse(&c);
    else
        case_read(&c);
    case_check(&c);
    gl_signal_result_done(&c.result);
    json_decref(c.json);
}

static inline int case_is_folder(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Every case of an adapter; at least `least` of them, so that none is lost in silence. */
static inline void case_run_all(const char *adapter, size_t least)
{
    const struct gl_signal_ops *ops = gl_signal_find(adapter);
    char *root = gl_path_join("tests/vectors/signal", adapter);
    struct dirent **entries = NULL;
    int count = scandir(root, &entries, case_is_folder, alphasort);

    assert_non_null(ops);
    if (count < (int)least)
        fail_msg("%s: %d cases, at least %zu are expected", root, count, least);
    for (int i = 0; i < count; i++) {
        char *folder = gl_path_join(root, entries[i]->d_name);

        case_run(folder, ops);
        free(folder);
        free(entries[i]);
    }
    free(entries);
    free(root);
}

#endif
