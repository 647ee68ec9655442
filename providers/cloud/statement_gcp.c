/* SPDX-License-Identifier: Apache-2.0 */
/* What Google says: rows of the BigQuery export of Carbon Footprint, kg. Columns are nested; as CSV
 * their names have points. NULL is no figure. */
#include "providers/cloud/statement.h"

#include "base/csv.h"
#include "policy/facts.h"

#include <stdio.h>
#include <string.h>

#define COMPUTE_ENGINE "6F81-5844-456A"

enum { MONTH, PROJECT, SERVICE, SERVICE_ID, REGION, MODEL, FIGURES };
static const char *const names[FIGURES] = {
    "usage_month", "project.id",      "service.description",
    "service.id",  "location.region", "carbon_model_version",
};
static const struct {
    const char *name;
    enum gl_stated_scope scope;
    enum gl_stated_basis basis;
} figures[] = {
    {"carbon_footprint_kgCO2e.scope1", GL_STATED_SCOPE_1, GL_STATED_EITHER},
    {"carbon_footprint_kgCO2e.scope2.location_based", GL_STATED_SCOPE_2, GL_STATED_LOCATION},
    {"carbon_footprint_kgCO2e.scope2.market_based", GL_STATED_SCOPE_2, GL_STATED_MARKET},
    {"carbon_footprint_kgCO2e.scope3", GL_STATED_SCOPE_3, GL_STATED_EITHER},
    {"carbon_footprint_total_kgCO2e.location_based", GL_STATED_ALL, GL_STATED_LOCATION},
    {"carbon_footprint_total_kgCO2e.market_based", GL_STATED_ALL, GL_STATED_MARKET},
};
#define FIGURE_COUNT (sizeof figures / sizeof *figures)

static void name_it(struct gl_statement *out)
{
    out->provider = "gcp";
    out->form = "Google Carbon Footprint export";
    out->boundary = "scopes 1, 2 and 3: fuel, electricity, and what was built";
}

static void copy(char *into, size_t size, const char *text)
{
    snprintf(into, size, "%.*s", (int)size - 1, text != NULL ? text : "");
}

static void describe(const char *const cells[FIGURES], struct gl_statement_row *row,
                     struct gl_statement *out)
{
    gl_statement_model(out, cells[MODEL]);
    copy(row->account, sizeof row->account, cells[PROJECT]);
    copy(row->service, sizeof row->service, cells[SERVICE]);
    copy(row->region, sizeof row->region, cells[REGION]);
    if (cells[SERVICE_ID] != NULL && cells[SERVICE_ID][0] != '\0')
        row->kind =
            strcmp(cells[SERVICE_ID], COMPUTE_ENGINE) == 0 ? GL_STATED_MACHINES : GL_STATED_OTHER;
    else
        row->kind = row->service[0] == '\0'                       ? GL_STATED_ANY
                    : strcmp(row->service, "Compute Engine") == 0 ? GL_STATED_MACHINES
                                                                  : GL_STATED_OTHER;
}

static int add_figure(size_t at, int64_t ug, struct gl_statement_row *row, struct gl_statement *out,
                      struct gl_error *err)
{
    row->scope = figures[at].scope;
    row->basis = figures[at].basis;
    row->ug = ug;
    return gl_statement_add(out, row, err);
}

/* ---- JSON ---- */

/* The member of a path with points; NULL when there is none. */
static const json_t *at_path(const json_t *object, const char *path)
{
    char name[64];

    while (*path != '\0' && object != NULL) {
        size_t length = strcspn(path, ".");

        snprintf(name, sizeof name, "%.*s", (int)length, path);
        object = json_object_get(object, name);
        path += length + (path[length] == '.');
    }
    return object;
}

int gl_statement_gcp(const json_t *row, struct gl_statement *out, struct gl_error *err)
{
    const char *cells[FIGURES];
    struct gl_statement_row read = {.ug = GL_UNKNOWN};

    name_it(out);
    for (size_t i = 0; i < FIGURES; i++)
        cells[i] = json_string_value(at_path(row, names[i]));
    if (cells[MONTH] == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "gcp: a row has no usage_month");
    if (!gl_statement_is_month(out, cells[MONTH]))
        return 0;
    describe(cells, &read, out);
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        const json_t *value = at_path(row, figures[i].name);
        int64_t ug;

        if (value != NULL && (gl_statement_number(out, value, GL_STATED_KG_UG, &ug, err) != 0 ||
                              add_figure(i, ug, &read, out, err) != 0))
            return -1;
    }
    return 0;
}

/* ---- CSV ---- */

static const char *cell(const struct gl_csv *csv, int at)
{
    return at >= 0 && (size_t)at < csv->count ? csv->fields[at] : NULL;
}

static int add_line(const struct gl_csv *csv, const int at[FIGURES],
                    const int figure_at[FIGURE_COUNT], struct gl_statement *out,
                    struct gl_error *err)
{
    const char *cells[FIGURES];
    struct gl_statement_row row = {.ug = GL_UNKNOWN};

    for (size_t i = 0; i < FIGURES; i++)
        cells[i] = cell(csv, at[i]);
    if (cells[MONTH] == NULL)
        return gl_fail(err, GL_E_SYNTAX, "line %u of the statement is short", csv->line);
    if (!gl_statement_is_month(out, cells[MONTH]))
        return 0;
    describe(cells, &row, out);
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        int64_t ug;

        if (figure_at[i] >= 0 &&
            (gl_statement_figure(out, cell(csv, figure_at[i]), GL_STATED_KG_UG, &ug, err) != 0 ||
             add_figure(i, ug, &row, out, err) != 0))
            return gl_wrap(err, "line %u of the statement", csv->line);
    }
    return 0;
}

int gl_statement_gcp_csv(char *bytes, struct gl_statement *out, struct gl_error *err)
{
    struct gl_csv csv;
    int at[FIGURES], figure_at[FIGURE_COUNT], got;

    name_it(out);
    gl_csv_init(&csv, bytes, "the statement");
    if (gl_csv_next(&csv, err) <= 0)
        return err->code != GL_OK ? -1 : gl_fail(err, GL_E_SYNTAX, "the statement is empty");
    for (size_t i = 0; i < FIGURES; i++)
        at[i] = gl_csv_column(&csv, names[i]);
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        figure_at[i] = gl_csv_column(&csv, figures[i].name);
    if (at[MONTH] < 0)
        return gl_fail(err, GL_E_BAD_REPLY, "gcp: the statement has no column usage_month");
    while ((got = gl_csv_next(&csv, err)) > 0)
        if (add_line(&csv, at, figure_at, out, err) != 0)
            return -1;
    return got;
}
