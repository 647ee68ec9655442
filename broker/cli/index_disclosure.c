/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wrap.h"
#include "broker/cli/index_part.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

#define ROWS_MAX    64
#define GRADE_TEXT  24
#define LABEL_WIDTH 19 /* of "  before_purchase  " */

struct graded {
    const struct gl_disclosure_row *row;
    struct gl_disclosure_grade grade;
};

struct graded_list {
    struct graded items[ROWS_MAX];
    size_t count;
};

static const struct gl_column columns[] = {
    {"PROVIDER", false, 0}, {"GRADE", false, 0},    {"HOURLY", false, 0}, {"INSTANCE", false, 0},
    {"API", false, 0},      {"FORECAST", false, 0}, {"BEFORE", false, 0}, {"SIGNED", false, 0},
};
#define COLUMNS (sizeof columns / sizeof columns[0])
_Static_assert(COLUMNS == GL_DISCLOSURE_COLUMNS + 2, "a column of the table for each of the data");

static const char method[] =
    "HOURLY figures of an hour or less; INSTANCE of one instance; API by a documented API; "
    "FORECAST "
    "of hours to come; BEFORE purchase; SIGNED so that others can check them. GRADE: yes 2 points, "
    "partly 1, no and unknown 0, of 12; A from 11, B 8, C 5, D 2, E below, ? when all is unknown. "
    "Unknown means that what was read does not say; it never counts as yes. Nothing here decides: "
    "rules are kept by the grid's hours.";

/* Most points first, the wholly unknown last. */
static int by_grade(const void *a, const void *b)
{
    const struct graded *one = a, *other = b;
    bool is_one = one->grade.letter == '?', is_other = other->grade.letter == '?';

    if (is_one != is_other)
        return is_one - is_other;
    if (one->grade.points != other->grade.points)
        return one->grade.points < other->grade.points ? 1 : -1;
    return strcmp(one->row->cloud, other->row->cloud);
}

static void collect(const struct index_call *call, struct graded_list *out)
{
    const struct gl_disclosure_row *rows;
    size_t count = gl_data_disclosure(&rows);

    for (size_t i = 0; i < count && out->count < ROWS_MAX; i++)
        if (gl_index_is_wanted(call, rows[i].cloud))
            out->items[out->count++] =
                (struct graded){&rows[i], gl_disclosure_grade(rows[i].cells)};
    qsort(out->items, out->count, sizeof out->items[0], by_grade);
}

static char *grade_text(const struct gl_disclosure_grade *grade, char out[GRADE_TEXT])
{
    if (grade->letter == '?')
        snprintf(out, GRADE_TEXT, "?");
    else
        snprintf(out, GRADE_TEXT, "%c %u/%d", grade->letter, grade->points,
                 GL_DISCLOSURE_POINTS_MAX);
    return out;
}

/* The newest day on which anything shown was looked at. */
static const char *looked_at(const struct graded_list *list)
{
    const char *newest = "";

    for (size_t i = 0; i < list->count; i++)
        for (int c = 0; c < GL_DISCLOSURE_COLUMNS; c++)
            if (strcmp(list->items[i].row->cells[c].looked_at, newest) > 0)
                newest = list->items[i].row->cells[c].looked_at;
    return newest;
}

static void row_texts(const struct graded *graded, char grade[GRADE_TEXT], const char *out[COLUMNS])
{
    out[0] = graded->row->cloud;
    out[1] = grade_text(&graded->grade, grade);
    for (int c = 0; c < GL_DISCLOSURE_COLUMNS; c++)
        out[c + 2] = gl_disclosed_word(graded->row->cells[c].value);
}

/* ---- text ---- */

static void show_table(struct gl_context *context, const struct graded_list *list)
{
    struct gl_table *table = gl_table_new(columns, COLUMNS);
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_addf(&line,
                "What providers disclose of the electricity behind an instance; last looked "
                "at %s.",
                looked_at(list));
    gl_render_wrap(gl_str_text(&line), 0, context->columns, &context->reply.text);
    gl_str_add_char(&context->reply.text, '\n');
    for (size_t i = 0; i < list->count; i++) {
        char grade[GRADE_TEXT];
        const char *texts[COLUMNS];

        row_texts(&list->items[i], grade, texts);
        gl_table_row(table, texts);
    }
    gl_table_text(table, context->columns, context->globals.is_accessible, &context->reply.text);
    gl_table_free(table);
    gl_str_add_char(&context->reply.text, '\n');
    gl_render_wrap(method, 0, context->columns, &context->reply.text);
    gl_render_wrap("Evidence, source and date of each cell: greenlaunch index disclosure PROVIDER",
                   0, context->columns, &context->reply.text);
}

/* "scaleway (Scaleway): C, 5 of 12 points". */
static void add_title(const struct graded *graded, struct gl_str *out)
{
    gl_str_addf(out, "%s (%s): ", graded->row->cloud, graded->row->provider);
    if (graded->grade.letter == '?')
        gl_str_add(out, "ungraded, all is unknown");
    else
        gl_str_addf(out, "%c, %u of %d points", graded->grade.letter, graded->grade.points,
                    GL_DISCLOSURE_POINTS_MAX);
}

static void describe_cell(const struct gl_disclosure_cell *cell, const char *separator,
                          struct gl_str *out)
{
    gl_str_addf(out, "%s. %s%sSource: %s, looked at %s", gl_disclosed_word(cell->value),
                cell->evidence, separator, cell->source, cell->looked_at);
}

