/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/rate.h"

#include "base/time.h"

#include <stdio.h>
#include <string.h>

int64_t gl_venue_back_off_s(unsigned failures)
{
    int64_t wait = GL_VENUE_BACK_OFF_S;

    if (failures == 0)
        return 0;
    while (--failures > 0 && wait < GL_VENUE_BACK_MAX_S)
        wait *= 2;
    return wait < GL_VENUE_BACK_MAX_S ? wait : GL_VENUE_BACK_MAX_S;
}

/* What lies in the future by a clock that was set back counts as just now. */
static int64_t age_of(const struct gl_venue_pace *pace, struct gl_instant at)
{
    return at.unix_s < pace->now.unix_s ? pace->now.unix_s - at.unix_s : 0;
}

static void set_wait(const struct gl_venue_pace *pace, int64_t left_s, const char *why,
                     struct gl_venue_pace_answer *out)
{
    char from[GL_INSTANT_TEXT];

    if (left_s <= 0 || out->may == GL_VENUE_STOP ||
        (out->may == GL_VENUE_WAIT && pace->now.unix_s + left_s <= out->from.unix_s))
        return;
    out->may = GL_VENUE_WAIT;
    out->from.unix_s = pace->now.unix_s + left_s;
    snprintf(out->why, sizeof out->why, "%s; next at %s", why, gl_instant_text(out->from, from));
}

static void stop(const char *why, struct gl_venue_pace_answer *out)
{
    out->may = GL_VENUE_STOP;
    snprintf(out->why, sizeof out->why, "%s", why);
}

static void judge_place(const struct gl_venue_pace *pace, struct gl_venue_pace_answer *out)
{
    for (size_t i = 0; i < pace->past_count; i++)
        if (strcmp(pace->past[i].place, pace->place) == 0)
            set_wait(pace, GL_VENUE_PLACE_S - age_of(pace, pace->past[i].at),
                     "one request a venue in 30 days", out);
}

/* There is room again when the oldest of the last three is a day old: the smallest age that has
 * fewer than three younger or equally old ones besides it. */
static void judge_day(const struct gl_venue_pace *pace, struct gl_venue_pace_answer *out)
{
    int64_t last[GL_VENUE_DAY_MOST]; /* ages, youngest first */
    size_t count = 0;

    for (size_t i = 0; i < pace->past_count; i++) {
        int64_t age = age_of(pace, pace->past[i].at);
        size_t at = count < GL_VENUE_DAY_MOST ? count : GL_VENUE_DAY_MOST;

        while (at > 0 && last[at - 1] > age)
            at--;
        if (at == GL_VENUE_DAY_MOST)
            continue;
        if (count < GL_VENUE_DAY_MOST)
            count++;
        memmove(&last[at + 1], &last[at], (count - 1 - at) * sizeof last[0]);
        last[at] = age;
    }
    if (count == GL_VENUE_DAY_MOST)
        set_wait(pace, GL_VENUE_DAY_S - last[GL_VENUE_DAY_MOST - 1], "three requests a day", out);
}

void gl_venue_pace_decide(const struct gl_venue_pace *pace, struct gl_venue_pace_answer *out)
{
    int64_t wait_s = gl_venue_back_off_s(pace->failures);

    *out = (struct gl_venue_pace_answer){.may = GL_VENUE_MAY};
    judge_place(pace, out);
    judge_day(pace, out);
    set_wait(pace, wait_s - age_of(pace, pace->failed) * (wait_s > 0), "the venue failed before",
             out);
    if (pace->told_wait_s > 0)
        set_wait(pace, pace->told_wait_s - age_of(pace, pace->failed), "the venue asked for time",
                 out);
    if (pace->last == GL_ANSWER_RATE_LIMITED)
        stop("the venue said that it is too much: look there before anything more is sent", out);
    if (pace->last == GL_ANSWER_FORBIDDEN)
        stop("the venue forbade it: look there before anything more is sent", out);
    if (pace->last == GL_ANSWER_GONE)
        stop("the venue is closed", out);
    if (pace->last == GL_ANSWER_PERSON)
        stop("the venue wants a person: go on in a browser", out);
    if (pace->is_stopped)
        stop("the kill switch is there", out);
}
