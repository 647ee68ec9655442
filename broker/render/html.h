/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RENDER_HTML_H
#define GL_BROKER_RENDER_HTML_H

/* Reports as one HTML file that works from a disk without a network: no request leaves it (its
 * content policy forbids any). Every plot is an inline SVG with title and description, followed by
 * its figures as a table; where Chart.js was at hand at build time and scripts may run, the plot
 * becomes one that can be pointed at and walked through with the arrow keys. Light and dark,
 * prints. Every text given here may be foreign: it is escaped. */

#include "base/str.h"

enum gl_html_kind {
    GL_HTML_BARS,   /* one series: a bar a label, drawn from left to right */
    GL_HTML_RANGES, /* three series: a bar from the first to the second, a mark at the third */
    GL_HTML_LINES,  /* a line a series over the labels */
    GL_HTML_STEPS,  /* the same, each value held until the next */
};

#define GL_HTML_SERIES_MAX 8
#define GL_HTML_POINTS_MAX 4096

struct gl_html_series {
    const char *name;
    const double *value; /* count of the chart; NaN = none */
};

struct gl_html_chart {
    enum gl_html_kind kind;
    const char *id;              /* letters, digits, dashes; its own in the page */
    const char *title, *summary; /* heading; what it shows, in a sentence */
    const char *label, *unit;    /* of the labels ("strategy"); of the values ("kg CO2e") */
    const char *const *labels;
    size_t count; /* of labels and values; beyond GL_HTML_POINTS_MAX they are left out */
    const struct gl_html_series *series;
    size_t series_count;
    unsigned decimals; /* of the values */
    double most;       /* the axis ends there unless a value is beyond; 0 = by the values */
    size_t ticks;      /* LINES, STEPS: every so many labels the first word of one; 0 = 24 */
};

/* A table of texts, `columns` a row; the first cell of a row names it. */
struct gl_html_table {
    const char *caption;
    const char *const *heads;
    size_t columns;
    const char *const *cells; /* rows * columns; NULL = "" */
    size_t rows;
};

void gl_html_begin(struct gl_str *out, const char *title, const char *mark);
void gl_html_end(struct gl_str *out);
void gl_html_heading(struct gl_str *out, const char *text);
void gl_html_paragraph(struct gl_str *out, const char *text);
/* A figure worth a card of its own: what, how much, a word on it. Between _cards_begin and _end. */
void gl_html_cards_begin(struct gl_str *out);
void gl_html_card(struct gl_str *out, const char *what, const char *value, const char *note);
void gl_html_cards_end(struct gl_str *out);
void gl_html_chart(struct gl_str *out, const struct gl_html_chart *chart);
void gl_html_table(struct gl_str *out, const struct gl_html_table *table);

/* ---- parts ---- */

/* Text and attribute values: markup, control characters and malformed UTF-8 made harmless. */
void gl_html_text(struct gl_str *out, const char *text);
/* A number with so many decimals, "-" for NaN. Returns out. */
#define GL_HTML_NUMBER 64
char *gl_html_number(double value, unsigned decimals, char out[GL_HTML_NUMBER]);
void gl_html_svg(struct gl_str *out, const struct gl_html_chart *chart);
/* Chart.js as it was found at build time; empty when it was not. */
struct gl_view gl_html_chart_js(void);
extern const char gl_html_style[];
extern const char *const gl_html_script[]; /* in parts, NULL at the end */

#endif
