/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/statement.h"

#include "base/csv.h"
#include "base/time.h"
#include "policy/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 18

__extension__ typedef __int128 wide;

void gl_statement_begin(struct gl_statement *out, struct gl_instant month)
{
    *out = (struct gl_statement){.provider = "",
                                 .form = "",
                                 .boundary = "",
                                 .month = month,
                                 .until = gl_month_after(month),
                                 .step_ug = GL_UNKNOWN};
}

void gl_statement_done(struct gl_statement *statement)
{
    free(statement->rows);
    statement->rows = NULL;
    statement->count = statement->capacity = 0;
}

int gl_statement_add(struct gl_statement *out, const struct gl_statement_row *row,
                     struct gl_error *err)
{
    if (out->count >= GL_STATEMENT_ROWS)
        return gl_fail(err, GL_E_TOO_LARGE, "the statement has more than %u rows",
                       GL_STATEMENT_ROWS);
    if (out->count == out->capacity) {
        out->capacity = out->capacity > 0 ? 2 * out->capacity : 64;
        out->rows = gl_realloc(out->rows, out->capacity * sizeof *out->rows);
    }
    out->rows[out->count++] = *row;
    return 0;
}

void gl_statement_model(struct gl_statement *out, const char *version)
{
    char shown[GL_TEXT_SHOWN], kept[sizeof out->model];

    if (version == NULL || *version == '\0')
        return;
    snprintf(kept, sizeof kept, "%.31s", gl_text_show(version, shown));
    if (out->model[0] != '\0' && strcmp(out->model, kept) != 0)
        out->has_models = true;
    memcpy(out->model, kept, sizeof kept);
}

/* ---- months ---- */

struct gl_instant gl_month_after(struct gl_instant month)
{
    int year, number, day, hour, minute, second;

    gl_instant_civil(month, &year, &number, &day, &hour, &minute, &second);
    return gl_instant_of_civil(number == 12 ? year + 1 : year, number == 12 ? 1 : number + 1, 1, 0,
                               0, 0);
}

int gl_month_parse(const char *text, struct gl_instant *out, struct gl_error *err)
{
    char day[16], shown[GL_TEXT_SHOWN];
    struct gl_error ignored = {0};

    snprintf(day, sizeof day, "%.8s-01", text);
    if (strlen(text) != 7 || gl_date_parse(day, out, &ignored) != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "\"%s\" is no month; write it as 2026-10",
                       gl_text_show(text, shown));
    return 0;
}

bool gl_statement_is_month(struct gl_statement *out, const char *date)
{
    char wanted[GL_INSTANT_TEXT];
    bool is_it;

    gl_instant_text(out->month, wanted);
    is_it = date != NULL && strncmp(date, wanted, 7) == 0 &&
            (date[7] == '\0' || strncmp(date + 7, "-01", 3) == 0);
    out->has_others |= !is_it;
    return is_it;
}

/* ---- figures ---- */

/* Digits without the point, and how many of them stand behind it. */
static bool read_digits(const char *text, int64_t *out, int *out_places)
{
    int digits = 0, places = -1;
    int64_t value = 0;

    for (; *text != '\0'; text++) {
        if (*text == '.' && places < 0) {
            places = 0;
            continue;
        }
        if (*text < '0' || *text > '9')
            return false;
        if (places >= 12) /* below a microgram of a ton */
            continue;
        digits += value > 0 || *text != '0';
        places += places >= 0;
        if (digits > DIGITS_MAX)
            return false;
        value = value * 10 + (*text - '0');
    }
    *out = value;
    *out_places = places > 0 ? places : 0;
    return true;
}

/* "1.2E-4" is how tools write small figures: mantissa and exponent apart. */
static bool split_exponent(const char *text, char mantissa[64], int *out_exponent)
{
    size_t length = strcspn(text, "eE");
    char *end = NULL;
    long exponent = 0;

    if (length == 0 || length >= 64)
        return false;
    if (text[length] != '\0') {
        if (strchr("+-0123456789", text[length + 1]) == NULL || text[length + 1] == '\0')
            return false;
        exponent = strtol(text + length + 1, &end, 10);
        if (*end != '\0' || exponent < -30 || exponent > 15)
            return false;
    }
    snprintf(mantissa, 64, "%.*s", (int)length, text);
    *out_exponent = (int)exponent;
    return true;
}

/* value * 10^shift, rounded half up; false beyond a megaton. */
static bool scale(wide value, int shift, int64_t *out)
{
    const wide most = (wide)1000000 * GL_STATED_T_UG;

    for (; shift > 0; shift--) {
        value *= 10;
        if (value > most)
            return false;
    }
    for (; shift < -1; shift++)
        value /= 10;
    if (shift == -1)
        value = (value + 5) / 10;
    if (value > most)
        return false;
    *out = (int64_t)value;
    return true;
}

