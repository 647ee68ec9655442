/* SPDX-License-Identifier: Apache-2.0 */
/* hook mapping list|lint: which resource types are known, and is a folder of one's own in order. */
#include <string.h>

#include "broker/cli/hook.h"
#include "broker/render/table.h"

static const struct gl_column list_columns[] = {
    {"TYPE", false, 0}, {"ROLE", false, 0}, {"CLOUD", false, 2}, {"VERIFIED", false, 3}};

static int list(struct gl_context *context, const struct gl_hook_mapping *mapping)
{
    struct gl_table *table = gl_table_new(list_columns, sizeof list_columns / sizeof *list_columns);
    const struct gl_mapping_row *row;
    json_t *rows = json_array();

    for (size_t i = 0; (row = gl_mapping_at(mapping, i)) != NULL; i++) {
        const char *verified = row->verified != NULL ? row->verified : "";
        const char *cloud = row->cloud != NULL ? row->cloud : "";

        gl_table_row(table,
                     (const char *const[]){row->type, gl_role_word(row->role), cloud, verified});
        json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:s,s:s?}", "type", row->type, "role",
                                              gl_role_word(row->role), "cloud", cloud, "verified",
                                              verified, "source", row->source));
    }
    gl_table_text(table, context->columns, context->globals.is_accessible, &context->reply.text);
    gl_table_free(table);
    context->reply.data = json_pack("{s:o}", "rows", rows);
    return GL_EXIT_OK;
}

/* A folder that opens is in order: every row of it is read. */
static int lint(struct gl_context *context, const struct gl_hook_values *values,
                const struct gl_hook_mapping *mapping)
{
    size_t own = 0, all = 0;

    for (const struct gl_mapping_row *row; (row = gl_mapping_at(mapping, all)) != NULL; all++)
        own += row->source != NULL && values->mapping_dir != NULL &&
               strncmp(row->source, values->mapping_dir, strlen(values->mapping_dir)) == 0;
    gl_str_addf(&context->reply.text, "ok: %zu types, %zu of them from %s\n", all, own,
                values->mapping_dir != NULL ? values->mapping_dir : "--mapping-dir");
    context->reply.data =
        json_pack("{s:b,s:I,s:I}", "ok", 1, "types", (json_int_t)all, "own", (json_int_t)own);
    return GL_EXIT_OK;
}

/* Every error of every file, as the answer; the first one is the error of the envelope too. */
static int tell_faults(struct gl_context *context, const struct gl_str *report,
                       struct gl_error *err)
{
    enum gl_exit status = gl_errc_row(err->code)->exit;

    gl_str_add_bytes(&context->reply.text, gl_str_text(report), report->length);
    context->reply.data =
        json_pack("{s:b,s:o?}", "ok", 0, "report", json_string(gl_str_text(report)));
    if (context->globals.is_json)
        return -1;
    *err = (struct gl_error){0};
    return (int)status;
}

int gl_hook_mapping_run(struct gl_context *context, const struct gl_hook_values *values,
                        const struct gl_operands *operands, struct gl_error *err)
{
    const char *verb = operands->count > 1 ? operands->words[1] : "list";
    GL_AUTO(gl_str_done) struct gl_str report = {0};
    struct gl_hook_mapping *mapping;
    int status;

    if (operands->count > 2 || (strcmp(verb, "list") != 0 && strcmp(verb, "lint") != 0))
        return gl_fail(err, GL_E_USAGE, "hook mapping takes list or lint");
    mapping = gl_mapping_open_reporting(values->mapping_dir, &report, err);
    if (mapping == NULL)
        return report.length > 0 && strcmp(verb, "lint") == 0 ? tell_faults(context, &report, err)
                                                              : -1;
    status = strcmp(verb, "list") == 0 ? list(context, mapping) : lint(context, values, mapping);
    gl_mapping_free(mapping);
    return status;
}
