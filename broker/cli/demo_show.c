/* SPDX-License-Identifier: Apache-2.0 */
/* How a simulated day is shown while it goes by: lines, or on a terminal one screen drawn anew. All
 * of it on stderr: it is talk. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "broker/cli/demo.h"
#include "broker/render/text.h"

#define DRAWN_COLUMNS 76 /* of the widest line that is drawn */
#define DRAW_MS       100
#define ZONES_DRAWN   12
#define MARK          "SIMULATED "
#define MARK_COLUMNS  10
#define CLOCK_TEXT    16

/* Drawn anew only where no line of it is broken: the cursor could not find its way back. */
static bool is_live(const struct gl_demo *demo)
{
    return demo->context->is_live && demo->context->columns >= DRAWN_COLUMNS &&
           demo->options.speed > 0 && !demo->context->globals.is_quiet &&
           !demo->context->globals.has_no_progress;
}

static void clock_text(int64_t at_ms, char out[CLOCK_TEXT])
{
    snprintf(out, CLOCK_TEXT, "%02d:%02d", (int)(at_ms / 3600000 % 24), (int)(at_ms / 60000 % 60));
}

/* Every line says what it is, also those that a long one is broken into. */
static void say(struct gl_demo *demo, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str wrapped = {0};
    unsigned columns = demo->context->columns;
    const char *line;

    gl_render_wrap(text, 0, columns > 2 * MARK_COLUMNS ? columns - MARK_COLUMNS : columns,
                   &wrapped);
    for (line = gl_str_text(&wrapped); *line != '\0';) {
        size_t length = strcspn(line, "\n");

        gl_say(demo->context, MARK "%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

void gl_demo_show_start(struct gl_demo *demo)
{
    char text[160];

    snprintf(text, sizeof text, "day on a virtual clock: %s grids, %zu jobs, limit %s",
             demo->options.trace != NULL ? "recorded" : "invented", demo->job_count, demo->limit);
    say(demo, text);
}

void gl_demo_show_news(struct gl_demo *demo, const struct gl_demo_news *news)
{
    char at[CLOCK_TEXT], text[sizeof news->text + 64];

    if (is_live(demo) || (demo->job_count > GL_DEMO_SHOWN && news->kind != GL_DEMO_SPIKE &&
                          news->kind != GL_DEMO_TROUBLE))
        return;
    clock_text(news->at_ms, at);
    snprintf(text, sizeof text, "%s %s %s%s%s", at, gl_demo_news_words[news->kind], news->job,
             news->job[0] != '\0' ? " " : "", news->text);
    say(demo, text);
}

/* What is too much to be told one by one is told by the hour. */
void gl_demo_show_hour(struct gl_demo *demo)
{
    const struct gl_demo_counts *now = &demo->counts, *before = &demo->last_hour;
    char at[CLOCK_TEXT], text[200];

    clock_text(gl_demo_now_ms(demo), at);
    snprintf(text, sizeof text,
             "%s running %u, paused %u, waiting %u; since the last hour started %u, moved %u, "
             "paused %u, resumed %u, ended %u",
             at, now->live - now->paused, now->paused, now->waiting,
             now->launched - before->launched, now->of[GL_DEMO_MOVE] - before->of[GL_DEMO_MOVE],
             now->of[GL_DEMO_PAUSE] - before->of[GL_DEMO_PAUSE],
             now->of[GL_DEMO_RESUME] - before->of[GL_DEMO_RESUME], now->done - before->done);
    if (!is_live(demo) && demo->job_count > GL_DEMO_SHOWN)
        say(demo, text);
    demo->last_hour = demo->counts;
}

/* ---- the screen ---- */

/* 0 below 50 g/kWh, 1 below 100 ... 7 from 500 on; "." not known yet. */
static char digit_of(const struct gl_demo *demo, size_t zone, int64_t hour_s)
{
    static const int64_t steps[] = {50, 100, 150, 200, 300, 400, 500};
    int64_t value_u = gl_sim_grid_truth(demo->grid, zone, hour_s);
    char digit = '0';

    if (value_u == GL_UNKNOWN ||
        hour_s + (1 + GL_SIM_LAG_H) * GL_HOUR_S > gl_demo_now_ms(demo) / 1000)
        return '.';
    while (digit < '7' && value_u >= steps[digit - '0'] * 1000000)
        digit++;
    return digit;
}

static void add_digit(const struct gl_demo *demo, size_t zone, int64_t hour_s, struct gl_str *out)
{
    char digit = digit_of(demo, zone, hour_s);
    bool is_green = gl_sim_grid_truth(demo->grid, zone, hour_s) <= demo->limit_u;

    if (demo->context->globals.has_no_color || digit == '.')
        gl_str_add_char(out, digit);
    else
        gl_str_addf(out, "\x1b[%dm%c\x1b[0m", is_green ? 32 : 31, digit);
}

static void add_line(struct gl_demo *demo, struct gl_str *out)
{
    gl_str_add(out, "\x1b[K\n");
    demo->drawn_lines++;
}

static void add_zone(struct gl_demo *demo, size_t zone, struct gl_str *out)
{
    int64_t day_s = gl_sim_grid_day_s(demo->grid);
    unsigned running = 0, paused = 0;

    for (size_t i = 0; i < demo->job_count; i++)
        if (demo->jobs[i].state == GL_DEMO_LIVE && demo->jobs[i].zone == zone) {
            paused += demo->jobs[i].is_paused;
            running += !demo->jobs[i].is_paused;
        }
    gl_str_addf(out, MARK "%-18.18s ", gl_sim_grid_zone(demo->grid, zone));
    for (int64_t h = 0; h < GL_SIM_DAY_H; h++)
        add_digit(demo, zone, day_s + h * GL_HOUR_S, out);
    gl_str_addf(out, " %8u %7u", running, paused);
    add_line(demo, out);
}

static void add_head(struct gl_demo *demo, struct gl_str *out)
{
    char at[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){gl_demo_now_ms(demo) / 1000}, at);
    gl_str_addf(out, MARK "%.10s %.5s UTC  limit %s, promised with 90 %%", at, at + 11,
                demo->limit);
    add_line(demo, out);
    gl_str_add(out, MARK "g/kWh 0=<50 1=<100 2=<150 3=<200 4=<300 5=<400 6=<500 7=500+");
    add_line(demo, out);
    gl_str_addf(out, MARK "%-18s %-24s %8s %7s", "zone", "00    06    12    18", "running",
                "paused");
    add_line(demo, out);
}

/* Two lines: of thousands one would be too wide. */
static void add_counts(struct gl_demo *demo, struct gl_str *out)
{
    const struct gl_demo_counts *counts = &demo->counts;

    gl_str_addf(out, MARK "running %u, paused %u, waiting %u, ended %u",
                counts->live - counts->paused, counts->paused, counts->waiting, counts->done);
    add_line(demo, out);
    gl_str_addf(out, MARK "promises kept %u, breached %u", counts->kept, counts->breached);
    add_line(demo, out);
}

static void add_news(struct gl_demo *demo, struct gl_str *out)
{
    size_t shown = demo->news_count < GL_DEMO_NEWS ? demo->news_count : GL_DEMO_NEWS;

    for (size_t i = demo->news_count - shown; i < demo->news_count; i++) {
        const struct gl_demo_news *news = &demo->news[i % GL_DEMO_NEWS];
        const size_t room = demo->context->columns - 1;
        char at[CLOCK_TEXT], line[sizeof news->text + 64];

        clock_text(news->at_ms, at);
        snprintf(line, sizeof line, MARK "%s %s %s%s%s", at, gl_demo_news_words[news->kind],
                 news->job, news->job[0] != '\0' ? " " : "", news->text);
        if (strlen(line) > room)
            snprintf(line + room - 3, sizeof "...", "...");
        gl_str_add(out, line);
        add_line(demo, out);
    }
}

void gl_demo_draw(struct gl_demo *demo)
{
    const struct gl_world *real = &demo->context->world;
    int64_t now_ms = real->monotonic_ms(real->cookie);
    GL_AUTO(gl_str_done) struct gl_str out = {0};
    size_t zones = gl_sim_grid_zones(demo->grid);

    if (!is_live(demo) || now_ms - demo->drawn_ms < DRAW_MS)
        return;
    demo->drawn_ms = now_ms;
    if (demo->drawn_lines > 0)
        gl_str_addf(&out, "\r\x1b[%uA", demo->drawn_lines);
    demo->drawn_lines = 0;
    add_head(demo, &out);
    for (size_t z = 0; z < zones && z < ZONES_DRAWN; z++)
        add_zone(demo, z, &out);
    add_counts(demo, &out);
    add_news(demo, &out);
    if (write(STDERR_FILENO, gl_str_text(&out), out.length) < 0)
        demo->drawn_lines = 0; /* nobody looks */
}