static bool is_nothing(const char *text)
{
    return text == NULL || *text == '\0' || strcmp(text, "null") == 0 || strcmp(text, "NULL") == 0;
}

/* The place of the last digit that is written; a bare "0" says nothing of how it was rounded. */
static void note_step(struct gl_statement *out, int64_t digits, int shift, int64_t unit_ug)
{
    int64_t step;

    if ((digits == 0 && shift == 0) || !scale(unit_ug, shift, &step))
        return;
    if (out->step_ug == GL_UNKNOWN || step < out->step_ug)
        out->step_ug = step > 0 ? step : 1;
}

int gl_statement_figure(struct gl_statement *out, const char *text, int64_t unit_ug,
                        int64_t *out_ug, struct gl_error *err)
{
    char mantissa[64], shown[GL_TEXT_SHOWN];
    int places, exponent;
    int64_t digits, ug;

    if (is_nothing(text)) {
        *out_ug = GL_UNKNOWN;
        return 0;
    }
    if (!split_exponent(text, mantissa, &exponent) || !read_digits(mantissa, &digits, &places) ||
        mantissa[strspn(mantissa, ".")] == '\0' ||
        !scale((wide)digits * unit_ug, exponent - places, &ug))
        return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is no amount of carbon",
                       gl_text_show(text, shown));
    note_step(out, digits, exponent - places, unit_ug);
    *out_ug = ug;
    return 0;
}

int gl_statement_number(struct gl_statement *out, const json_t *value, int64_t unit_ug,
                        int64_t *out_ug, struct gl_error *err)
{
    char text[64];
    int digits = 15;

    if (value == NULL || json_is_null(value)) {
        *out_ug = GL_UNKNOWN;
        return 0;
    }
    if (json_is_string(value)) /* BigQuery writes numbers as text */
        return gl_statement_figure(out, json_string_value(value), unit_ug, out_ug, err);
    if (json_is_integer(value))
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value)) /* the shortest text that is that number: what was written */
        do
            snprintf(text, sizeof text, "%.*g", digits, json_real_value(value));
        while (strtod(text, NULL) != json_real_value(value) && digits++ < 17);
    else
        return gl_fail(err, GL_E_BAD_REPLY, "an amount of carbon is no number");
    return gl_statement_figure(out, text, unit_ug, out_ug, err);
}

/* ---- sums ---- */

static bool is_stated_region(const struct gl_stated_ask *ask, const char *stated)
{
    if (ask->regions == NULL || stated[0] == '\0')
        return true;
    for (size_t i = 0; i < ask->region_count; i++) {
        size_t length = strlen(ask->regions[i]);

        if (strncmp(stated, ask->regions[i], length) == 0 &&
            (stated[length] == '\0' || stated[length] == '-'))
            return true;
    }
    return false;
}

static bool is_asked(const struct gl_stated_ask *ask, enum gl_stated_scope scope,
                     const struct gl_statement_row *row)
{
    bool is_basis = row->basis == ask->basis ||
                    (row->basis == GL_STATED_EITHER && ask->basis != GL_STATED_UNSAID);

    return row->scope == scope && is_basis &&
           (!ask->wants_machines || row->kind != GL_STATED_OTHER) &&
           is_stated_region(ask, row->region);
}

static bool has_scope(const struct gl_statement *statement, enum gl_stated_scope scope,
                      enum gl_stated_basis basis)
{
    const struct gl_stated_ask ask = {.basis = basis};

    for (size_t i = 0; i < statement->count; i++)
        if (is_asked(&ask, scope, &statement->rows[i]))
            return true;
    return false;
}

static void add_scope(const struct gl_statement *statement, const struct gl_stated_ask *ask,
                      enum gl_stated_scope scope, struct gl_stated *out)
{
    int64_t slack = statement->step_ug != GL_UNKNOWN ? (statement->step_ug + 1) / 2 : 0;

    for (size_t i = 0; i < statement->count; i++) {
        const struct gl_statement_row *row = &statement->rows[i];

        if (!is_asked(ask, scope, row))
            continue;
        out->rows++;
        if (row->ug == GL_UNKNOWN) {
            out->unknown++;
            continue;
        }
        if (__builtin_add_overflow(out->ug, row->ug, &out->ug) ||
            __builtin_add_overflow(out->slack_ug, slack, &out->slack_ug)) {
            out->ug = INT64_MAX; /* beyond what any account emits */
            out->slack_ug = 0;
            out->unknown = out->rows;
            return;
        }
    }
}

