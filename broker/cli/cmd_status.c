/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/act.h"
#include "broker/meterlog.h"
#include "broker/render/table.h"

struct status_values {
    bool is_all;
};

static const struct gl_option options[] = {
    {"all", 'a', GL_OPT_FLAG, offsetof(struct status_values, is_all), NULL, "ended launches too",
     NULL, NULL, NULL, 0, 0, 0, NULL},
    {0},
};

static const struct gl_column columns[] = {
    {"LAUNCH", false, 0},   {"NAME", false, 3},      {"WHERE", false, 1},
    {"STATE", false, 0},    {"LEASE LEFT", true, 2}, {"READINGS", true, 5},
    {"ENERGY Wh", true, 0}, {"gCO2e", true, 0},      {"GRADE", false, 4},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* What is known of one launch's cost so far. */
struct so_far {
    size_t readings;
    double energy_wh, grams[3]; /* NAN = unknown */
    char grade;                 /* 0 = none */
};

static double scaled(const json_t *array, size_t index, double scale)
{
    const json_t *item = json_array_get(array, index);

    return json_is_integer(item) ? (double)json_integer_value(item) * scale : NAN;
}

static void of_receipt(const struct gl_launch_row *row, struct so_far *out)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *document = gl_json_parse(row->receipt, strlen(row->receipt), "receipt", &ignored);
    const json_t *derived = json_object_get(document, "derived");
    const json_t *footprint = json_object_get(derived, "footprint");
    const char *grade = json_string_value(json_object_get(derived, "grade"));

    out->readings =
        (size_t)json_integer_value(json_object_get(json_object_get(derived, "meter"), "readings"));
    out->energy_wh = scaled(json_object_get(footprint, "energy_mj"), 1, 1 / 3.6e6);
    for (size_t i = 0; i < 3; i++)
        out->grams[i] = scaled(json_object_get(footprint, "total_ug"), i, 1e-6);
    out->grade = grade != NULL ? grade[0] : '\0';
}

static void of_meter(struct gl_launcher *launcher, const struct gl_launch_row *row,
                     struct so_far *out)
{
    struct gl_error ignored = {0};
    struct gl_cloud *cloud = launcher->open(launcher->cookie, row->cloud, row->zone, &ignored);
    struct gl_meterlog log;
    int64_t total_mj = 0;

    if (cloud != NULL && gl_launch_readings(launcher, row, cloud, &log, &ignored) == 0) {
        out->readings = log.count;
        if (log.count > 0) {
            const struct gl_reading *last = &log.readings[log.count - 1];

            for (size_t i = 0; i < last->component_count; i++)
                total_mj += last->components[i].total_mj;
            out->energy_wh = (double)total_mj / 3.6e6;
        }
        gl_meterlog_done(&log);
    }
    gl_cloud_close(cloud);
}

static bool is_over(const struct gl_launch_row *row)
{
    return strcmp(row->state, "ended") == 0 || strcmp(row->state, "lost") == 0;
}

static void number_or_dash(double number, char out[GL_QUANTITY_TEXT])
{
    if (isfinite(number))
        gl_number_text(number, out);
    else
        snprintf(out, GL_QUANTITY_TEXT, "-");
}

static json_t *row_json(const struct gl_launch_row *row, const struct so_far *so_far)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:b,s:o,s:o}", "launch", row->launch,
                     "name", row->name, "cloud", row->cloud, "region", row->region, "type",
                     row->type, "zone", row->zone, "state", row->state, "expires_ms",
                     (json_int_t)row->expires_ms, "readings", (json_int_t)so_far->readings,
                     "exit_status", (json_int_t)row->exit_status, "demo", row->is_demo, "energy",
                     gl_quantity_json(&(struct gl_quantity_facts){.value = so_far->energy_wh,
                                                                  .low = NAN,
                                                                  .high = NAN,
                                                                  .unit = "Wh",
                                                                  .source = "meter",
                                                                  .age_s = GL_UNKNOWN}),
                     "total",
                     gl_quantity_json(&(struct gl_quantity_facts){.value = so_far->grams[1],
                                                                  .low = so_far->grams[0],
                                                                  .high = so_far->grams[2],
                                                                  .unit = "gCO2e",
                                                                  .accounting = "location",
                                                                  .grade = so_far->grade,
                                                                  .age_s = GL_UNKNOWN}));
}

