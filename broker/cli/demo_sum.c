/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulated day came to, as text and as data. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/time.h"
#include "base/wrap.h"
#include "broker/cli/demo.h"
#include "broker/render/text.h"

#define BASELINE     "start now, same place"
#define MARK         "SIMULATED "
#define MARK_COLUMNS 10
#define WORD_COLUMNS 10 /* of what a line is about */

/* Every line says what it is, also those that a long one is broken into. */
static void add_lines(struct gl_demo *demo, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str wrapped = {0};
    struct gl_str *out = &demo->context->reply.text;
    unsigned columns = demo->context->columns;
    const char *line;

    gl_wrap_long(text,
                 (struct gl_margins){.indent = WORD_COLUMNS,
                                     .columns = columns >= 4 * MARK_COLUMNS ? columns - MARK_COLUMNS
                                                                            : columns},
                 &wrapped);
    for (line = gl_str_text(&wrapped); *line != '\0';) {
        size_t length = strcspn(line, "\n");

        gl_str_add(out, MARK);
        gl_str_add_bytes(out, line, length);
        gl_str_add_char(out, '\n');
        line += length + (line[length] == '\n');
    }
}

static void add_carbon(const struct gl_demo *demo, struct gl_str *out)
{
    const struct gl_demo_counts *counts = &demo->counts;
    double saved_g = counts->baseline_g - counts->grams;
    char used[GL_QUANTITY_TEXT], baseline[GL_QUANTITY_TEXT], saved[GL_QUANTITY_TEXT],
        energy[GL_QUANTITY_TEXT];

    gl_str_addf(out, "carbon    %s of %s", gl_mass_text((struct gl_mass){counts->grams}, used),
                gl_energy_text((struct gl_energy){(double)counts->energy_mj / 3.6e6}, energy));
    if (counts->baseline_g > 0)
        gl_str_addf(out, "\n%s %s (%.0f %%) %s %s with \"" BASELINE "\"",
                    saved_g >= 0 ? "saved    " : "MORE     ",
                    gl_mass_text((struct gl_mass){fabs(saved_g)}, saved),
                    100 * fabs(saved_g) / counts->baseline_g, saved_g >= 0 ? "of" : "than",
                    gl_mass_text((struct gl_mass){counts->baseline_g}, baseline));
    gl_str_add_char(out, '\n');
}

static void add_text(struct gl_demo *demo)
{
    const struct gl_demo_counts *counts = &demo->counts;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char day[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){gl_sim_grid_day_s(demo->grid)}, day);
    gl_str_addf(&text, "%.10s is over: %s; nothing real ran\n", day,
                demo->options.trace != NULL ? "a recorded day" : "an invented day");
    gl_str_addf(&text, "limit     %s, promised with 90 %%\n", demo->limit);
    gl_str_addf(&text, "jobs      %zu: %u ran for %.1f h, %u were promised no place\n",
                demo->job_count, counts->launched, counts->ran_h, counts->never);
    gl_str_addf(&text,
                "guard     moved %u, paused %u (%u by timetable), resumed %u, only told %u\n",
                counts->of[GL_DEMO_MOVE], counts->of[GL_DEMO_PAUSE], counts->plan_pauses,
                counts->of[GL_DEMO_RESUME], counts->of[GL_DEMO_NOTIFY]);
    gl_str_addf(&text, "promises  %u kept, %u breached (%u with the job there), %u unsettled\n",
                counts->kept, counts->breached, counts->met, counts->open);
    gl_str_addf(&text, "receipts  %u of %u verified\n", counts->receipts,
                counts->receipts + counts->unverified);
    add_carbon(demo, &text);
    gl_str_addf(&text, "ledger    %" PRId64 " events, chain intact\n", demo->ledger_events);
    add_lines(demo, gl_str_text(&text));
}

static json_t *grams_json(double grams)
{
    return gl_quantity_json(&(struct gl_quantity_facts){.value = round(grams * 10) / 10,
                                                        .low = NAN,
                                                        .high = NAN,
                                                        .unit = "gCO2e",
                                                        .accounting = "location",
                                                        .source = "simulated",
                                                        .grade = 'E',
                                                        .age_s = GL_UNKNOWN});
}

static json_t *job_json(const struct gl_demo *demo, const struct gl_demo_job *job)
{
    static const char *const states[] = {"coming", "waiting", "running", "ended", "never started"};

    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:o}", "name", job->name, "state",
                     states[job->state], "on_lapse", gl_on_lapse_words[job->on_lapse], "home",
                     gl_sim_grid_zone(demo->grid, job->home), "launch", job->launch, "wanted_s",
                     (json_int_t)(job->run_ms / 1000), "ran_s", (json_int_t)(job->ran_ms / 1000),
                     "emitted", grams_json(job->grams), "baseline", grams_json(job->baseline_g));
}

static json_t *jobs_json(const struct gl_demo *demo)
{
    json_t *jobs = json_array();

    for (size_t i = 0; i < demo->job_count; i++)
        json_array_append_new(jobs, job_json(demo, &demo->jobs[i]));
    return jobs;
}

static json_t *counts_json(const struct gl_demo *demo)
{
    const struct gl_demo_counts *counts = &demo->counts;
    json_t *json = json_object();
    const struct {
        const char *name;
        unsigned count;
    } rows[] = {
        {"launched", counts->launched},
        {"never_started", counts->never},
        {"moves", counts->of[GL_DEMO_MOVE]},
        {"pauses", counts->of[GL_DEMO_PAUSE]},
        {"pauses_by_timetable", counts->plan_pauses},
        {"resumes", counts->of[GL_DEMO_RESUME]},
        {"notices", counts->of[GL_DEMO_NOTIFY]},
        {"stops", counts->of[GL_DEMO_STOP]},
        {"spikes", counts->of[GL_DEMO_SPIKE]},
        {"troubles", counts->of[GL_DEMO_TROUBLE]},
        {"promises_kept", counts->kept},
        {"promises_breached", counts->breached},
        {"promises_breached_where_it_ran", counts->met},
        {"promises_not_settled", counts->open},
        {"receipts_verified", counts->receipts},
        {"receipts_not_verified", counts->unverified},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        json_object_set_new(json, rows[i].name, json_integer(rows[i].count));
    return json;
}

static json_t *data_json(struct gl_demo *demo)
{
    char day[GL_INSTANT_TEXT];

    return json_pack("{s:b,s:s,s:s,s:I,s:s,s:o,s:o,s:o,s:o,s:s,s:I,s:O?}", "simulated", 1, "day",
                     gl_instant_text((struct gl_instant){gl_sim_grid_day_s(demo->grid)}, day),
                     "grids", demo->options.trace != NULL ? demo->options.trace : "invented",
                     "seed", (json_int_t)demo->options.seed, "limit", demo->limit, "counts",
                     counts_json(demo), "jobs", jobs_json(demo), "emitted",
                     grams_json(demo->counts.grams), "baseline",
                     grams_json(demo->counts.baseline_g), "baseline_name", BASELINE,
                     "ledger_events", (json_int_t)demo->ledger_events, "events", demo->events);
}

void gl_demo_sum_up(struct gl_demo *demo)
{
    static const char *const offers[] = {"offers", "--renewable-only", NULL};

    demo->context->reply.data = data_json(demo);
    add_text(demo);
    gl_next(demo->context, "the same with what is really known now", offers);
}
