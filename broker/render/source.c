/* SPDX-License-Identifier: Apache-2.0 */
/* Where shown figures come from, to be credited as their licences ask. */
#include <string.h>

#include "base/time.h"
#include "broker/render/decision.h"
#include "broker/render/text.h"

void gl_render_source_note(struct gl_render_sources *sources, const struct gl_figure *figure)
{
    if (figure->series == NULL)
        return;
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->series[i]->dataset, figure->series->dataset) == 0) {
            if (figure->age_s > sources->age_s[i])
                sources->age_s[i] = figure->age_s;
            return;
        }
    sources->is_more = sources->is_more || sources->count == GL_RENDER_SOURCES;
    if (sources->count == GL_RENDER_SOURCES)
        return;
    sources->series[sources->count] = figure->series;
    sources->age_s[sources->count++] = figure->age_s;
}

int gl_render_year(const struct gl_series *series)
{
    int year, month, day, hour, minute, second;

    if (series->count == 0 || series->points[0].evidence != GL_ANNUAL_AVERAGE)
        return 0;
    gl_instant_civil((struct gl_instant){series->points[0].from_s}, &year, &month, &day, &hour,
                     &minute, &second);
    return year;
}

void gl_render_dated(const struct gl_series *series, int64_t age_s, struct gl_str *out)
{
    int year = gl_render_year(series);
    char age[GL_RENDER_NUMBER];

    if (year != 0)
        gl_str_addf(out, "yearly average of %d", year);
    else
        gl_str_addf(out, "%s old", gl_render_age(age_s, age));
}

void gl_render_sources(const struct gl_render_sources *sources, struct gl_str *out)
{
    for (size_t i = 0; i < sources->count; i++) {
        const struct gl_series *series = sources->series[i];

        gl_str_add(out, i == 0 ? "Sources: " : "; ");
        gl_str_add_printable(out, series->dataset, strlen(series->dataset));
        gl_str_add(out, " (");
        gl_str_add_printable(out, series->attribution, strlen(series->attribution));
        gl_str_add(out, ", ");
        gl_render_dated(series, sources->age_s[i], out);
        gl_str_add_char(out, ')');
    }
    if (sources->count > 0)
        gl_str_add(out, sources->is_more ? "; and more." : ".");
}
