/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/policytest/policytest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "policy/form.h"

const char *const gl_test_outcomes[] = {"satisfied", "violated", "unknown", "none", NULL};
const char *const gl_test_verdicts[] = {"allow", "later", "refuse", "unknown", NULL};

/* ---- values ---- */

/* A whole number of a dimension, in base units; its upper end is `most`. */
static int read_number(const struct gl_reader *reader, const struct gl_node *node, const char *name,
                       enum gl_dimension dim, int64_t most)
{
    const char *text = gl_value_text(reader, name, node, GL_TEXT_MAX);
    struct gl_error err = {0};
    int64_t millionths;

    if (text == NULL)
        return -1;
    if (gl_quantity_parse(dim, text, &millionths, &err) != 0) {
        gl_diagnose(&reader->source, &node->mark, err.code, "%s: %s", name, err.text);
        return -1;
    }
    if (millionths / 1000000 > most) {
        gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "%s is too large", name);
        return -1;
    }
    return (int)(millionths / 1000000);
}

static int read_count(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    int number = read_number(reader, node, field->name, GL_DIM_COUNT, 1000000);

    if (number < 0)
        return -1;
    *(uint32_t *)slot = (uint32_t)number;
    return 0;
}

/* Memory in whole MiB. */
static int read_memory(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);
    struct gl_error err = {0};
    int64_t micro_bytes;

    if (text == NULL)
        return -1;
    if (gl_quantity_parse(GL_DIM_SIZE, text, &micro_bytes, &err) != 0)
        return gl_diagnose(&reader->source, &node->mark, err.code, "%s: %s", field->name, err.text);
    *(uint32_t *)slot = (uint32_t)(micro_bytes / (INT64_C(1048576) * 1000000));
    return 0;
}

static int read_load(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);
    struct gl_error err = {0};
    int64_t ppm;

    if (text == NULL)
        return -1;
    if (gl_quantity_parse(GL_DIM_SHARE, text, &ppm, &err) != 0)
        return gl_diagnose(&reader->source, &node->mark, err.code, "%s: %s", field->name, err.text);
    if (ppm > 1000000)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "%s is at most 100%%",
                           field->name);
    *(int64_t *)slot = ppm;
    return 0;
}

static int read_exit(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    int status = read_number(reader, node, field->name, GL_DIM_COUNT, 255);

    if (status < 0)
        return -1;
    if (gl_exit_row(status) == NULL)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "there is no exit status %d; see: greenlaunch help exit", status);
    *(int *)slot = status;
    return 0;
}

/* {env: prod} to "env=prod". */
static int read_tags(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    const char **tags = gl_arena_take(reader->arena, (node->count + 1) * sizeof *tags);
    size_t count = 0;

    if (node->kind != GL_NODE_MAP)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s is a map, as in {env: prod}", field->name);
    for (const struct gl_node *tag = node->first; tag != NULL; tag = tag->next) {
        GL_AUTO(gl_str_done) struct gl_str joined = {0};
        const char *text = gl_value_text(reader, tag->key, tag, GL_TEXT_MAX);

        if (text == NULL)
            return -1;
        gl_str_addf(&joined, "%s=%s", tag->key, text);
        tags[count++] = gl_arena_text(reader->arena, joined.text, joined.length);
    }
    *(const char *const **)slot = tags;
    return 0;
}

static const struct gl_type type_count = {read_count, NULL, false};
static const struct gl_type type_memory = {read_memory, NULL, false};
static const struct gl_type type_load = {read_load, NULL, false};
static const struct gl_type type_exit = {read_exit, NULL, false};
static const struct gl_type type_tags = {read_tags, NULL, false};

/* ---- request ---- */

