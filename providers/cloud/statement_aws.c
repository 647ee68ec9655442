/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS says: the answer of its Sustainability API, and its Data Exports table as CSV. Metric
 * tons. Scope 1 is the same by location and by market. */
#include "providers/cloud/statement.h"

#include "base/csv.h"
#include "policy/facts.h"

#include <stdio.h>
#include <string.h>

#define BOUNDARY "scopes 1, 2 and 3: fuel, electricity, and what was built"

static const struct {
    const char *name;
    enum gl_stated_scope scope;
    enum gl_stated_basis basis;
} types[] = {
    {"TOTAL_LBM_CARBON_EMISSIONS", GL_STATED_ALL, GL_STATED_LOCATION},
    {"TOTAL_MBM_CARBON_EMISSIONS", GL_STATED_ALL, GL_STATED_MARKET},
    {"TOTAL_SCOPE_1_CARBON_EMISSIONS", GL_STATED_SCOPE_1, GL_STATED_EITHER},
    {"TOTAL_SCOPE_2_LBM_CARBON_EMISSIONS", GL_STATED_SCOPE_2, GL_STATED_LOCATION},
    {"TOTAL_SCOPE_2_MBM_CARBON_EMISSIONS", GL_STATED_SCOPE_2, GL_STATED_MARKET},
    {"TOTAL_SCOPE_3_LBM_CARBON_EMISSIONS", GL_STATED_SCOPE_3, GL_STATED_LOCATION},
    {"TOTAL_SCOPE_3_MBM_CARBON_EMISSIONS", GL_STATED_SCOPE_3, GL_STATED_MARKET},
};

static enum gl_stated_service kind_of(const char *service)
{
    return service[0] == '\0'                  ? GL_STATED_ANY
           : strcmp(service, "AmazonEC2") == 0 ? GL_STATED_MACHINES
                                               : GL_STATED_OTHER;
}

static int add_values(const json_t *values, struct gl_statement_row *row, struct gl_statement *out,
                      struct gl_error *err)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const json_t *figure = json_object_get(values, types[i].name);
        const char *unit = json_string_value(json_object_get(figure, "Unit"));

        if (figure == NULL)
            continue;
        if (unit == NULL || strcmp(unit, "MTCO2e") != 0)
            return gl_fail(err, GL_E_BAD_REPLY, "aws: %s is not in MTCO2e", types[i].name);
        row->scope = types[i].scope;
        row->basis = types[i].basis;
        if (gl_statement_number(out, json_object_get(figure, "Value"), GL_STATED_T_UG, &row->ug,
                                err) != 0 ||
            gl_statement_add(out, row, err) != 0)
            return -1;
    }
    return 0;
}

static void copy(char *into, size_t size, const char *text)
{
    snprintf(into, size, "%.*s", (int)size - 1, text != NULL ? text : "");
}

static int add_result(const json_t *result, struct gl_statement *out, struct gl_error *err)
{
    const json_t *period = json_object_get(result, "TimePeriod");
    const json_t *dimensions = json_object_get(result, "DimensionsValues");
    const json_t *values = json_object_get(result, "EmissionsValues");
    const char *start = json_string_value(json_object_get(period, "Start"));
    struct gl_statement_row row = {.ug = GL_UNKNOWN};

    if (start == NULL || !json_is_object(values))
        return gl_fail(err, GL_E_BAD_REPLY, "aws: a result has no period or no values");
    if (!gl_statement_is_month(out, start))
        return 0;
    gl_statement_model(out, json_string_value(json_object_get(result, "ModelVersion")));
    copy(row.account, sizeof row.account,
         json_string_value(json_object_get(dimensions, "USAGE_ACCOUNT_ID")));
    copy(row.region, sizeof row.region, json_string_value(json_object_get(dimensions, "REGION")));
    copy(row.service, sizeof row.service,
         json_string_value(json_object_get(dimensions, "SERVICE")));
    row.kind = kind_of(row.service);
    return add_values(values, &row, out, err);
}

int gl_statement_aws(const json_t *root, struct gl_statement *out, char next[GL_STATEMENT_TOKEN],
                     struct gl_error *err)
{
    const json_t *token = json_object_get(root, "NextToken"), *result;
    json_t *results;
    size_t i;

