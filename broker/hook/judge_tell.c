/* SPDX-License-Identifier: Apache-2.0 */
/* What a report tells beside its verdicts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "broker/hook/escape.h"
#include "broker/hook/judge_part.h"
#include "broker/hook/keyset.h"
#include "broker/hook/reader.h"

#define EXPIRING_S (14 * 86400)

struct tell {
    const struct gl_hook_judge *judge;
    const struct gl_render_sources *sources;
    struct gl_hook_report *report;
};

void gl_hook_texts_add(struct gl_arena *arena, struct gl_hook_texts *texts, const char *text)
{
    texts->items = gl_arena_grow(arena, texts->items, texts->count, sizeof *texts->items);
    texts->items[texts->count++] = text;
}

const char *const *gl_hook_texts_end(struct gl_arena *arena, struct gl_hook_texts *texts)
{
    gl_hook_texts_add(arena, texts, NULL);
    return texts->items;
}

static const char *waiver_text(struct tell *tell, const struct gl_waiver *waiver)
{
    struct gl_instant now = tell->judge->ask->now;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char until[GL_INSTANT_TEXT], from[GL_INSTANT_TEXT];

    gl_str_addf(&text, "%s for %s until %.10s, owner %s", waiver->rule,
                waiver->address != NULL && waiver->address[0] != '\0' ? waiver->address
                                                                      : waiver->target,
                gl_instant_text(waiver->expires, until), waiver->owner);
    if (waiver->expires.unix_s <= now.unix_s)
        gl_str_add(&text, ": it is over");
    else if (waiver->created.unix_s > now.unix_s)
        gl_str_addf(&text, ": it holds from %.10s on", gl_instant_text(waiver->created, from));
    return gl_hook_text(tell->judge->arena, &text);
}

static void tell_waivers(struct tell *tell)
{
    const struct gl_hook_ask *ask = tell->judge->ask;
    struct gl_hook_texts applied = {0}, expiring = {0}, unused = {0};

    for (size_t i = 0; i < ask->policy->waiver_count; i++) {
        const struct gl_waiver *waiver = &ask->policy->waivers[i];
        int64_t left_s = waiver->expires.unix_s - ask->now.unix_s;
        const char *text = waiver_text(tell, waiver);

        if (tell->judge->is_waiver_used[i])
            gl_hook_texts_add(tell->judge->arena, &applied, text);
        else
            gl_hook_texts_add(tell->judge->arena, &unused, text);
        if (left_s > 0 && left_s <= EXPIRING_S)
            gl_hook_texts_add(tell->judge->arena, &expiring, text);
    }
    tell->report->waivers_applied = gl_hook_texts_end(tell->judge->arena, &applied);
    tell->report->waivers_expiring = gl_hook_texts_end(tell->judge->arena, &expiring);
    tell->report->waivers_unused = gl_hook_texts_end(tell->judge->arena, &unused);
}

static void tell_unused_rules(struct tell *tell)
{
    const struct gl_policy *policy = tell->judge->ask->policy;
    struct gl_hook_texts unused = {0};

    for (size_t i = 0; i < policy->rule_count; i++)
        if (!tell->judge->is_rule_used[i])
            gl_hook_texts_add(tell->judge->arena, &unused, policy->rules[i].id);
    tell->report->unused_rules = gl_hook_texts_end(tell->judge->arena, &unused);
}

static int compare_texts(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

void gl_hook_tell_unmapped(const struct gl_hook_judge *judge, struct gl_hook_report *report)
{
    struct gl_hook_texts types = {0}, once = {0};

    for (size_t p = 0; p < report->plan_count; p++)
        for (const char *const *type = report->plans[p]->unmapped; type != NULL && *type != NULL;
             type++)
            gl_hook_texts_add(judge->arena, &types, *type);
    if (types.count > 0)
        qsort(types.items, types.count, sizeof *types.items, compare_texts);
    for (size_t i = 0; i < types.count; i++)
        if (i == 0 || strcmp(types.items[i - 1], types.items[i]) != 0)
            gl_hook_texts_add(judge->arena, &once, types.items[i]);
    report->unmapped = once.count;
    report->unmapped_types = gl_hook_texts_end(judge->arena, &once);
}

static void tell_sources(struct tell *tell)
{
    static const char head[] = "Sources: ";
    struct gl_hook_texts sources = {0};

    for (size_t i = 0; i < tell->sources->count; i++) {
        const struct gl_render_sources one = {
            .series = {tell->sources->series[i]}, .age_s = {tell->sources->age_s[i]}, .count = 1};
        GL_AUTO(gl_str_done) struct gl_str text = {0};
        const char *said;

        gl_render_sources(&one, &text);
        said = gl_hook_text(tell->judge->arena, &text);
        gl_hook_texts_add(tell->judge->arena, &sources,
                          strncmp(said, head, sizeof head - 1) == 0 ? said + sizeof head - 1
                                                                    : said);
    }
    tell->report->sources = gl_hook_texts_end(tell->judge->arena, &sources);
}

static bool promises_time(const struct gl_rule *rule)
{
    return gl_rule_constraint(rule, GL_KEY_GREEN_FOR) != NULL ||
           gl_rule_constraint(rule, GL_KEY_CONFIDENCE) != NULL;
}

static size_t count_spot(const struct gl_hook_report *report)
{
    size_t count = 0;

    for (size_t i = 0; i < report->judged_count; i++)
        count += report->judged[i].intent->interruptible == 1;
    return count;
}

#define DOUBTS_MAX 10

/* What contradicts the place that was judged, or why it is not known which machine was. */
static void add_doubt(const struct gl_intent *intent, struct gl_str *out)
{
    const struct gl_intent_machine *machine = &intent->machine;

    if (intent->place.conflict != NULL) {
        gl_escape_visible(intent->address, GL_ESCAPE_MOST, out);
        gl_str_addf(out, " is judged in %s (",
                    intent->place.region != NULL ? intent->place.region
                                                 : "every place it may be in");
        gl_escape_visible(intent->place.how, GL_ESCAPE_MOST, out);
        gl_str_add(out, "), but ");
        gl_escape_visible(intent->place.conflict, GL_ESCAPE_MOST, out);
    } else if (machine->type == NULL && machine->how != NULL) {
        gl_escape_visible(intent->address, GL_ESCAPE_MOST, out);
        gl_str_add(out, ": ");
        gl_escape_visible(machine->how, GL_ESCAPE_MOST, out);
    }
}

