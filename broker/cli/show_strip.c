/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/show_strip.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/render/text.h"

#define LEVELS      8
#define LABEL_MAX   24
#define CELLS_LEAST 8

static const char *const bars[LEVELS] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
static const char *const digits[LEVELS] = {"1", "2", "3", "4", "5", "6", "7", "8"};

/* What a row shows of the hours of one place. */
struct strip {
    const struct gl_ask_result *asked;
    const struct gl_schedule *schedule;
    size_t cells, step; /* `step` hours a cell */
    unsigned label;
    float low, high; /* of all places shown, so that they can be compared by eye */
    const char *const *bars;
};

bool gl_stretch_next(const struct gl_ask_result *asked, const struct gl_schedule *schedule,
                     struct gl_stretch *stretch)
{
    const struct gl_plan *plan = &schedule->plan;
    size_t h = stretch->next, end;

    while (h < plan->hours && plan->where[h] == GL_REGION_NONE)
        h++;
    if (h >= plan->hours)
        return false;
    for (end = h; end < plan->hours && plan->where[end] == plan->where[h]; end++)
        continue;
    *stretch = (struct gl_stretch){.next = end,
                                   .place = plan->where[h],
                                   .from = gl_schedule_at(asked, h),
                                   .until = gl_schedule_end(asked, plan, end)};
    return true;
}

/* ---- figures ---- */

/* Home, so that there is something to compare with, and wherever it runs. */
static bool is_used(const struct gl_schedule *schedule, size_t place)
{
    for (size_t h = 0; h < schedule->plan.hours; h++)
        if (schedule->plan.where[h] == (int)place)
            return true;
    return place == 0;
}

static void measure(struct strip *strip)
{
    const struct gl_schedule *schedule = strip->schedule;

    strip->low = INFINITY;
    for (size_t p = 0; p < schedule->count; p++) {
        size_t length = strlen(schedule->places[p].name);

        if (!is_used(schedule, p))
            continue;
        if (length > strip->label)
            strip->label = length < LABEL_MAX ? (unsigned)length : LABEL_MAX;
        for (size_t h = 0; h < schedule->places[p].futures.hours; h++) {
            strip->low = fminf(strip->low, schedule->places[p].futures.central[h]);
            strip->high = fmaxf(strip->high, schedule->places[p].futures.central[h]);
        }
    }
}

static unsigned level_of(const struct strip *strip, float value)
{
    float share = strip->high > strip->low ? (value - strip->low) / (strip->high - strip->low) : 0;
    int level = (int)(share * LEVELS);

    return (unsigned)(level < 0 ? 0 : level >= LEVELS ? LEVELS - 1 : level);
}

/* ---- rows ---- */

static void add_bars(struct gl_str *out, const struct strip *strip, size_t place)
{
    const struct gl_ensemble *futures = &strip->schedule->places[place].futures;

    gl_str_addf(out, "  %-*.*s ", (int)strip->label, LABEL_MAX,
                strip->schedule->places[place].name);
    for (size_t cell = 0; cell < strip->cells; cell++) {
        float sum = 0;
        size_t count = 0;

        for (size_t h = cell * strip->step; h < (cell + 1) * strip->step && h < futures->hours; h++)
            sum += futures->central[h], count++;
        gl_str_add(out, strip->bars[level_of(strip, sum / (float)count)]);
    }
    gl_str_add_char(out, '\n');
}

static void add_runs(struct gl_str *out, const struct strip *strip, size_t place)
{
    const struct gl_plan *plan = &strip->schedule->plan;

    gl_str_addf(out, "  %*s ", (int)strip->label, "");
    for (size_t cell = 0; cell < strip->cells; cell++) {
        bool is_running = false;

        for (size_t h = cell * strip->step; h < (cell + 1) * strip->step && h < plan->hours; h++)
            is_running = is_running || plan->where[h] == (int)place;
        gl_str_add_char(out, is_running ? '#' : '.');
    }
    gl_str_add_char(out, '\n');
}

