/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/render/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* Longer tables are folded. */
#define OPEN_ROWS 24

void gl_html_text(struct gl_str *out, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str clean = {0};
    const char *at;

    gl_str_add_printable(&clean, text, strlen(text));
    for (at = gl_str_text(&clean); *at != '\0'; at++)
        switch (*at) {
        case '&':
            gl_str_add(out, "&amp;");
            break;
        case '<':
            gl_str_add(out, "&lt;");
            break;
        case '>':
            gl_str_add(out, "&gt;");
            break;
        case '"':
            gl_str_add(out, "&quot;");
            break;
        case '\'':
            gl_str_add(out, "&#39;");
            break;
        default:
            gl_str_add_char(out, *at);
        }
}

char *gl_html_number(double value, unsigned decimals, char out[GL_HTML_NUMBER])
{
    if (!isfinite(value))
        snprintf(out, GL_HTML_NUMBER, "-");
    else if (fabs(value) < 1e15)
        snprintf(out, GL_HTML_NUMBER, "%.*f", (int)decimals, value);
    else
        snprintf(out, GL_HTML_NUMBER, "%.3g", value);
    if (strncmp(out, "-0", 2) == 0 && strspn(out, "-0.") == strlen(out))
        memmove(out, out + 1, strlen(out));
    return out;
}

/* <name>text</name>, `name` ours. */
static void element(struct gl_str *out, const char *name, const char *text)
{
    gl_str_addf(out, "<%s>", name);
    gl_html_text(out, text);
    gl_str_addf(out, "</%.*s>\n", (int)strcspn(name, " "), name);
}

void gl_html_begin(struct gl_str *out, const char *title, const char *mark)
{
    gl_str_add(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
                    "form-action 'none'\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n");
    element(out, "title", title);
    gl_str_add(out, "<style>\n");
    gl_str_add(out, gl_html_style);
    gl_str_add(out, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the "
                    "figures</a>\n<header>\n");
    element(out, "h1", title);
    if (mark[0] != '\0')
        element(out, "p class=\"mark\"", mark);
    gl_str_add(out, "</header>\n<main id=\"main\">\n");
}

void gl_html_end(struct gl_str *out)
{
    const struct gl_view chart_js = gl_html_chart_js();

    gl_str_add(out, "</main>\n<footer>\n<p>Made by greenlaunch " GL_VERSION ". This file needs no "
                    "network and asks for none.");
    if (chart_js.length == 0)
        gl_str_add(out, " It was built without Chart.js: its plots are still pictures, each with "
                        "its table.");
    gl_str_add(out, "</p>\n</footer>\n");
    if (chart_js.length > 0) {
        gl_str_add(out, "<script>");
        gl_str_add_bytes(out, chart_js.text, chart_js.length);
        gl_str_add(out, "</script>\n<script>\n");
        for (size_t i = 0; gl_html_script[i] != NULL; i++)
            gl_str_add(out, gl_html_script[i]);
        gl_str_add(out, "</script>\n");
    }
    gl_str_add(out, "</body>\n</html>\n");
}

void gl_html_heading(struct gl_str *out, const char *text)
{
    element(out, "h2", text);
}

void gl_html_paragraph(struct gl_str *out, const char *text)
{
    element(out, "p", text);
}

void gl_html_cards_begin(struct gl_str *out)
{
    gl_str_add(out, "<dl class=\"cards\">\n");
}

void gl_html_card(struct gl_str *out, const char *what, const char *value, const char *note)
{
    gl_str_add(out, "<div>");
    element(out, "dt", what);
    element(out, "dd class=\"value\"", value);
    element(out, "dd", note);
    gl_str_add(out, "</div>\n");
}

void gl_html_cards_end(struct gl_str *out)
{
    gl_str_add(out, "</dl>\n");
}

/* ---- tables ---- */

static void begin_table(struct gl_str *out, const char *caption, size_t rows)
{
    gl_str_addf(out, "<details%s><summary>Table: ", rows <= OPEN_ROWS ? " open" : "");
    gl_html_text(out, caption);
    gl_str_add(out, "</summary>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
                    "aria-label=\"");
    gl_html_text(out, caption);
    gl_str_add(out, "\">\n<table>\n");
    element(out, "caption", caption);
    gl_str_add(out, "<thead><tr>");
}

static void end_table(struct gl_str *out)
{
    gl_str_add(out, "</tbody>\n</table>\n</div></details>\n");
}

static void head(struct gl_str *out, const char *text)
{
    gl_str_add(out, "<th scope=\"col\">");
    gl_html_text(out, text);
    gl_str_add(out, "</th>");
}

static void cell(struct gl_str *out, const char *text, bool is_first)
{
    const bool is_number = strspn(text, "0123456789.-") > 0; /* with its unit on one line */

    gl_str_add(out, is_first ? "<th scope=\"row\">" : is_number ? "<td class=\"n\">" : "<td>");
    gl_html_text(out, text);
    gl_str_add(out, is_first ? "</th>" : "</td>");
}