    out->provider = "aws";
    out->form = "AWS Sustainability API";
    out->boundary = BOUNDARY;
    if (gl_json_array(root, "Results", &results, err) != 0)
        return gl_wrap(err, "aws");
    if (token != NULL && !json_is_null(token) &&
        (!json_is_string(token) || json_string_length(token) >= GL_STATEMENT_TOKEN))
        return gl_fail(err, GL_E_BAD_REPLY, "aws: NextToken is none");
    json_array_foreach(results, i, result)
    {
        if (add_result(result, out, err) != 0)
            return -1;
    }
    copy(next, GL_STATEMENT_TOKEN, json_string_value(token));
    return 0;
}

/* ---- the table CARBON_EMISSIONS ---- */

enum { ACCOUNT, SERVICE, REGION, START, MODEL, LBM, LBM_UNIT, MBM, MBM_UNIT, COLUMNS };
static const char *const names[COLUMNS] = {"usage_account_id",
                                           "product_code",
                                           "region_code",
                                           "usage_period_start",
                                           "model_version",
                                           "total_lbm_emissions_value",
                                           "total_lbm_emissions_unit",
                                           "total_mbm_emissions_value",
                                           "total_mbm_emissions_unit"};

static int read_head(struct gl_csv *csv, int at[COLUMNS], struct gl_error *err)
{
    if (gl_csv_next(csv, err) <= 0)
        return err->code != GL_OK ? -1 : gl_fail(err, GL_E_SYNTAX, "the statement is empty");
    for (size_t i = 0; i < COLUMNS; i++) {
        at[i] = gl_csv_column(csv, names[i]);
        if (at[i] < 0)
            return gl_fail(err, GL_E_BAD_REPLY, "aws: the statement has no column %s", names[i]);
    }
    return 0;
}

static int add_total(const char *const cells[COLUMNS], size_t value, struct gl_statement_row *row,
                     struct gl_statement *out, struct gl_error *err)
{
    const char *unit = cells[value + 1];

    if (cells[value][0] != '\0' && strcmp(unit, "MTCO2e") != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "aws: %s is not in MTCO2e", names[value]);
    row->scope = GL_STATED_ALL;
    row->basis = value == LBM ? GL_STATED_LOCATION : GL_STATED_MARKET;
    if (gl_statement_figure(out, cells[value], GL_STATED_T_UG, &row->ug, err) != 0)
        return -1;
    return gl_statement_add(out, row, err);
}

static int add_line(const struct gl_csv *csv, const int at[COLUMNS], struct gl_statement *out,
                    struct gl_error *err)
{
    const char *cells[COLUMNS];
    struct gl_statement_row row = {.ug = GL_UNKNOWN};

    for (size_t i = 0; i < COLUMNS; i++) {
        if ((size_t)at[i] >= csv->count)
            return gl_fail(err, GL_E_SYNTAX, "line %u of the statement is short", csv->line);
        cells[i] = csv->fields[at[i]];
    }
    if (!gl_statement_is_month(out, cells[START]))
        return 0;
    gl_statement_model(out, cells[MODEL]);
    copy(row.account, sizeof row.account, cells[ACCOUNT]);
    copy(row.service, sizeof row.service, cells[SERVICE]);
    copy(row.region, sizeof row.region, cells[REGION]);
    row.kind = kind_of(row.service);
    if (add_total(cells, LBM, &row, out, err) != 0 || add_total(cells, MBM, &row, out, err) != 0)
        return gl_wrap(err, "line %u of the statement", csv->line);
    return 0;
}

int gl_statement_aws_csv(char *bytes, struct gl_statement *out, struct gl_error *err)
{
    struct gl_csv csv;
    int at[COLUMNS], got;

    out->provider = "aws";
    out->form = "AWS Data Exports, CARBON_EMISSIONS";
    out->boundary = BOUNDARY;
    gl_csv_init(&csv, bytes, "the statement");
    if (read_head(&csv, at, err) != 0)
        return -1;
    while ((got = gl_csv_next(&csv, err)) > 0)
        if (add_line(&csv, at, out, err) != 0)
            return -1;
    return got;
}