#define CASE(member) offsetof(struct gl_test_case, member)
static const struct gl_field request_fields[] = {
    {.name = "cloud", .type = &gl_type_globs, .offset = CASE(request.clouds)},
    {.name = "region", .type = &gl_type_globs, .offset = CASE(request.regions)},
    {.name = "type", .type = &gl_type_globs, .offset = CASE(request.types)},
    {.name = "count", .type = &type_count, .offset = CASE(request.count)},
    {.name = "duration", .type = &gl_type_span, .offset = CASE(request.duration.s)},
    {.name = "start_by", .type = &gl_type_time, .offset = CASE(start_by_s)},
    {.name = "load", .type = &type_load, .offset = CASE(load_ppm)},
    {.name = "min_vcpus", .type = &type_count, .offset = CASE(request.min_vcpus)},
    {.name = "max_vcpus", .type = &type_count, .offset = CASE(request.max_vcpus)},
    {.name = "min_memory", .type = &type_memory, .offset = CASE(request.min_memory_mib)},
    {.name = "max_memory", .type = &type_memory, .offset = CASE(request.max_memory_mib)},
    {.name = "gpu", .type = &gl_type_text, .offset = CASE(request.gpu)},
    {.name = "arch", .type = &gl_type_text, .offset = CASE(request.arch)},
    {.name = "tags", .type = &type_tags, .offset = CASE(request.tags)},
    {.name = "zone", .type = &gl_type_text, .offset = CASE(zone)},
    {.name = NULL},
};
static const struct gl_form request_form = {.what = "a request", .fields = request_fields};

/* ---- expectation ---- */

#define RESULT(member) offsetof(struct gl_test_result, member)
static const struct gl_field result_fields[] = {
    {.name = "rule", .type = &gl_type_text, .offset = RESULT(rule)},
    {.name = "key", .type = &gl_type_text, .offset = RESULT(key)},
    {.name = "offer", .type = &gl_type_text, .offset = RESULT(offer)},
    {.name = "outcome",
     .type = &gl_type_word,
     .offset = RESULT(outcome),
     .is_needed = true,
     .words = gl_test_outcomes},
    {.name = NULL},
};
static const struct gl_form result_form = {.what = "a result", .fields = result_fields};

static int read_results(const struct gl_reader *reader, const struct gl_field *field,
                        const struct gl_node *node, void *slot)
{
    struct gl_test_case *one = slot;
    int status = 0;

    if (node->kind != GL_NODE_LIST || node->count > GL_TEST_MAX_RESULTS)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s is a list of at most %d", field->name, GL_TEST_MAX_RESULTS);
    one->results = gl_arena_take(reader->arena, (node->count + 1) * sizeof *one->results);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next)
        status |= gl_form_read(reader, &result_form, item, &one->results[one->result_count++]);
    return status;
}

static const struct gl_type type_results = {read_results, NULL, true};
static const struct gl_field expect_fields[] = {
    {.name = "verdict", .type = &gl_type_word, .offset = CASE(verdict), .words = gl_test_verdicts},
    {.name = "exit", .type = &type_exit, .offset = CASE(exit)},
    {.name = "best", .type = &gl_type_text, .offset = CASE(best)},
    {.name = "results", .type = &type_results},
    {.name = NULL},
};
static const struct gl_form expect_form = {.what = "expect", .fields = expect_fields};

/* ---- cases ---- */

static int read_request(const struct gl_reader *reader, const struct gl_field *field,
                        const struct gl_node *node, void *slot)
{
    return gl_form_read(reader, field->form, node, slot);
}

static int read_expect(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    struct gl_test_case *one = slot;

    if (gl_form_read(reader, field->form, node, slot) != 0)
        return -1;
    if (one->verdict < 0 && one->exit < 0 && one->best == NULL && one->result_count == 0)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "a case that expects nothing cannot fail; write verdict, exit, best or "
                           "results");
    return 0;
}

/* Both forms fill the case itself. */
static const struct gl_type type_request = {read_request, NULL, false};
static const struct gl_type type_expect = {read_expect, NULL, false};
static const struct gl_field case_fields[] = {
    {.name = "name", .type = &gl_type_text, .offset = CASE(name), .is_needed = true},
    {.name = "at", .type = &gl_type_time, .offset = CASE(at_s)},
    {.name = "request", .type = &type_request, .form = &request_form},
    {.name = "expect", .type = &type_expect, .form = &expect_form, .is_needed = true},
    {.name = NULL},
};
static const struct gl_form case_form = {.what = "a case", .fields = case_fields};