void gl_html_table(struct gl_str *out, const struct gl_html_table *table)
{
    begin_table(out, table->caption, table->rows);
    for (size_t c = 0; c < table->columns; c++)
        head(out, table->heads[c]);
    gl_str_add(out, "</tr></thead>\n<tbody>\n");
    for (size_t r = 0; r < table->rows; r++) {
        gl_str_add(out, "<tr>");
        for (size_t c = 0; c < table->columns; c++) {
            const char *text = table->cells[r * table->columns + c];

            cell(out, text != NULL ? text : "", c == 0);
        }
        gl_str_add(out, "</tr>\n");
    }
    end_table(out);
}

/* ---- plots ---- */

/* Chart with what is beyond the ceilings left out. */
static struct gl_html_chart capped(const struct gl_html_chart *chart)
{
    struct gl_html_chart copy = *chart;

    if (copy.count > GL_HTML_POINTS_MAX)
        copy.count = GL_HTML_POINTS_MAX;
    if (copy.series_count > GL_HTML_SERIES_MAX)
        copy.series_count = GL_HTML_SERIES_MAX;
    return copy;
}

static void chart_table(struct gl_str *out, const struct gl_html_chart *chart)
{
    begin_table(out, chart->title, chart->count);
    head(out, chart->label);
    for (size_t s = 0; s < chart->series_count; s++) {
        gl_str_add(out, "<th scope=\"col\">");
        gl_html_text(out, chart->series[s].name);
        gl_str_add(out, " <span class=\"unit\">");
        gl_html_text(out, chart->unit);
        gl_str_add(out, "</span></th>");
    }
    gl_str_add(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < chart->count; i++) {
        gl_str_add(out, "<tr>");
        cell(out, chart->labels[i], true);
        for (size_t s = 0; s < chart->series_count; s++) {
            char number[GL_HTML_NUMBER];

            cell(out, gl_html_number(chart->series[s].value[i], chart->decimals, number), false);
        }
        gl_str_add(out, "</tr>\n");
    }
    end_table(out);
}

static json_t *text_json(const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str clean = {0};

    gl_str_add_printable(&clean, text, strlen(text));
    return json_string(gl_str_text(&clean));
}

static json_t *data_json(const struct gl_html_chart *chart)
{
    static const char *const kinds[] = {"bars", "ranges", "lines", "steps"};
    json_t *labels = json_array(), *series = json_array();

    for (size_t i = 0; i < chart->count; i++)
        json_array_append_new(labels, text_json(chart->labels[i]));
    for (size_t s = 0; s < chart->series_count; s++) {
        json_t *values = json_array();

        for (size_t i = 0; i < chart->count; i++) {
            double value = chart->series[s].value[i];

            json_array_append_new(values, isfinite(value) ? json_real(value) : json_null());
        }
        json_array_append_new(
            series,
            json_pack("{s:o,s:o}", "name", text_json(chart->series[s].name), "values", values));
    }
    return json_pack("{s:s,s:o,s:o,s:o,s:I,s:f,s:I,s:o,s:o}", "kind", kinds[chart->kind], "title",
                     text_json(chart->title), "unit", text_json(chart->unit), "label",
                     text_json(chart->label), "decimals", (json_int_t)chart->decimals, "most",
                     chart->most, "ticks", (json_int_t)(chart->ticks > 0 ? chart->ticks : 24),
                     "labels", labels, "series", series);
}

/* JSON inside a script element: nothing in it may end the element. */
static void chart_data(struct gl_str *out, const struct gl_html_chart *chart)
{
    GL_AUTO(gl_auto_json) json_t *data = data_json(chart);
    GL_AUTO(gl_auto_free)
    char *text = json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(8));

    gl_str_add(out, "<script type=\"application/json\">");
    for (const char *at = text != NULL ? text : "null"; *at != '\0'; at++)
        if (*at == '<' || *at == '>' || *at == '&')
            gl_str_addf(out, "\\u%04x", (unsigned)*at);
        else
            gl_str_add_char(out, *at);
    gl_str_add(out, "</script>\n");
}

void gl_html_chart(struct gl_str *out, const struct gl_html_chart *asked)
{
    const struct gl_html_chart chart = capped(asked);

    gl_str_add(out, "<section>\n");
    element(out, "h2", chart.title);
    gl_str_addf(out, "<figure class=\"plot\" id=\"%s\">\n", chart.id);
    gl_html_svg(out, &chart);
    chart_data(out, &chart);
    gl_str_add(out, "<p class=\"said\" aria-live=\"polite\"></p>\n");
    element(out, "figcaption", chart.summary);
    gl_str_add(out, "</figure>\n");
    chart_table(out, &chart);
    gl_str_add(out, "</section>\n");
}
