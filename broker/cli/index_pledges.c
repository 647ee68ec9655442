/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/wrap.h"
#include "broker/cli/index_part.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

#define ROWS_MAX    64
#define LABEL_WIDTH 12 /* of "  reported  " */
#define YEAR_TEXT   12

struct pledge_list {
    const struct gl_pledge_row *items[ROWS_MAX];
    size_t count;
};

static const char method[] =
    "A pledge and a report are the provider's own word, all of them counted by contracts and "
    "certificates where the accounting is said at all. MATCH says over which time. Matched by year "
    "means that purchases of a "
    "year equal the use of a year: it says nothing of any hour and is no hourly matching. None of "
    "it is the grid's own, location-based figure, and no rule is satisfied by it.";

static void collect(const struct index_call *call, struct pledge_list *out)
{
    const struct gl_pledge_row *rows;
    size_t count = gl_data_pledges(&rows);

    for (size_t i = 0; i < count && out->count < ROWS_MAX; i++)
        if (gl_index_is_wanted(call, rows[i].cloud))
            out->items[out->count++] = &rows[i];
}

static const char *or_unknown(const char *text)
{
    return text != NULL ? text : "unknown";
}

static char *year_text(int16_t year, const char *unknown, char out[YEAR_TEXT])
{
    if (year > 0)
        snprintf(out, YEAR_TEXT, "%d", year);
    else
        snprintf(out, YEAR_TEXT, "%s", unknown);
    return out;
}

/* Matching alone: what of "market-based, by year" tells two parts apart in a narrow column. */
static const char *matching_word(enum gl_pledge_counting counting)
{
    static const char *const words[] = {"unknown", "not said", "by year", "by hour"};

    return words[counting];
}

/* ---- text ---- */

static void show_table(struct gl_context *context, const struct pledge_list *list)
{
    static const struct gl_column columns[] = {
        {"PROVIDER", false, 0}, {"TARGET", false, 0}, {"BY", false, 0},      {"MATCH", false, 2},
        {"REPORTED", false, 0}, {"OF", false, 0},     {"MATCHED", false, 1},
    };
    struct gl_table *table = gl_table_new(columns, sizeof columns / sizeof columns[0]);

    gl_render_wrap("What each provider pledges, beside what it last reported.", 0, context->columns,
                   &context->reply.text);
    gl_str_add_char(&context->reply.text, '\n');
    for (size_t i = 0; i < list->count; i++) {
        const struct gl_pledge_part *target = &list->items[i]->target;
        const struct gl_pledge_part *reported = &list->items[i]->reported;
        char by[YEAR_TEXT], of[YEAR_TEXT];

        gl_table_row(table, (const char *const[]){
                                list->items[i]->cloud, or_unknown(target->figure),
                                year_text(target->year, "?", by), matching_word(target->counting),
                                or_unknown(reported->figure), year_text(reported->year, "?", of),
                                matching_word(reported->counting)});
    }
    gl_table_text(table, context->columns, context->globals.is_accessible, &context->reply.text);
    gl_table_free(table);
    gl_str_add_char(&context->reply.text, '\n');
    gl_render_wrap(method, 0, context->columns, &context->reply.text);
    gl_render_wrap("In full, with source and date: greenlaunch index pledges PROVIDER", 0,
                   context->columns, &context->reply.text);
}

/* What, figure, accounting and source. */
static void describe_part(const struct gl_pledge_part *part, const char *year_word,
                          const char *separator, struct gl_str *out)
{
    gl_str_add(out, part->what != NULL ? part->what : "unknown: what was read states none");
    if (part->figure != NULL)
        gl_str_addf(out, "%s%s", separator, part->figure);
    if (part->year > 0)
        gl_str_addf(out, "%s%s %d", part->figure != NULL ? ", " : separator, year_word, part->year);
    if (part->what != NULL)
        gl_str_addf(out, "%sAccounting: %s%s", separator, gl_pledge_counting_word(part->counting),
                    part->counting == GL_PLEDGE_MARKET_YEARLY ? ", which is not hourly" : "");
    gl_str_addf(out, "%sSource: %s%s%s, looked at %s", separator, part->source,
                part->dated[0] != '\0' ? ", of " : "", part->dated, part->looked_at);
}

static void show_part(struct gl_context *context, const char *label,
                      const struct gl_pledge_part *part, const char *year_word)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    describe_part(part, year_word, "\n", &line);
    gl_str_addf(&context->reply.text, "  %-*s", LABEL_WIDTH - 2, label);
    gl_wrap_text(gl_str_text(&line),
                 (struct gl_margins){LABEL_WIDTH, LABEL_WIDTH, context->columns},
                 &context->reply.text);
}

static void show_full(struct gl_context *context, const struct gl_pledge_row *row)
{
    gl_str_addf(&context->reply.text, "%s (%s)\n", row->cloud, row->provider);
    show_part(context, "target", &row->target, "by");
    show_part(context, "reported", &row->reported, "of");
    gl_str_add_char(&context->reply.text, '\n');
    gl_render_wrap(method, 0, context->columns, &context->reply.text);
}