static void note_doubts(const struct tell *tell, struct gl_hook_texts *notes)
{
    size_t count = 0;

    for (size_t i = 0; i < tell->report->judged_count && count < DOUBTS_MAX; i++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        add_doubt(tell->report->judged[i].intent, &text);
        if (text.length == 0)
            continue;
        gl_hook_texts_add(tell->judge->arena, notes, gl_hook_text(tell->judge->arena, &text));
        count++;
    }
}

static bool is_nowhere(const struct gl_judged *judged)
{
    const struct gl_intent_place *place = &judged->intent->place;

    return judged->verdict != GL_ALLOW && place->region == NULL &&
           (place->candidates == NULL || place->candidates[0] == NULL);
}

/* A place that is not known is the commonest reason of all: what to do about it. */
static void note_nowhere(const struct tell *tell, const struct gl_hook_reader *reader,
                         struct gl_hook_texts *notes)
{
    const char *how = NULL;
    size_t count = 0, alike = 0;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    for (size_t i = 0; i < tell->report->judged_count; i++) {
        const struct gl_judged *judged = &tell->report->judged[i];

        if (!is_nowhere(judged) || strcmp(judged->plan->reader, reader->name) != 0)
            continue;
        if (how == NULL)
            how = judged->intent->place.how;
        count++;
        alike += strcmp(how, judged->intent->place.how) == 0 ? 1 : 0;
    }
    if (count == 0)
        return;
    gl_str_addf(&text, "%zu launch%s no known place (%s", count, count == 1 ? " has" : "es have",
                alike < count ? "the first: " : "");
    gl_escape_visible(how, GL_ESCAPE_MOST, &text);
    gl_str_addf(&text, "): %s", reader->where);
    gl_hook_texts_add(tell->judge->arena, notes, gl_hook_text(tell->judge->arena, &text));
}

static void note_once(const struct tell *tell, const char *note, struct gl_keyset *said,
                      struct gl_hook_texts *notes)
{
    bool is_new;

    gl_keyset_add(said, note, strlen(note), &is_new);
    if (is_new)
        gl_hook_texts_add(tell->judge->arena, notes, note);
}

/* What the readers say: of a folder of manifests each says the same. */
static void note_plans(const struct tell *tell, struct gl_hook_texts *notes)
{
    const struct gl_hook_report *report = tell->report;
    struct gl_keyset said = {0};

    for (size_t p = 0; p < report->plan_count; p++) {
        const char *const *note = report->plans[p]->notes;

        for (; note != NULL && *note != NULL; note++)
            note_once(tell, *note, &said, notes);
        if (report->plans[p]->is_partial)
            note_once(tell, "the plan is partial: what it leaves out is not judged", &said, notes);
    }
    gl_keyset_done(&said);
}

static void tell_notes(struct tell *tell)
{
    const struct gl_policy *policy = tell->judge->ask->policy;
    struct gl_hook_report *report = tell->report;
    size_t spot = count_spot(report), unknown = 0;
    struct gl_hook_texts notes = {0};
    bool has_duration = false;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    note_plans(tell, &notes);
    for (const struct gl_hook_reader *const *reader = gl_hook_readers(); *reader != NULL; reader++)
        note_nowhere(tell, *reader, &notes);
    note_doubts(tell, &notes);
    for (size_t i = 0; i < policy->rule_count; i++)
        has_duration = has_duration || promises_time(&policy->rules[i]);
    if (spot > 0 && has_duration) {
        gl_str_addf(&text,
                    "%zu interruptible machine%s may end at any time: no green duration can be "
                    "promised for %s",
                    spot, spot == 1 ? "" : "s", spot == 1 ? "it" : "them");
        gl_hook_texts_add(tell->judge->arena, &notes, gl_hook_text(tell->judge->arena, &text));
    }
    for (size_t i = 0; i < report->judged_count; i++)
        unknown += isnan(report->judged[i].grams_per_h[1]) ? 1 : 0;
    if (unknown > 0) {
        gl_str_clear(&text);
        gl_str_addf(&text, "emissions of %zu of %zu launches are not known, so no total is given",
                    unknown, report->launches);
        gl_hook_texts_add(tell->judge->arena, &notes, gl_hook_text(tell->judge->arena, &text));
    }
    report->notes = gl_hook_texts_end(tell->judge->arena, &notes);
}

void gl_hook_tell(const struct gl_hook_judge *judge, const struct gl_render_sources *sources,
                  struct gl_hook_report *report)
{
    struct tell tell = {judge, sources, report};

    tell_waivers(&tell);
    tell_unused_rules(&tell);
    tell_sources(&tell);
    tell_notes(&tell);
}