/* "|18:00 |00:00": a stroke above the cell in which that hour of UTC begins. */
static void add_scale(struct gl_str *out, const struct strip *strip)
{
    const int64_t apart_h = 6 * (int64_t)strip->step > 24 ? 24 * ((int64_t)strip->step / 4 + 1)
                                                          : 6 * (int64_t)strip->step;
    size_t column = 0;

    gl_str_addf(out, "  %-*s ", (int)strip->label, "UTC");
    for (size_t cell = 0; cell < strip->cells; cell++) {
        struct gl_instant at = gl_instant_hour(gl_schedule_at(strip->asked, cell * strip->step));
        int64_t over = at.unix_s / GL_HOUR_S % apart_h, ahead = over > 0 ? apart_h - over : 0;
        bool is_mark = ahead < (int64_t)strip->step;
        char text[GL_INSTANT_TEXT], mark[16];

        gl_instant_text((struct gl_instant){at.unix_s + ahead * GL_HOUR_S}, text);
        if (apart_h >= 24)
            snprintf(mark, sizeof mark, "|%.5s", text + 5);
        else
            snprintf(mark, sizeof mark, "|%.2s", text + 11);
        if (!is_mark || cell < column || cell + strlen(mark) > strip->cells)
            continue;
        gl_str_addf(out, "%*s%s", (int)(cell - column), "", mark);
        column = cell + strlen(mark);
    }
    gl_str_add_char(out, '\n');
}

static void add_legend(struct gl_context *context, const struct strip *strip)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char from[GL_RENDER_NUMBER], to[GL_RENDER_NUMBER];

    gl_str_addf(
        &line, "# it runs; %s the forecast, %s to %s gCO2e/kWh",
        strip->bars == bars ? "bars:" : "1 to 8:", gl_render_real_text((double)strip->low, from),
        gl_render_real_text((double)strip->high, to));
    if (strip->step > 1)
        gl_str_addf(&line, "; %zu h a cell", strip->step);
    gl_render_wrap(gl_str_text(&line), 2, context->columns, &context->reply.text);
}

/* ---- for who listens ---- */

static void add_sentences(struct gl_context *context, const struct strip *strip)
{
    struct gl_stretch one = {0};
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT], low[GL_RENDER_NUMBER],
        high[GL_RENDER_NUMBER];

    while (gl_stretch_next(strip->asked, strip->schedule, &one)) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        gl_str_addf(&line, "runs in %s from %s to %s", strip->schedule->places[one.place].name,
                    gl_instant_text(one.from, from), gl_instant_text(one.until, until));
        gl_render_wrap(gl_str_text(&line), 2, context->columns, &context->reply.text);
    }
    gl_str_addf(&context->reply.text, "  the forecast is between %s and %s gCO2e/kWh\n",
                gl_render_real_text((double)strip->low, low),
                gl_render_real_text((double)strip->high, high));
}

void gl_schedule_strip(struct gl_context *context, const struct gl_ask_result *asked,
                       const struct gl_schedule *schedule)
{
    struct strip strip = {.asked = asked,
                          .schedule = schedule,
                          .label = 3,
                          .bars = gl_context_is_utf8(context) ? bars : digits};
    size_t hours = schedule->places[0].futures.hours, room;

    measure(&strip);
    if (context->globals.is_accessible) {
        add_sentences(context, &strip);
        return;
    }
    room = context->columns > strip.label + 3 + CELLS_LEAST ? context->columns - strip.label - 3
                                                            : CELLS_LEAST;
    strip.step = (hours + room - 1) / room;
    strip.cells = (hours + strip.step - 1) / strip.step;
    gl_str_add_char(&context->reply.text, '\n');
    add_scale(&context->reply.text, &strip);
    for (size_t p = 0; p < schedule->count; p++)
        if (is_used(schedule, p)) {
            add_bars(&context->reply.text, &strip, p);
            add_runs(&context->reply.text, &strip, p);
        }
    add_legend(context, &strip);
}
