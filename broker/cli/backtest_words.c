/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/backtest_part.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/render/html.h"
#include "broker/render/series.h"
#include "broker/render/text.h"

/* Words and counts that text, JSON and HTML share. */

enum gl_backtest_strategy gl_backtest_best(const struct backtest *bt)
{
    enum gl_backtest_strategy best = GL_BACKTEST_WAIT;

    for (int s = GL_BACKTEST_WAIT; s < GL_BACKTEST_ORACLE; s++) {
        const struct gl_backtest_total *total = &bt->result.totals[s];

        if (!total->is_absent && total->saved_g.central > bt->result.totals[best].saved_g.central)
            best = (enum gl_backtest_strategy)s;
    }
    return best;
}

char *gl_backtest_percent(double percent, unsigned decimals, char out[72])
{
    char number[GL_HTML_NUMBER];

    snprintf(out, 72, isfinite(percent) ? "%s %%" : "%s",
             gl_html_number(percent, decimals, number));
    return out;
}

double gl_backtest_of_bound(const struct gl_backtest_total *total)
{
    return total->bound_g > 0 ? 100 * total->saved_g.central / total->bound_g : NAN;
}

void gl_backtest_rules_text(const struct backtest *bt, struct gl_str *out)
{
    const struct gl_policy *policy = bt->policy;

    for (size_t r = 0; bt->result.rule_count > 0 && r < policy->rule_count; r++)
        for (size_t c = 0; c < policy->rules[r].count; c++) {
            const struct gl_constraint *one = &policy->rules[r].constraints[c];

            if (one->key->id > GL_KEY_ON_LAPSE)
                continue;
            gl_str_add(out, out->length > 0 ? ", " : "");
            gl_render_word(out, "", one->key->name);
            gl_str_addf(out, " %s", one->written);
        }
    if (out->length > 0)
        gl_str_addf(out, "; promised at %g %%", bt->result.probability * 100);
}

static void add_pauses(const struct gl_backtest_total *total, struct gl_str *out)
{
    gl_render_count(out, (size_t)total->plan_pauses, "pause");
    if (total->held_h > 0)
        gl_str_addf(out,
                    ", %" PRIu64 " h of stretches stood still until green and %" PRIu64
                    " h run for it later",
                    total->held_h, total->made_up_h);
}

void gl_backtest_pauses_text(const struct backtest *bt, struct gl_str *out)
{
    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++) {
        const struct gl_backtest_total *total = &bt->result.totals[s];

        if (total->is_absent || total->plan_pauses + total->held_h == 0)
            continue;
        gl_str_add(out, out->length > 0 ? "; "
                                        : "Carried out by timetable, as a launch with "
                                          "--interruptible: ");
        gl_str_addf(out, "%s: ", gl_backtest_title((enum gl_backtest_strategy)s));
        add_pauses(total, out);
    }
    if (out->length > 0)
        gl_str_add_char(out, '.');
}

static void add_range(struct gl_str *out, uint32_t low, uint32_t high, const char *unit)
{
    gl_str_addf(out, low == high ? "%u%s" : "%u", low, unit);
    if (low != high)
        gl_str_addf(out, " to %u%s", high, unit);
}

void gl_backtest_jobs_text(const struct backtest *bt, struct gl_str *out)
{
    uint32_t work[2] = {UINT32_MAX, 0}, until[2] = {UINT32_MAX, 0};
    char first[GL_INSTANT_TEXT], last[GL_INSTANT_TEXT], kwh[GL_RENDER_NUMBER];
    double energy = 0;
    size_t pausing = 0;

    for (size_t i = 0; i < bt->job_count; i++) {
        const struct gl_backtest_job *job = &bt->jobs[i];

        work[0] = job->work_h < work[0] ? job->work_h : work[0];
        work[1] = job->work_h > work[1] ? job->work_h : work[1];
        until[0] = job->deadline_h < until[0] ? job->deadline_h : until[0];
        until[1] = job->deadline_h > until[1] ? job->deadline_h : until[1];
        pausing += job->may_pause;
        energy += (double)job->kwh_per_hour * job->work_h;
    }
    gl_instant_text((struct gl_instant){bt->jobs[0].arrival_s}, first);
    gl_instant_text((struct gl_instant){bt->jobs[bt->job_count - 1].arrival_s}, last);
    gl_render_count(out, bt->job_count, "job");
    gl_str_add(out, " of ");
    add_range(out, work[0], work[1], " h");
    gl_str_addf(out, ", %s kWh in all%s, arriving %.10s to %.10s, to be over within ",
                gl_render_real_text(energy, kwh),
                bt->notes.has_power ? "" : " (at 1 kW, as nobody said)", first, last);
    add_range(out, until[0], until[1], " h");
    gl_str_add(out, pausing == 0               ? "; none may be paused"
                    : pausing == bt->job_count ? "; all may be paused"
                                               : "; some may be paused");
    if (bt->notes.rounded > 0)
        gl_str_addf(out, "; lengths rounded up to whole hours: %zu", bt->notes.rounded);
}

void gl_backtest_hours(const struct backtest *bt, enum gl_backtest_strategy strategy,
                       int64_t start_s, size_t count, uint32_t *out)
{
    memset(out, 0, count * sizeof *out);
    for (size_t i = 0; i < bt->job_count; i++) {
        const struct gl_backtest_run *run = &bt->result.runs[strategy][i];

        for (uint32_t h = 0; run->where != NULL && h < run->hours; h++) {
            int64_t at = (bt->jobs[i].arrival_s - start_s) / GL_HOUR_S + h;

            if (bt->jobs[i].arrival_s + (int64_t)h * GL_HOUR_S < start_s)
                continue;
            if (at < (int64_t)count && run->where[h] != GL_BACKTEST_NOWHERE)
                out[at]++;
        }
    }
}
