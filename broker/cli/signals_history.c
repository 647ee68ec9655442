/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/signals_history.h"

#include <string.h>

#include "base/time.h"
#include "broker/render/decision.h"
#include "broker/render/series.h"
#include "broker/render/text.h"
#include "policy/guarantee/history.h"

static void add_actuals(struct gl_str *out, const struct gl_history *history, struct gl_instant now)
{
    char age[GL_RENDER_NUMBER], from[GL_INSTANT_TEXT];

    gl_render_count(out, history->actual_count, "hour");
    gl_str_add(out, " measured");
    if (history->actual_count == 0)
        return;
    gl_instant_text((struct gl_instant){history->actuals.start_s}, from);
    gl_str_addf(out, " since %.10s, the newest ended %s ago", from,
                gl_render_age(now.unix_s - history->newest_actual_s - GL_HOUR_S, age));
    if (history->estimated_count > 0)
        gl_str_addf(out, ", %zu may still be revised", history->estimated_count);
    gl_str_addf(out, "; a figure comes %u h after its hour", (unsigned)history->actuals.lag_h);
    if (history->is_lag_measured)
        gl_str_addf(out, ", as seen %zu times", history->lag_count);
    else
        gl_str_add(out, ", as is assumed");
}

static void add_issues(struct gl_str *out, const struct gl_history *history, struct gl_instant now)
{
    char age[GL_RENDER_NUMBER];

    if (history->issues.count == 0) {
        gl_str_add(out, "; no forecast of its own: the built-in one is used");
        return;
    }
    gl_str_add(out, "; ");
    gl_render_count(out, history->issues.count, "forecast");
    gl_str_addf(out, ", the newest of %s ago",
                gl_render_age(now.unix_s - history->newest_issue_s, age));
}

static void show_one(struct gl_context *context, const struct gl_history *history,
                     struct gl_instant now)
{
    GL_AUTO(gl_str_done) struct gl_str plain = {0};
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_addf(&plain, "%s of %s (", gl_render_quantity(history->meaning.quantity),
                history->dataset);
    gl_render_meaning(&history->meaning, &plain);
    gl_str_add(&plain, "): ");
    add_actuals(&plain, history, now);
    add_issues(&plain, history, now);
    if (history->damaged > 0)
        gl_str_addf(&plain, "; %zu stored records are damaged and left out", history->damaged);
    gl_str_add_printable(&line, gl_str_text(&plain), plain.length);
    gl_render_wrap(gl_str_text(&line), 4, context->columns, &context->reply.text);
}

void gl_signals_history_show(struct gl_context *context, const struct gl_zone_facts *zone,
                             struct gl_instant now)
{
    gl_render_wrap("stored of the past, for promises and plans:", 2, context->columns,
                   &context->reply.text);
    for (size_t i = 0; i < zone->history_count; i++)
        show_one(context, zone->histories[i], now);
    if (zone->history_count == 0)
        gl_render_wrap("nothing: greenlaunch signals --backfill 90d --zone ZONE fetches what a "
                       "source has, a file of hourly figures serves too",
                       4, context->columns, &context->reply.text);
}

static json_t *instant_json(int64_t at_s)
{
    char at[GL_INSTANT_TEXT];

    return at_s == GL_UNKNOWN ? json_null()
                              : json_string(gl_instant_text((struct gl_instant){at_s}, at));
}

static json_t *revisions_json(const struct gl_revisions *revisions)
{
    return json_pack("{s:I,s:I,s:f,s:f}", "hours", (json_int_t)revisions->hours, "changed",
                     (json_int_t)revisions->changed, "p95", (double)revisions->p95, "worst",
                     (double)revisions->worst);
}

static json_t *one_json(const struct gl_history *history)
{
    bool has_any = history->actual_count > 0;

    return json_pack(
        "{s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:o,s:i,s:b,s:I,s:o,s:o,s:I}", "quantity",
        gl_render_quantity(history->meaning.quantity), "source", history->provider, "dataset",
        history->dataset, "unit", history->meaning.quantity == GL_INTENSITY ? "gCO2e/kWh" : "%",
        "hours", (json_int_t)history->actual_count, "estimated_hours",
        (json_int_t)history->estimated_count, "from",
        instant_json(has_any ? history->actuals.start_s : GL_UNKNOWN), "newest",
        instant_json(history->newest_actual_s), "lag_h", (int)history->actuals.lag_h,
        "lag_measured", history->is_lag_measured, "forecasts", (json_int_t)history->issues.count,
        "newest_forecast", instant_json(history->newest_issue_s), "revisions",
        revisions_json(&history->revisions), "damaged", (json_int_t)history->damaged);
}

json_t *gl_signals_history_json(const struct gl_zone_facts *zone)
{
    json_t *list = json_array();

    for (size_t i = 0; i < zone->history_count; i++)
        json_array_append_new(list, one_json(zone->histories[i]));
    return list;
}
