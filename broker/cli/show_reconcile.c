/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/show_reconcile.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/render/text.h"

#define LABEL 16 /* columns before the text of a line */

static char *mass(int64_t ug, char out[GL_QUANTITY_TEXT])
{
    return gl_mass_text((struct gl_mass){(double)ug / 1e6}, out);
}

static void add_line(struct gl_context *context, const char *label, const struct gl_str *line)
{
    gl_str_addf(&context->reply.text, "  %-*s", LABEL - 2, label);
    gl_render_hang(gl_str_text(line), LABEL, context->columns, &context->reply.text);
}

static void add_text(struct gl_context *context, const char *label, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_add(&line, text);
    add_line(context, label, &line);
}

/* ---- our side ---- */

static void add_band(struct gl_context *context, const char *label, const int64_t ug[3],
                     const char *what)
{
    char central[GL_QUANTITY_TEXT], low[GL_QUANTITY_TEXT], high[GL_QUANTITY_TEXT];
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_addf(&line, "%sCO2e (low %s, high %s)%s", mass(ug[1], central), mass(ug[0], low),
                mass(ug[2], high), what);
    add_line(context, label, &line);
}

static void show_ours(struct gl_context *context, const struct gl_month_told *told)
{
    const struct gl_month *month = told->month;
    char what[96];

    if (month->counted == 0) {
        add_text(context, "metered here", "unknown");
        return;
    }
    snprintf(what, sizeof what, ", location, grade %c, %zu of %zu launch%s%s", month->grade,
             month->counted, month->launches, month->launches == 1 ? "" : "es",
             month->counted < month->launches ? ": at least" : "");
    add_band(context, "metered here", told->found->total.ours_ug, what);
    add_band(context, "  electricity", month->operational_ug, "");
    add_band(context, "  embodied", month->embodied_ug, "");
}

/* ---- their side ---- */

static void add_stated(struct gl_context *context, const char *label,
                       const struct gl_stated *stated, const char *what)
{
    char central[GL_QUANTITY_TEXT], slack[GL_QUANTITY_TEXT];
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    if (stated->unknown >= stated->rows)
        gl_str_add(&line, "unknown");
    else
        gl_str_addf(&line, "%s%sCO2e%s%s", stated->unknown > 0 ? "at least " : "",
                    mass(stated->ug, central), stated->slack_ug > 0 ? " +- " : "",
                    stated->slack_ug > 0 ? mass(stated->slack_ug, slack) : "");
    if (stated->unknown > 0)
        gl_str_addf(&line, " (%zu of %zu rows without a figure)", stated->unknown, stated->rows);
    gl_str_add(&line, what);
    add_line(context, label, &line);
}

static void show_theirs(struct gl_context *context, const struct gl_month_told *told)
{
    const struct gl_month_pair *found = told->found;

    if (found->total.has_stated)
        add_stated(context, "stated", &found->total.stated, ", location");
    if (found->has_unsaid)
        add_stated(context, "stated", &found->unsaid, ", accounting not told");
    if (!found->total.has_stated && !found->has_unsaid)
        add_text(context, "stated", "unknown");
    if (found->electricity.has_stated)
        add_stated(context, "  electricity", &found->electricity.stated, " (scope 2), location");
    if (found->has_market)
        add_stated(context, "  by market", &found->market, ", contracts counted; not compared");
    if (told->statement->form[0] != '\0')
        add_text(context, "  from", told->statement->form);
}

static void show_text(struct gl_context *context, const struct gl_month_told *told)
{
    const struct gl_month_pair *found = told->found;
    GL_AUTO(gl_str_done) struct gl_str head = {0};
    char from[GL_INSTANT_TEXT], shown[GL_TEXT_SHOWN];

    gl_str_addf(&head, "%.7s on %s: %s: %s", gl_instant_text(told->month->from, from),
                gl_text_show(told->cloud, shown), gl_month_verdict_word(found->verdict),
                found->why);
    gl_render_hang(gl_str_text(&head), 2, context->columns, &context->reply.text);
    show_ours(context, told);
    show_theirs(context, told);
    gl_str_add(&context->reply.text, "Why they may differ:\n");
    for (size_t i = 0; i < found->difference_count; i++)
        add_text(context, found->differences[i].name, found->differences[i].text);
}

/* ---- the envelope ---- */

