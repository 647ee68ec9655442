/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/render/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Plots as inline SVG: text stays text, colours come from the page's style, and no meaning hangs on
 * colour: bars carry their figure, lines their dash and name. */

#define WIDTH      760.0
#define BAR_LEFT   190.0
#define BAR_RIGHT  90.0
#define BAR_H      30.0
#define BAR_TOP    8.0
#define LINE_LEFT  56.0
#define LINE_RIGHT 16.0
#define LINE_TOP   34.0
#define LINE_H     210.0
#define LINE_FOOT  36.0

struct scale {
    double least, most, step;
};

/* About a fifth of `length`: 1, 2 or 5 times a power of ten. Where the axis is to end somewhere,
 * the next smaller of them that gets there. */
static double step_of(double length, double end)
{
    static const double rungs[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(length / 5)));
    size_t rung = 0;

    while (rung < 3 && rungs[rung] * power < length / 5)
        rung++;
    for (size_t i = rung + 1; i-- > 0;)
        if (fabs(remainder(end, rungs[i] * power)) < power * 1e-6)
            return rungs[i] * power;
    return rungs[rung] * power;
}

/* Round bounds with 0 inside. */
static struct scale scale_of(const struct gl_html_chart *chart)
{
    struct scale scale = {0, chart->most, 1};

    for (size_t s = 0; s < chart->series_count; s++)
        for (size_t i = 0; i < chart->count; i++) {
            double value = chart->series[s].value[i];

            if (isfinite(value)) {
                scale.least = fmin(scale.least, value);
                scale.most = fmax(scale.most, value);
            }
        }
    if (!(scale.most - scale.least > 0))
        scale.most = scale.least + 1;
    scale.step = step_of(scale.most - scale.least, scale.most <= chart->most ? chart->most : 0);
    scale.least = floor(scale.least / scale.step) * scale.step;
    scale.most = ceil(scale.most / scale.step) * scale.step;
    return scale;
}

static double at_x(const struct scale *scale, double value)
{
    return BAR_LEFT +
           (WIDTH - BAR_LEFT - BAR_RIGHT) * (value - scale->least) / (scale->most - scale->least);
}

static double at_y(const struct scale *scale, double value)
{
    return LINE_TOP + LINE_H * (scale->most - value) / (scale->most - scale->least);
}

static unsigned tick_decimals(const struct scale *scale)
{
    double digits = -floor(log10(scale->step) + 1e-9);

    return digits > 0 ? (unsigned)fmin(digits, 9) : 0;
}

static void text_at(struct gl_str *out, const double at[2], const char *class_name,
                    const char *text)
{
    gl_str_addf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", at[0], at[1], class_name);
    gl_html_text(out, text);
    gl_str_add(out, "</text>\n");
}

static void begin(struct gl_str *out, const struct gl_html_chart *chart, double height)
{
    gl_str_addf(out,
                "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"%s-t %s-d\">\n"
                "<title id=\"%s-t\">",
                WIDTH, height, chart->id, chart->id, chart->id);
    gl_html_text(out, chart->title);
    gl_str_addf(out, "</title>\n<desc id=\"%s-d\">", chart->id);
    gl_html_text(out, chart->summary);
    gl_str_add(out, "</desc>\n");
}

/* ---- bars ---- */