static void show_evidence(struct gl_context *context, const struct graded *graded)
{
    struct gl_str *out = &context->reply.text;

    add_title(graded, out);
    gl_str_add_char(out, '\n');
    for (int c = 0; c < GL_DISCLOSURE_COLUMNS; c++) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        describe_cell(&graded->row->cells[c], "\n", &line);
        gl_str_addf(out, "  %-*s", LABEL_WIDTH - 2,
                    gl_disclosure_column_word((enum gl_disclosure_column)c));
        gl_wrap_text(gl_str_text(&line),
                     (struct gl_margins){LABEL_WIDTH, LABEL_WIDTH, context->columns}, out);
    }
}

/* ---- data ---- */

static json_t *row_json(const struct graded *graded)
{
    json_t *cells = json_object();
    char letter[2] = {graded->grade.letter, '\0'};

    for (int c = 0; c < GL_DISCLOSURE_COLUMNS; c++) {
        const struct gl_disclosure_cell *cell = &graded->row->cells[c];

        json_object_set_new(cells, gl_disclosure_column_word((enum gl_disclosure_column)c),
                            json_pack("{s:s,s:s,s:s,s:s}", "value", gl_disclosed_word(cell->value),
                                      "evidence", cell->evidence, "source", cell->source,
                                      "looked_at", cell->looked_at));
    }
    return json_pack("{s:s,s:s,s:o,s:I,s:I,s:I,s:o}", "cloud", graded->row->cloud, "provider",
                     graded->row->provider, "grade",
                     letter[0] == '?' ? json_null() : json_string(letter), "points",
                     (json_int_t)graded->grade.points, "points_of",
                     (json_int_t)GL_DISCLOSURE_POINTS_MAX, "unknown",
                     (json_int_t)graded->grade.unknown, "cells", cells);
}

static json_t *list_json(const struct graded_list *list)
{
    json_t *providers = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(providers, row_json(&list->items[i]));
    return json_pack("{s:s,s:s,s:o}", "index", "disclosure", "method", method, "providers",
                     providers);
}

static const char *const evidence_heads[] = {"provider", "grade",  "column",   "value",
                                             "evidence", "source", "looked_at"};
#define EVIDENCE (sizeof evidence_heads / sizeof evidence_heads[0])

static struct index_cells evidence_of(const struct graded_list *list)
{
    struct index_cells cells = {.columns = EVIDENCE};

    for (size_t i = 0; i < list->count; i++)
        for (int c = 0; c < GL_DISCLOSURE_COLUMNS; c++) {
            const struct gl_disclosure_cell *cell = &list->items[i].row->cells[c];
            char letter[2] = {list->items[i].grade.letter, '\0'};

            gl_index_cells_add(&cells, (const char *const[EVIDENCE]){
                                           list->items[i].row->cloud, letter,
                                           gl_disclosure_column_word((enum gl_disclosure_column)c),
                                           gl_disclosed_word(cell->value), cell->evidence,
                                           cell->source, cell->looked_at});
        }
    return cells;
}

/* ---- page ---- */

static void add_chart(const struct graded_list *list, struct gl_str *out)
{
    const char *labels[ROWS_MAX];
    double points[ROWS_MAX];

    for (size_t i = 0; i < list->count; i++) {
        labels[i] = list->items[i].row->cloud;
        points[i] =
            list->items[i].grade.letter == '?' ? (double)NAN : (double)list->items[i].grade.points;
    }
    gl_html_chart(out,
                  &(struct gl_html_chart){
                      .kind = GL_HTML_BARS,
                      .id = "disclosure",
                      .title = "Points of disclosure",
                      .summary = "Points of disclosure, of 12; none is drawn where all is unknown.",
                      .label = "provider",
                      .unit = "of 12",
                      .labels = labels,
                      .count = list->count,
                      .series = &(struct gl_html_series){"points", points},
                      .series_count = 1,
                      .most = GL_DISCLOSURE_POINTS_MAX,
                  });
}

/* As paragraphs: addresses are too long for columns on paper. */
static void add_evidence(const struct graded *graded, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str title = {0};

    add_title(graded, &title);
    gl_html_heading(out, gl_str_text(&title));
    for (int c = 0; c < GL_DISCLOSURE_COLUMNS; c++) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        gl_str_addf(&line, "%s: ", gl_disclosure_column_word((enum gl_disclosure_column)c));
        describe_cell(&graded->row->cells[c], " ", &line);
        gl_html_paragraph(out, gl_str_text(&line));
    }
}

static void add_page(const struct graded_list *list, struct gl_str *out)
{
    static const char *const heads[COLUMNS] = {"provider",        "grade", "hourly",
                                               "per instance",    "API",   "forecast",
                                               "before purchase", "signed"};
    struct index_cells cells = {.columns = COLUMNS};

    gl_html_paragraph(out, method);
    add_chart(list, out);
    for (size_t i = 0; i < list->count; i++) {
        char grade[GRADE_TEXT];
        const char *texts[COLUMNS];

        row_texts(&list->items[i], grade, texts);
        gl_index_cells_add(&cells, texts);
    }
    gl_html_heading(out, "Every cell");
    gl_index_cells_html(&cells, "What is disclosed", heads, out);
    gl_index_cells_done(&cells);
    for (size_t i = 0; i < list->count; i++)
        add_evidence(&list->items[i], out);
}

int gl_index_disclosure(struct index_call *call, struct gl_error *err)
{
    struct graded_list list = {.count = 0};
    GL_AUTO(gl_index_cells_done) struct index_cells evidence = {0};

    (void)err;
    collect(call, &list);
    evidence = evidence_of(&list);
    call->context->reply.data = list_json(&list);
    if (call->values->html != NULL)
        add_page(&list, &call->page);
    if (call->values->is_csv)
        gl_index_cells_csv(&evidence, evidence_heads, &call->context->reply.text);
    else if (call->provider != NULL)
        show_evidence(call->context, &list.items[0]);
    else
        show_table(call->context, &list);
    return 0;
}
