/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/act.h"
#include "broker/cli/help.h"
#include "broker/cli/show_reconcile.h"

struct reconcile_values {
    const char *month, *cloud, *statement;
};
#define AT(field) offsetof(struct reconcile_values, field)

static const struct gl_option options[] = {
    {.name = "month",
     .letter = 'm',
     .kind = GL_OPT_TEXT,
     .offset = AT(month),
     .argument = "YYYY-MM",
     .help = "month of the calendar, in UTC (default: the last whole one)"},
    {.name = "cloud",
     .kind = GL_OPT_TEXT,
     .offset = AT(cloud),
     .argument = "NAME",
     .help = "launches on this cloud (default: the one that the file is of)"},
    {.name = "statement",
     .kind = GL_OPT_TEXT,
     .offset = AT(statement),
     .argument = "FILE",
     .help = "the provider's statement as a file, instead of asking for it; - is standard input",
     .complete = "file"},
    {.name = NULL},
};

/* ---- which month ---- */

static int month_of(struct gl_context *context, const char *given, struct gl_instant *out,
                    struct gl_error *err)
{
    struct gl_instant now;
    int year, month, day, hour, minute, second;

    if (gl_context_now(context, &now, err) != 0)
        return -1;
    gl_instant_civil(now, &year, &month, &day, &hour, &minute, &second);
    if (given == NULL) {
        *out = gl_instant_of_civil(month == 1 ? year - 1 : year, month == 1 ? 12 : month - 1, 1, 0,
                                   0, 0);
        return 0;
    }
    if (gl_month_parse(given, out, err) != 0)
        return -1;
    if (out->unix_s > now.unix_s)
        return gl_fail(err, GL_E_BAD_VALUE, "%s is still to come", given);
    return 0;
}

/* ---- the provider's side ---- */

static int read_file(const char *path, struct gl_instant month, struct gl_statement *out,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    char shown[GL_TEXT_SHOWN];
    size_t length;

    if (gl_file_read_given(path, GL_STATEMENT_BYTES, &bytes, &length, err) != 0)
        return -1;
    if (gl_statement_read(bytes, length, month, out, err) == 0)
        return 0;
    if (err->code == GL_E_BAD_REPLY) /* a file is the user's, not the provider's answer */
        err->code = GL_E_SYNTAX;
    return gl_wrap(err, "%s", gl_text_show(path, shown));
}

static int ask(struct gl_context *context, const char *name, struct gl_instant month,
               struct gl_statement *out, struct gl_error *err)
{
    struct gl_cloud *cloud = gl_act_open_cloud(context, name, NULL, err);
    int rc;

    if (cloud == NULL)
        return -1;
    if (cloud->ops->statement == NULL) {
        gl_cloud_close(cloud);
        return gl_fail(err, GL_E_USAGE,
                       "%s cannot be asked for its statement; give it with --statement FILE", name);
    }
    gl_progress(context, "asking %s for its statement", name);
    rc = cloud->ops->statement(cloud, month, out, err);
    gl_progress_end(context);
    gl_cloud_close(cloud);
    return rc;
}

static int get_statement(struct gl_context *context, const struct reconcile_values *values,
                         struct gl_instant month, struct gl_statement *out, struct gl_error *err)
{
    if (values->statement != NULL)
        return read_file(values->statement, month, out, err);
    if (values->cloud == NULL)
        return gl_fail(err, GL_E_USAGE,
                       "name the cloud with --cloud, or give its statement with "
                       "--statement FILE");
    if (context->globals.is_offline)
        return gl_fail(err, GL_E_USAGE,
                       "--offline leaves nobody to ask: give the statement with --statement FILE");
    return ask(context, values->cloud, month, out, err);
}

/* ---- our side ---- */

static int add_up(struct gl_context *context, const char *cloud, struct gl_month *month,
                  struct gl_error *err)
{
    struct gl_ledger *ledger = gl_context_ledger_to_look(context, err);
    int64_t now_ms = gl_now(&context->world).unix_s * 1000;
    struct gl_launch_rows rows;

    if (ledger == NULL || gl_ledger_launches(ledger, NULL, &rows, err) != 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++)
        if (strcmp(rows.rows[i].cloud, cloud) == 0 && rows.rows[i].is_demo == context->is_demo)
            gl_month_add(month, &rows.rows[i], now_ms);
    gl_launch_rows_free(&rows);
    return 0;
}

/* ---- the command ---- */

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct reconcile_values *values = call->values;
    struct gl_month_told told = {0};
    struct gl_month month;
    struct gl_statement statement;
    struct gl_month_pair found;
    struct gl_instant start;
    int rc;

    if (gl_help_operands(&gl_command_reconcile, call, 0, 0, err) != 0 ||
        month_of(context, values->month, &start, err) != 0 ||
        get_statement(context, values, start, &statement, err) != 0)
        return -1;
    told.cloud = values->cloud != NULL ? values->cloud : statement.provider;
    gl_month_begin(&month, start);
    rc = told.cloud[0] != '\0' ? add_up(context, told.cloud, &month, err)
                               : gl_fail(err, GL_E_USAGE,
                                         "name the cloud with --cloud: the "
                                         "statement is empty");
    if (rc == 0) {
        gl_month_compare(&month, &statement, &found);
        told.month = &month;
        told.statement = &statement;
        told.found = &found;
        gl_show_month(context, &told);
    }
    gl_statement_done(&statement);
    return rc == 0 ? GL_EXIT_OK : -1;
}

const struct gl_command gl_command_reconcile = {
    .name = "reconcile",
    .group = "Prove",
    .summary = "our metered month beside the provider's own carbon statement",
    .operands = "",
    .description =
        "Puts what the receipts of one cloud say of a month beside what the provider says of the "
        "same month, and names what makes them differ: accounting (location or market), boundary, "
        "allocation, coverage, model and rounding. Neither is taken from the other. The verdict is "
        "\"within bounds\" (the stated figure, with its rounding, reaches into ours), \"outside\" "
        "or \"cannot be compared\", with the reason; all three end with 0, as none of them is "
        "about the rules of a launch. AWS is asked with its own credentials; statements of AWS, "
        "Azure, Google Cloud and Scaleway are read from a file. A month is published in the second "
        "half of the next one.",
    .example = "$ greenlaunch reconcile --month 2026-10 --statement carbon.csv\n"
               "2026-10 on aws: within bounds",
    .options = options,
    .values_size = sizeof(struct reconcile_values),
    .run = run,
};