static void add_row(struct gl_context *context, struct gl_table *table,
                    const struct gl_launch_row *row, const struct so_far *so_far)
{
    int64_t left_ms = row->expires_ms - context->world.now_ms(context->world.cookie);
    char lease[GL_QUANTITY_TEXT] = "-", where[128], readings[24], energy[GL_QUANTITY_TEXT],
         grams[GL_QUANTITY_TEXT], grade[2] = {so_far->grade ? so_far->grade : '-', '\0'};

    if (!is_over(row) && left_ms > 0)
        gl_span_text((struct gl_span){left_ms / 1000}, lease);
    snprintf(where, sizeof where, "%s%s %s, zone %s", row->is_demo ? "DEMO " : "", row->cloud,
             row->type, row->zone[0] != '\0' ? row->zone : "unknown");
    snprintf(readings, sizeof readings, "%zu", so_far->readings);
    number_or_dash(so_far->energy_wh, energy);
    number_or_dash(so_far->grams[1], grams);
    gl_table_row(table, (const char *const[COLUMNS]){row->launch, row->name, where, row->state,
                                                     lease, readings, energy, grams, grade});
}

/* Instances that carry our labels but that the ledger does not know. */
static size_t count_unknown(struct gl_context *context, struct gl_launcher *launcher)
{
    size_t drivers_count, unknown = 0;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&drivers_count);

    for (size_t d = 0; d < drivers_count; d++) {
        GL_AUTO(gl_auto_free) struct gl_instance *instances = NULL;
        struct gl_error err = {0};
        struct gl_cloud *cloud = launcher->open(launcher->cookie, drivers[d].ops->name, NULL, &err);
        size_t count = 0;

        if (cloud == NULL || cloud->ops->list(cloud, &instances, &count, &err) != 0)
            gl_warn(context, "GL5002", "cloud %s cannot be asked: %s", drivers[d].ops->name,
                    err.text);
        for (size_t i = 0; i < count; i++) {
            GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
            bool is_live =
                instances[i].state != GL_STATE_ENDED && instances[i].state != GL_STATE_LOST;

            if (is_live &&
                gl_ledger_launches(launcher->ledger, instances[i].launch_id, &rows, &err) == 0)
                unknown += rows.count == 0;
        }
        gl_cloud_close(cloud);
    }
    return unknown;
}

static int fill(struct gl_context *context, struct gl_launcher *launcher, const char *filter,
                bool is_all, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_table *table;
    json_t *list = json_array();

    context->reply.data = json_pack("{s:o}", "launches", list);
    if (gl_ledger_launches(launcher->ledger, filter, &rows, err) != 0)
        return -1;
    if (filter != NULL && rows.count == 0)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "no launch \"%s\"", filter);
    table = gl_table_new(columns, COLUMNS);
    for (size_t i = 0; i < rows.count; i++) {
        struct so_far so_far = {0, NAN, {NAN, NAN, NAN}, '\0'};

        if (is_over(&rows.rows[i]) && !is_all && filter == NULL)
            continue;
        if (rows.rows[i].receipt[0] != '\0')
            of_receipt(&rows.rows[i], &so_far);
        else if (rows.rows[i].instance[0] != '\0')
            of_meter(launcher, &rows.rows[i], &so_far);
        add_row(context, table, &rows.rows[i], &so_far);
        json_array_append_new(list, row_json(&rows.rows[i], &so_far));
    }
    if (json_array_size(list) > 0)
        gl_table_text(table, context->columns, context->globals.is_accessible,
                      &context->reply.text);
    else
        gl_str_addf(&context->reply.text, "Nothing is running%s.\n",
                    rows.count > 0 && !is_all ? " (ended launches: greenlaunch status --all)" : "");
    gl_table_free(table);
    return 0;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct status_values *values = call->values;
    const char *filter = call->operands->count > 0 ? call->operands->words[0] : NULL;
    struct gl_launcher launcher;
    size_t unknown;

    if (gl_act_launcher(context, &launcher, err) != 0 ||
        gl_act_reconcile(context, &launcher, err) != 0 ||
        fill(context, &launcher, filter, values->is_all, err) != 0)
        return -1;
    unknown = count_unknown(context, &launcher);
    if (unknown > 0) {
        gl_warn(context, "GL5008",
                "%zu instance%s with our labels that this ledger does not know: greenlaunch stop "
                "--all-mine ends them",
                unknown, unknown == 1 ? "" : "s");
        gl_next(context, "end instances the ledger does not know",
                (const char *const[]){"stop", "--all-mine", NULL});
    }
    json_object_set_new(context->reply.data, "unknown_instances",
                        json_integer((json_int_t)unknown));
    return GL_EXIT_OK;
}

const struct gl_command gl_command_status = {
    .name = "status",
    .group = "Act",
    .summary = "what runs, where, until when, and what it has cost so far",
    .operands = "[NAME]",
    .description = "Looks at every launch first and brings the ledger to the truth: adopts what an "
                   "interrupted launch left running, stops what is past its lease, writes the "
                   "receipts of what ended by itself.",
    .example = "greenlaunch status --all",
    .options = options,
    .values_size = sizeof(struct status_values),
    .run = run,
};