bool gl_statement_sum(const struct gl_statement *statement, const struct gl_stated_ask *ask,
                      struct gl_stated *out)
{
    struct gl_stated sum = {0};

    if (has_scope(statement, ask->scope, ask->basis))
        add_scope(statement, ask, ask->scope, &sum);
    else if (ask->scope != GL_STATED_ALL)
        return false;
    else
        for (enum gl_stated_scope scope = GL_STATED_SCOPE_1; scope <= GL_STATED_SCOPE_3; scope++) {
            if (!has_scope(statement, scope, ask->basis))
                return false;
            add_scope(statement, ask, scope, &sum);
        }
    *out = sum;
    return true;
}

/* ---- which form is it? ---- */

static int read_json(const char *bytes, size_t length, struct gl_statement *out,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = gl_json_parse(bytes, length, "the statement", err);
    char next[GL_STATEMENT_TOKEN];

    if (root == NULL)
        return -1;
    bool is_aws = json_is_array(json_object_get(root, "Results"));

    if (is_aws || json_is_array(json_object_get(root, "value"))) {
        if ((is_aws ? gl_statement_aws : gl_statement_azure)(root, out, next, err) != 0)
            return -1;
        return next[0] == '\0'
                   ? 0
                   : gl_fail(err, GL_E_BAD_REPLY, "the statement goes on (%s): it is not whole",
                             is_aws ? "NextToken" : "skipToken");
    }
    if (json_is_object(json_object_get(root, "total_impact")))
        return gl_statement_scaleway(root, out, err);
    if (json_object_get(root, "usage_month") != NULL)
        return gl_statement_gcp(root, out, err);
    return gl_fail(err, GL_E_BAD_REPLY,
                   "the statement has no form that is known; see: greenlaunch help reconcile");
}

/* Google's rows, one JSON document a line. */
static int read_lines(char *bytes, struct gl_statement *out, struct gl_error *err)
{
    unsigned number = 0;

    for (char *line = bytes, *end; line != NULL && *line != '\0'; line = end) {
        size_t length = strcspn(line, "\n");

        end = line[length] != '\0' ? line + length + 1 : NULL;
        number++;
        if (strspn(line, " \t\r") >= length)
            continue;
        GL_AUTO(gl_auto_json) json_t *row = gl_json_parse(line, length, "the statement", err);
        if (row == NULL || gl_statement_gcp(row, out, err) != 0)
            return gl_wrap(err, "row %u of the statement", number);
    }
    return 0;
}

static bool is_lines(const char *bytes)
{
    const char *brace = strstr(bytes, "}\n{");

    return brace != NULL || strstr(bytes, "}\r\n{") != NULL;
}

static int read_any(char *bytes, size_t length, struct gl_statement *out, struct gl_error *err)
{
    const char *at = bytes + strspn(bytes, " \t\r\n");

    if (*at == '[') {
        GL_AUTO(gl_auto_json) json_t *rows = gl_json_parse(bytes, length, "the statement", err);
        const json_t *row;
        size_t i;

        if (rows == NULL)
            return -1;
        json_array_foreach(rows, i, row)
        {
            if (gl_statement_gcp(row, out, err) != 0)
                return gl_wrap(err, "row %zu of the statement", i + 1);
        }
        return 0;
    }
    if (*at == '{')
        return is_lines(at) ? read_lines(bytes, out, err) : read_json(bytes, length, out, err);
    if (strstr(bytes, "total_lbm_emissions_value") != NULL)
        return gl_statement_aws_csv(bytes, out, err);
    if (strstr(bytes, "carbon_footprint_") != NULL)
        return gl_statement_gcp_csv(bytes, out, err);
    return gl_fail(err, GL_E_BAD_REPLY,
                   "the statement has no form that is known; see: greenlaunch help reconcile");
}

int gl_statement_read(char *bytes, size_t length, struct gl_instant month, struct gl_statement *out,
                      struct gl_error *err)
{
    struct gl_statement read;

    if (length > GL_STATEMENT_BYTES)
        return gl_fail(err, GL_E_TOO_LARGE, "the statement is larger than %zu bytes",
                       GL_STATEMENT_BYTES);
    if (strlen(bytes) != length)
        return gl_fail(err, GL_E_SYNTAX, "the statement holds a NUL byte");
    gl_statement_begin(&read, month);
    if (read_any(bytes, length, &read, err) != 0) {
        gl_statement_done(&read);
        return -1;
    }
    *out = read;
    return 0;
}