static void bar_grid(struct gl_str *out, const struct gl_html_chart *chart,
                     const struct scale *scale, double height)
{
    for (double value = scale->least; value <= scale->most + scale->step / 2;
         value += scale->step) {
        char number[GL_HTML_NUMBER];
        double x = at_x(scale, value);

        gl_str_addf(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"4\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                    fabs(value) < scale->step / 2 ? "axis" : "grid", x, x, height - 34);
        text_at(out, (double[2]){x, height - 18}, "tick mid",
                gl_html_number(value, tick_decimals(scale), number));
    }
    text_at(out, (double[2]){WIDTH - 4, height - 4}, "tick end", chart->unit);
}

static void one_bar(struct gl_str *out, const struct gl_html_chart *chart,
                    const struct scale *scale, size_t i)
{
    const bool is_range = chart->kind == GL_HTML_RANGES && chart->series_count >= 3;
    double low = is_range ? chart->series[0].value[i] : 0, high = chart->series[is_range].value[i];
    double mark = is_range ? chart->series[2].value[i] : high;
    double y = BAR_TOP + BAR_H * (double)i, from, to;
    char number[GL_HTML_NUMBER];

    text_at(out, (double[2]){BAR_LEFT - 10, y + 18}, "name end", chart->labels[i]);
    if (!isfinite(low) || !isfinite(high)) {
        text_at(out, (double[2]){at_x(scale, 0) + 6, y + 18}, "figure", "-");
        return;
    }
    from = at_x(scale, fmin(low, high));
    to = at_x(scale, fmax(low, high));
    gl_str_addf(out,
                "<rect class=\"s0\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"18\" "
                "rx=\"2\"/>\n",
                from, y + 4, fmax(to - from, 0.5));
    if (is_range && isfinite(mark))
        gl_str_addf(out,
                    "<line class=\"median\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                    at_x(scale, mark), y + 1, at_x(scale, mark), y + 25);
    text_at(out, (double[2]){to + 6, y + 18}, "figure",
            gl_html_number(mark, chart->decimals, number));
}

static void bars(struct gl_str *out, const struct gl_html_chart *chart)
{
    const struct scale scale = scale_of(chart);
    const double height = BAR_TOP + BAR_H * (double)chart->count + 40;

    begin(out, chart, height);
    bar_grid(out, chart, &scale, height);
    for (size_t i = 0; i < chart->count; i++)
        one_bar(out, chart, &scale, i);
    gl_str_add(out, "</svg>\n");
}

/* ---- lines ---- */

/* Of a label like "2024-01-01 07:00" the ticks show the first word. */

static double line_x(const struct gl_html_chart *chart, double i)
{
    double last = chart->kind == GL_HTML_STEPS ? (double)chart->count : (double)chart->count - 1;

    return LINE_LEFT + (WIDTH - LINE_LEFT - LINE_RIGHT) * i / fmax(last, 1);
}

static void line_grid(struct gl_str *out, const struct gl_html_chart *chart,
                      const struct scale *scale)
{
    const size_t ticks = chart->ticks > 0 ? chart->ticks : 24;

    for (double value = scale->least; value <= scale->most + scale->step / 2;
         value += scale->step) {
        char number[GL_HTML_NUMBER];
        double y = at_y(scale, value);

        gl_str_addf(out, "<line class=\"grid\" x1=\"%.0f\" y1=\"%.1f\" x2=\"%.0f\" y2=\"%.1f\"/>\n",
                    LINE_LEFT, y, WIDTH - LINE_RIGHT, y);
        text_at(out, (double[2]){LINE_LEFT - 6, y + 4}, "tick end",
                gl_html_number(value, tick_decimals(scale), number));
    }
    for (size_t i = 0; i < chart->count; i += ticks) {
        double x = line_x(chart, (double)i);
        char first[32];

        gl_str_addf(out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.0f\" x2=\"%.1f\" y2=\"%.0f\"/>\n",
                    x, LINE_TOP, x, LINE_TOP + LINE_H + 5);
        snprintf(first, sizeof first, "%.*s", (int)strcspn(chart->labels[i], " "),
                 chart->labels[i]);
        text_at(out, (double[2]){x + 3, LINE_TOP + LINE_H + 18}, "tick", first);
    }
    text_at(out, (double[2]){WIDTH - 4, LINE_TOP + LINE_H + LINE_FOOT - 2}, "tick end",
            chart->unit);
}

static void line_path(struct gl_str *out, const struct gl_html_chart *chart,
                      const struct scale *scale, size_t s)
{
    const bool is_step = chart->kind == GL_HTML_STEPS;
    bool is_down = false;

    gl_str_addf(out, "<path class=\"l%zu\" d=\"", s);
    for (size_t i = 0; i < chart->count; i++) {
        double value = chart->series[s].value[i];

        if (!isfinite(value)) {
            is_down = false;
            continue;
        }
        gl_str_addf(out, "%c%.1f %.1f", is_down ? 'L' : 'M', line_x(chart, (double)i),
                    at_y(scale, value));
        if (is_step)
            gl_str_addf(out, "H%.1f", line_x(chart, (double)i + 1));
        is_down = true;
    }
    gl_str_add(out, "\"/>\n");
}

static void legend(struct gl_str *out, const struct gl_html_chart *chart)
{
    double x = LINE_LEFT;

    for (size_t s = 0; s < chart->series_count; s++) {
        gl_str_addf(out, "<path class=\"l%zu\" d=\"M%.1f 14H%.1f\"/>\n", s, x, x + 30);
        text_at(out, (double[2]){x + 36, 18}, "name", chart->series[s].name);
        x += 36 + 8.0 * gl_text_columns(chart->series[s].name) + 20;
    }
}

static void lines(struct gl_str *out, const struct gl_html_chart *chart)
{
    const struct scale scale = scale_of(chart);

    begin(out, chart, LINE_TOP + LINE_H + LINE_FOOT);
    line_grid(out, chart, &scale);
    for (size_t s = 0; s < chart->series_count; s++)
        line_path(out, chart, &scale, s);
    legend(out, chart);
    gl_str_add(out, "</svg>\n");
}

void gl_html_svg(struct gl_str *out, const struct gl_html_chart *chart)
{
    if (chart->kind == GL_HTML_BARS || chart->kind == GL_HTML_RANGES)
        bars(out, chart);
    else
        lines(out, chart);
}