static int read_cases(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    struct gl_test_file *file = slot;
    int status = 0;

    if (node->kind != GL_NODE_LIST || node->count == 0 || node->count > GL_TEST_MAX_CASES)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s is a list of 1 to %d cases, each beginning with \"- \"", field->name,
                           GL_TEST_MAX_CASES);
    file->cases = gl_arena_take(reader->arena, node->count * sizeof *file->cases);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        struct gl_test_case *one = &file->cases[file->count++];

        *one = (struct gl_test_case){.at_s = GL_UNKNOWN,
                                     .start_by_s = GL_UNKNOWN,
                                     .load_ppm = 500000,
                                     .verdict = -1,
                                     .exit = -1,
                                     .request = {.count = 1, .duration = {3600}}};
        status |= gl_form_read(reader, &case_form, item, one);
    }
    return status;
}

/* ---- the file ---- */

static const struct gl_type type_cases = {read_cases, NULL, true};

#define FILE_AT(member) offsetof(struct gl_test_file, member)
static const struct gl_field file_fields[] = {
    {.name = "greenlaunch_test", .type = &gl_type_version, .is_needed = true},
    {.name = "policy", .type = &gl_type_text, .offset = FILE_AT(policy), .is_needed = true},
    {.name = "waivers", .type = &gl_type_text, .offset = FILE_AT(waivers)},
    {.name = "clock", .type = &gl_type_time, .offset = FILE_AT(clock_s)},
    {.name = "world", .type = &gl_type_text, .offset = FILE_AT(world), .is_needed = true},
    {.name = "cases", .type = &type_cases, .is_needed = true},
    {.name = NULL},
};
static const struct gl_form file_form = {.what = "a policy test", .fields = file_fields};

/* A name in the file is a path relative to it. */
static const char *beside(struct gl_arena *arena, const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    GL_AUTO(gl_str_done) struct gl_str whole = {0};

    if (name == NULL || name[0] == '/' || slash == NULL)
        return name;
    gl_str_addf(&whole, "%.*s/%s", (int)(slash - path), path, name);
    return gl_arena_text(arena, whole.text, whole.length);
}

int gl_test_read(const char *path, struct gl_test_file *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_diagnostics *diagnostics = gl_alloc(sizeof *diagnostics);
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_test_file file = {.clock_s = GL_UNKNOWN};
    struct gl_reader reader = {.arena = &file.arena};
    const struct gl_error *first = &diagnostics->errors[0];
    const struct gl_node *node;
    size_t length;

    if (!gl_file_exists(path) && strcmp(path, "-") != 0)
        return gl_fail(err, GL_E_USAGE, "there is no test file %s", path);
    if (gl_file_read_given(path, GL_POLICY_MAX_BYTES, &text, &length, err) != 0)
        return -1;
    reader.source = gl_source_of((struct gl_view){text, length}, path, diagnostics);
    node = gl_yaml_read(&reader.source, &file.arena);
    if (node != NULL)
        gl_form_read(&reader, &file_form, node, &file);
    if (gl_diagnosed(diagnostics) > 0) {
        gl_arena_done(&file.arena);
        /* The remedy of UNKNOWN_KEY is for policies. */
        return gl_fail_at(err, first->code == GL_E_UNKNOWN_KEY ? GL_E_SYNTAX : first->code,
                          &first->pos, "%s", first->text);
    }
    file.path = gl_arena_text(&file.arena, path, strlen(path));
    file.policy = beside(&file.arena, path, file.policy);
    file.waivers = beside(&file.arena, path, file.waivers);
    file.world = beside(&file.arena, path, file.world);
    *out = file;
    return 0;
}

void gl_test_done(struct gl_test_file *file)
{
    gl_arena_done(&file->arena);
}