static json_t *band_json(const struct gl_month *month, const int64_t ug[3])
{
    bool is_known = month->counted > 0;
    bool is_whole = is_known && month->counted == month->launches;

    return gl_quantity_json(
        &(struct gl_quantity_facts){.value = is_known ? (double)ug[1] / 1e6 : NAN,
                                    .low = is_known ? (double)ug[0] / 1e6 : NAN,
                                    .high = is_whole ? (double)ug[2] / 1e6 : NAN,
                                    .unit = "gCO2e",
                                    .accounting = "location",
                                    .source = "receipts",
                                    .grade = is_known ? month->grade : 0,
                                    .age_s = GL_UNKNOWN});
}

static json_t *stated_json(const struct gl_statement *statement, const struct gl_stated *stated,
                           const char *accounting)
{
    bool is_known = stated->unknown < stated->rows, is_whole = stated->unknown == 0;
    double value = (double)stated->ug / 1e6, slack = (double)stated->slack_ug / 1e6;
    json_t *json =
        gl_quantity_json(&(struct gl_quantity_facts){.value = is_whole ? value : NAN,
                                                     .low = is_known ? value - slack : NAN,
                                                     .high = is_whole ? value + slack : NAN,
                                                     .unit = "gCO2e",
                                                     .accounting = accounting,
                                                     .source = statement->form,
                                                     .age_s = GL_UNKNOWN});

    json_object_set_new(json, "rows", json_integer((json_int_t)stated->rows));
    json_object_set_new(json, "rows_unknown", json_integer((json_int_t)stated->unknown));
    return json;
}

static json_t *ours_json(const struct gl_month_told *told)
{
    const struct gl_month *month = told->month;

    return json_pack(
        "{s:o,s:o,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "total",
        band_json(month, told->found->total.ours_ug), "electricity",
        band_json(month, month->operational_ug), "embodied", band_json(month, month->embodied_ug),
        "launches", (json_int_t)month->launches, "counted", (json_int_t)month->counted,
        "without_receipt", (json_int_t)month->open, "carbon_unknown", (json_int_t)month->unknown,
        "not_verified", (json_int_t)month->broken, "without_readings", (json_int_t)month->unread,
        "split", (json_int_t)month->split, "gap_s", (json_int_t)((month->gap_ms + 999) / 1000));
}

static json_t *theirs_json(const struct gl_month_told *told)
{
    const struct gl_statement *statement = told->statement;
    const struct gl_month_pair *found = told->found;
    json_t *json =
        json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "provider", statement->provider, "form",
                  statement->form, "model", statement->model, "boundary", statement->boundary,
                  "rows", (json_int_t)statement->count, "denied", (json_int_t)statement->denied);

    if (found->total.has_stated)
        json_object_set_new(json, "total",
                            stated_json(statement, &found->total.stated, "location"));
    if (found->electricity.has_stated)
        json_object_set_new(json, "electricity",
                            stated_json(statement, &found->electricity.stated, "location"));
    if (found->has_market)
        json_object_set_new(json, "market", stated_json(statement, &found->market, "market"));
    if (found->has_unsaid)
        json_object_set_new(json, "accounting_not_told",
                            stated_json(statement, &found->unsaid, NULL));
    return json;
}

static json_t *differences_json(const struct gl_month_pair *found)
{
    json_t *list = json_array();

    for (size_t i = 0; i < found->difference_count; i++) {
        const struct gl_month_difference *difference = &found->differences[i];
        json_t *row = json_pack(
            "{s:s,s:s,s:o}", "name", difference->name, "text", difference->text, "value",
            difference->ug != GL_UNKNOWN ? json_real((double)difference->ug / 1e6) : json_null());

        json_object_set_new(row, "unit", json_string("gCO2e"));
        json_array_append_new(list, row);
    }
    return list;
}

void gl_show_month(struct gl_context *context, const struct gl_month_told *told)
{
    char from[GL_INSTANT_TEXT];

    gl_instant_text(told->month->from, from);
    from[7] = '\0';
    context->reply.data = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "month", from, "cloud", told->cloud, "verdict",
        gl_month_verdict_word(told->found->verdict), "why", told->found->why, "compared",
        told->found->is_total ? "total" : "electricity", "ours", ours_json(told), "stated",
        theirs_json(told), "differences", differences_json(told->found));
    show_text(context, told);
}
