/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_STATEMENT_H
#define GL_PROVIDERS_STATEMENT_H

/* What a cloud itself says that one month of an account emitted: rows as the provider wrote them,
 * with service, region, scope and accounting kept apart. Refuses to add what does not belong
 * together, and to take a figure that is not there (NULL, denied, not published) for zero.
 *
 * The readers are pure. Forms that are known, told apart by gl_statement_read():
 *   aws       AWS Sustainability, answer of GetEstimatedCarbonEmissions; CSV of the Data Exports
 *             table CARBON_EMISSIONS
 *             https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-carbon.html
 *   azure     Carbon Optimization, carbonEmissionReports 2025-04-01
 *             https://learn.microsoft.com/en-us/rest/api/carbon/
 *   gcp       Carbon Footprint export from BigQuery, CSV with dotted columns or JSON lines
 *             https://cloud.google.com/carbon-footprint/docs/data-schema
 *   scaleway  environmental footprint, answer of data/query over exactly that month
 *             https://www.scaleway.com/en/developers/api/environmental-footprint/ */

#include "base/json.h"
#include "base/unit.h"

#define GL_STATEMENT_BYTES GL_JSON_MAX_BYTES
#define GL_STATEMENT_ROWS  50000u

enum gl_stated_basis {
    GL_STATED_LOCATION, /* the grid */
    GL_STATED_MARKET,   /* contracts and certificates counted */
    GL_STATED_EITHER,   /* a scope that both accountings share */
    GL_STATED_UNSAID,   /* the provider does not say which */
};
enum gl_stated_scope { GL_STATED_ALL, GL_STATED_SCOPE_1, GL_STATED_SCOPE_2, GL_STATED_SCOPE_3 };
/* Is the row about virtual machines? */
enum gl_stated_service { GL_STATED_MACHINES, GL_STATED_OTHER, GL_STATED_ANY };

struct gl_statement_row {
    char account[64], service[64], region[40]; /* "" = all of them together */
    enum gl_stated_service kind;
    enum gl_stated_scope scope;
    enum gl_stated_basis basis;
    int64_t ug; /* CO2e; GL_UNKNOWN = the provider gives none */
};

struct gl_statement {
    const char *provider; /* "aws"; static */
    const char *form;     /* what it was read from, for people; static */
    const char *boundary; /* what the provider says is in it, for people; static */
    struct gl_instant month, until;
    char model[32];  /* version of the provider's method; "" = not told */
    bool has_models; /* of several versions */
    bool has_others; /* rows of other months were left out */
    bool is_undated; /* it does not say of which month it is */
    int64_t step_ug; /* the finest place that its figures are written to; GL_UNKNOWN */
    unsigned denied; /* accounts that it may not tell us about */
    char barred[64]; /* the first of them */
    struct gl_statement_row *rows;
    size_t count, capacity;
};

/* The month that begins at `month` from the bytes of a file. 0 also when it holds no row of that
 * month (count 0). Errors: SYNTAX, BAD_REPLY (no form that is known, or a member of it makes no
 * sense), TOO_LARGE. `bytes` is NUL-terminated and changed. */
int gl_statement_read(char *bytes, size_t length, struct gl_instant month, struct gl_statement *out,
                      struct gl_error *err);
void gl_statement_done(struct gl_statement *statement);

/* What is to be added up. */
struct gl_stated_ask {
    enum gl_stated_scope scope;
    enum gl_stated_basis basis; /* LOCATION and MARKET take EITHER rows, too */
    bool wants_machines;        /* leave out services known to be others */
    const char *const *regions; /* only these; a stated zone counts for its region; NULL = all */
    size_t region_count;
};
struct gl_stated {
    int64_t ug, slack_ug; /* sum of what is known, and how far its rounding reaches each way */
    size_t rows, unknown; /* that were asked for, and of them without a figure */
};
/* The sum, of scopes where the provider states no total (then every scope must be stated). False
 * when the provider states nothing of the kind. */
bool gl_statement_sum(const struct gl_statement *statement, const struct gl_stated_ask *ask,
                      struct gl_stated *out);

/* First instant of "2026-10", and of the month after it. BAD_VALUE. */
int gl_month_parse(const char *text, struct gl_instant *out, struct gl_error *err);
struct gl_instant gl_month_after(struct gl_instant month);

/* ---- for the readers ---- */

#define GL_STATED_T_UG  INT64_C(1000000000000) /* of a metric ton */
#define GL_STATED_KG_UG INT64_C(1000000000)

void gl_statement_begin(struct gl_statement *out, struct gl_instant month);
/* TOO_LARGE beyond GL_STATEMENT_ROWS. */
int gl_statement_add(struct gl_statement *out, const struct gl_statement_row *row,
                     struct gl_error *err);
/* A decimal figure of `unit_ug` each; "" or NULL is unknown. Keeps the place it is written to.
 * BAD_REPLY: negative, not a number, beyond a megaton. */
int gl_statement_figure(struct gl_statement *out, const char *text, int64_t unit_ug,
                        int64_t *out_ug, struct gl_error *err);
/* The same from JSON: a number, null or absent. */
int gl_statement_number(struct gl_statement *out, const json_t *value, int64_t unit_ug,
                        int64_t *out_ug, struct gl_error *err);
void gl_statement_model(struct gl_statement *out, const char *version);
/* Is "2026-10-01T...", "2026-10-01" or "2026-10" of the statement's month? */
bool gl_statement_is_month(struct gl_statement *out, const char *date);

/* AWS and Azure: one page of the answer added to *out, the next page's token into `next`, "" =
 * none. */
#define GL_STATEMENT_TOKEN 4096
int gl_statement_aws(const json_t *root, struct gl_statement *out, char next[GL_STATEMENT_TOKEN],
                     struct gl_error *err);
int gl_statement_aws_csv(char *bytes, struct gl_statement *out, struct gl_error *err);
int gl_statement_azure(const json_t *root, struct gl_statement *out, char next[GL_STATEMENT_TOKEN],
                       struct gl_error *err);
int gl_statement_gcp_csv(char *bytes, struct gl_statement *out, struct gl_error *err);
/* One row of the table; JSON lines are many of them. */
int gl_statement_gcp(const json_t *row, struct gl_statement *out, struct gl_error *err);
int gl_statement_scaleway(const json_t *root, struct gl_statement *out, struct gl_error *err);

#endif