/* ---- data ---- */

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *part_json(const struct gl_pledge_part *part)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:s,s:s,s:o,s:s}", "what", text_or_null(part->what),
                     "figure", text_or_null(part->figure), "percent",
                     part->permille >= 0 ? json_real(part->permille / 10.0) : json_null(), "year",
                     part->year > 0 ? json_integer(part->year) : json_null(), "accounting",
                     gl_pledge_counting_word(part->counting), "source", part->source, "dated",
                     text_or_null(part->dated), "looked_at", part->looked_at);
}

static json_t *list_json(const struct pledge_list *list)
{
    json_t *providers = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(providers,
                              json_pack("{s:s,s:s,s:o,s:o}", "cloud", list->items[i]->cloud,
                                        "provider", list->items[i]->provider, "target",
                                        part_json(&list->items[i]->target), "reported",
                                        part_json(&list->items[i]->reported)));
    return json_pack("{s:s,s:s,s:o}", "index", "pledges", "method", method, "providers", providers);
}

static const char *const heads[] = {"provider",   "part",   "what",  "figure",   "year",
                                    "accounting", "source", "dated", "looked_at"};
#define HEADS (sizeof heads / sizeof heads[0])

static void add_part(struct index_cells *cells, const char *cloud, const char *name,
                     const struct gl_pledge_part *part)
{
    char year[YEAR_TEXT];

    gl_index_cells_add(cells, (const char *const[HEADS]){
                                  cloud, name, or_unknown(part->what), or_unknown(part->figure),
                                  year_text(part->year, "unknown", year),
                                  gl_pledge_counting_word(part->counting), part->source,
                                  part->dated, part->looked_at});
}

static struct index_cells cells_of(const struct pledge_list *list)
{
    struct index_cells cells = {.columns = HEADS};

    for (size_t i = 0; i < list->count; i++) {
        add_part(&cells, list->items[i]->cloud, "target", &list->items[i]->target);
        add_part(&cells, list->items[i]->cloud, "reported", &list->items[i]->reported);
    }
    return cells;
}

/* ---- page ---- */

static double percent_of(const struct gl_pledge_part *part)
{
    return part->permille >= 0 ? part->permille / 10.0 : (double)NAN;
}

/* "azure, 2025, by year": bars of unlike years and accounting must not look alike. */
static void label_of(const struct gl_pledge_row *row, const struct gl_pledge_part *part,
                     struct gl_str *out)
{
    gl_str_add(out, row->cloud);
    if (part->permille < 0)
        return;
    gl_str_addf(out, ", %d", part->year);
    if (part->counting >= GL_PLEDGE_MARKET_YEARLY)
        gl_str_addf(out, ", %s", matching_word(part->counting));
}

static void add_chart(const struct pledge_list *list, bool is_target, struct gl_str *out)
{
    struct gl_str names[ROWS_MAX] = {{0}};
    const char *labels[ROWS_MAX];
    double percent[ROWS_MAX];

    for (size_t i = 0; i < list->count; i++) {
        const struct gl_pledge_row *row = list->items[i];
        const struct gl_pledge_part *part = is_target ? &row->target : &row->reported;

        label_of(row, part, &names[i]);
        labels[i] = gl_str_text(&names[i]);
        percent[i] = percent_of(part);
    }
    gl_html_chart(out, &(struct gl_html_chart){
                           .kind = GL_HTML_BARS,
                           .id = is_target ? "target" : "reported",
                           .title = is_target ? "Pledged share of electricity"
                                              : "Last reported share of electricity",
                           .summary = "By the provider's own word, with its year and how it is "
                                      "matched, where that is said; a match by year is not hourly. "
                                      "None is drawn where it is unknown.",
                           .label = "provider",
                           .unit = "%",
                           .labels = labels,
                           .count = list->count,
                           .series = &(struct gl_html_series){"share", percent},
                           .series_count = 1,
                           .most = 100,
                       });
    for (size_t i = 0; i < list->count; i++)
        gl_str_done(&names[i]);
}

/* In full as paragraphs: addresses are too long for columns on paper. */
static void add_page_part(const struct gl_pledge_row *row, bool is_target, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_addf(&line, "%s: ", is_target ? "Target" : "Reported");
    describe_part(is_target ? &row->target : &row->reported, is_target ? "by" : "of", " \xC2\xB7 ",
                  &line);
    gl_html_paragraph(out, gl_str_text(&line));
}

static void add_page(const struct pledge_list *list, struct gl_str *out)
{
    gl_html_paragraph(out, method);
    add_chart(list, true, out);
    add_chart(list, false, out);
    for (size_t i = 0; i < list->count; i++) {
        gl_html_heading(out, list->items[i]->provider);
        add_page_part(list->items[i], true, out);
        add_page_part(list->items[i], false, out);
    }
}

int gl_index_pledges(struct index_call *call, struct gl_error *err)
{
    struct pledge_list list = {.count = 0};
    GL_AUTO(gl_index_cells_done) struct index_cells cells = {0};

    (void)err;
    collect(call, &list);
    cells = cells_of(&list);
    call->context->reply.data = list_json(&list);
    if (call->values->html != NULL)
        add_page(&list, &call->page);
    if (call->values->is_csv)
        gl_index_cells_csv(&cells, heads, &call->context->reply.text);
    else if (call->provider != NULL)
        show_full(call->context, list.items[0]);
    else
        show_table(call->context, &list);
    return 0;
}
