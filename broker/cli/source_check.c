/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/doctor.h"
#include "broker/cli/sources.h"
#include "broker/render/series.h"
#include "broker/render/text.h"
#include "providers/data/data.h"

#define WAIT_MS      10000
#define LOOK_BACK_S  7200
#define LOOK_AHEAD_S 3600

/* ---- which zone ---- */

/* Asked first where nobody says another: zones that many sources know. */
static const char *const known_zones[] = {"GB", "DE", "DK-DK1"};

const char *gl_sources_zone(const struct gl_context *context, const struct gl_signal_config *source,
                            const char *asked)
{
    const struct gl_signal_ops *ops = gl_signal_find(source->name);
    const struct gl_zone_row *rows;
    size_t count = gl_data_zones(&rows);

    if (asked != NULL || source->zone != NULL)
        return asked != NULL ? asked : source->zone;
    if (context->config.zone != NULL && ops->covers(context->config.zone))
        return context->config.zone;
    for (size_t i = 0; i < sizeof known_zones / sizeof *known_zones; i++)
        if (ops->covers(known_zones[i]))
            return known_zones[i];
    for (size_t i = 0; i < count; i++)
        if (ops->covers(rows[i].zone))
            return rows[i].zone;
    return known_zones[0];
}

/* ---- what came ---- */

static void describe(const struct gl_series *series, struct gl_instant now, struct gl_str *out)
{
    const struct gl_reading_at at = gl_render_at(series, now);
    char age[GL_RENDER_NUMBER];

    gl_str_addf(out, "%s: ", gl_render_quantity(series->meaning.quantity));
    if (at.point != NULL) {
        gl_render_value(series->meaning.quantity, at.point, out);
        gl_render_word(out, ", ", gl_evidence_word(at.point->evidence));
        if (at.point->evidence == GL_PROVIDER_CLAIM) /* a zone has several */
            gl_str_addf(out, " (%s)", series->dataset);
    } else {
        gl_str_add(out, "nothing for this hour");
    }
    if (at.age_s != GL_UNKNOWN)
        gl_str_addf(out, ", %s old", gl_render_age(at.age_s, age));
    gl_str_add(out, "; ");
    gl_render_meaning(&series->meaning, out);
}

/* The past and the future of one figure are two series: what they say alike is said once. */
static void note_series(struct gl_exam *exam, const struct gl_series *series, struct gl_instant now,
                        struct gl_str *last)
{
    struct gl_finding finding = {"figure", GL_EXAM_OK, 0, NULL};
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    describe(series, now, &text);
    if (strcmp(gl_str_text(&text), gl_str_text(last)) == 0 && !series->is_suspect)
        return;
    gl_str_clear(last);
    gl_str_add(last, gl_str_text(&text));
    if (series->is_suspect) {
        finding.state = GL_EXAM_WARN;
        finding.fix = "it satisfies no rule; see: greenlaunch signals --explain ZONE";
        gl_str_addf(&text, "; not to be trusted: %s", series->suspicion);
    }
    gl_exam_note(exam, &finding, "%s", gl_str_text(&text));
}

/* How many of the source's own series came. */
static size_t note_facts(struct gl_exam *exam, const struct gl_zone_facts *facts,
                         struct gl_instant now)
{
    const struct gl_finding good = {"licence", GL_EXAM_OK, 0, NULL};
    GL_AUTO(gl_str_done) struct gl_str said = {0};
    const struct gl_series *last = NULL;
    size_t count = 0;

    for (size_t i = 0; i < facts->count; i++) {
        if (strcmp(facts->series[i]->provider, "builtin") == 0 &&
            strcmp(exam->subject, "builtin") != 0)
            continue;
        last = facts->series[i];
        note_series(exam, last, now, &said);
        count++;
    }
    if (last != NULL)
        gl_exam_note(exam, &good, "%s; credit: %s", last->licence, last->attribution);
    return count;
}

static void note_trouble(struct gl_exam *exam, const struct gl_signal_report *report,
                         const char *zone)
{
    const struct gl_signal_ops *ops = gl_signal_find(exam->subject);
    struct gl_finding finding = {"answer", GL_EXAM_FAIL, 0, NULL};
    GL_AUTO(gl_str_done) struct gl_str fix = {0};

    if (report == NULL || report->error.code == GL_OK) {
        bool is_offline = exam->context->globals.is_offline;

        finding.state = GL_EXAM_WARN;
        finding.fix =
            is_offline ? "ask it: without --offline" : "name a zone that it knows: --zone ZONE";
        gl_exam_note(exam, &finding,
                     is_offline ? "nothing of %s is kept about %s" : "%s has nothing about %s",
                     exam->subject, zone);
        if (exam->status == GL_EXIT_OK)
            exam->status = GL_EXIT_UNKNOWN;
        return;
    }
    if (report->error.code == GL_E_NO_CREDENTIAL)
        gl_str_addf(&fix, "%s %s", ops->signer != NULL ? "how it is set up:" : "keys are given at",
                    ops->homepage);
    else
        gl_exam_fix(report->error.code, NULL, "", &fix);
    finding.exit = (int)gl_errc_row(report->error.code)->exit;
    finding.fix = gl_str_text(&fix);
    gl_exam_note(exam, &finding, "%s: %s", zone, report->error.text);
}

/* ---- one source ---- */

static bool check_keys(struct gl_exam *exam, const struct gl_signal_config *source)
{
    const struct gl_signal_ops *ops = gl_signal_find(source->name);
    GL_AUTO(gl_str_done) struct gl_str keys = {0};
    GL_AUTO(gl_str_done) struct gl_str fix = {0};
    bool has_all = gl_sources_keys(exam->context, source, &keys);
    struct gl_finding finding = {"key", has_all ? GL_EXAM_OK : GL_EXAM_FAIL, GL_EXIT_AUTH, NULL};

    if (ops->signer != NULL)
        gl_str_add(&fix, ops->signer->remedy);
    else
        gl_str_addf(&fix,
                    "set it, or say where it is: key_env=VARIABLE or key_file=PATH of greenlaunch "
                    "source add; keys are given at %s",
                    ops->homepage);
    finding.fix = gl_str_text(&fix);
    gl_exam_note(exam, &finding, "%s", gl_str_text(&keys));
    return has_all;
}

/* A check wants an answer of now: the cache serves only where nothing may be asked. */
static void ask_source(struct gl_exam *exam, const struct gl_signal_config *source,
                       const char *zone)
{
    struct gl_context *context = exam->context;
    struct gl_error ignored = {0};
    const char *state = context->globals.is_offline ? gl_context_state(context, &ignored) : NULL;
    GL_AUTO(gl_auto_free) char *cache = state != NULL ? gl_path_join(state, "cache") : NULL;
    struct gl_instant now = gl_now(&context->world);
    struct gl_signal_query query = {.from = {gl_instant_hour(now).unix_s - LOOK_BACK_S},
                                    .until = {now.unix_s + LOOK_AHEAD_S},
                                    .wants_claims = true};
    struct gl_signal_store *store = gl_signal_store_new(
        &(struct gl_signal_store_options){.world = &context->world,
                                          .cache_folder = cache,
                                          .sources = source,
                                          .source_count = 1,
                                          .is_offline = context->globals.is_offline,
                                          .deadline_ms = WAIT_MS});
    const struct gl_signal_report *reports, *own = NULL;
    const struct gl_zone_facts *facts;
    size_t count;

    snprintf(query.zone, sizeof query.zone, "%.39s", zone);
    gl_progress(context, "asking %s about %s", source->name, zone);
    facts = gl_signal_store_zone(store, &query);
    gl_progress_end(context);
    reports = gl_signal_store_reports(store, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(reports[i].source, source->name) == 0)
            own = &reports[i];
    if (note_facts(exam, facts, now) == 0)
        note_trouble(exam, own, zone);
    gl_signal_store_free(store);
}

static void check_source(struct gl_exam *exam, const struct gl_signal_config *source,
                         const char *asked_zone)
{
    const char *zone = gl_sources_zone(exam->context, source, asked_zone);

    gl_str_addf(&exam->context->reply.text, "%s, asked about %s:\n",
                source->path != NULL ? source->path : source->name, zone);
    if (check_keys(exam, source))
        ask_source(exam, source, zone);
}

/* ---- all ---- */

struct tally {
    size_t well, ill, warnings, failures;
    int status;
};

static void check_one(struct gl_context *context, const struct gl_signal_config *source,
                      const char *zone, json_t *rows, struct tally *tally)
{
    struct gl_exam exam = {
        .context = context, .rows = rows, .kind = "source", .subject = source->name};

    if (tally->well + tally->ill > 0)
        gl_str_add_char(&context->reply.text, '\n');
    check_source(&exam, source, zone);
    tally->warnings += exam.warnings;
    tally->failures += exam.failures;
    tally->well += exam.status == GL_EXIT_OK;
    tally->ill += exam.status != GL_EXIT_OK;
    if (tally->status == GL_EXIT_OK)
        tally->status = exam.status;
}

/* Those of a name, or one that is not asked yet; NULL = all that are asked. */
static int check_named(struct gl_context *context, const char *name, const char *zone, json_t *rows,
                       struct tally *tally, struct gl_error *err)
{
    size_t count, found = 0;
    const struct gl_signal_config *asked = gl_sources_asked(context, &count);
    const struct gl_signal_config bare = {.name = name};

    if (name != NULL && gl_signal_find(name) == NULL)
        return gl_sources_fail_name(name, err);
    for (size_t i = 0; i < count; i++)
        if (name == NULL || strcmp(asked[i].name, name) == 0) {
            check_one(context, &asked[i], zone, rows, tally);
            found++;
        }
    if (found > 0 || name == NULL)
        return 0;
    if (strcmp(name, "file") == 0 || gl_signal_find(name)->needs_meaning)
        return gl_fail(err, GL_E_USAGE, "%s was not added: nobody has said where its figures are",
                       name);
    check_one(context, &bare, zone, rows, tally);
    return 0;
}

int gl_source_check(struct gl_context *context, const struct gl_source_call *call,
                    struct gl_error *err)
{
    struct gl_str *out = &context->reply.text;
    json_t *rows = json_array();
    struct tally tally = {0};

    context->reply.data = json_pack("{s:o}", "checks", rows);
    gl_context_online(context);
    if (check_named(context, call->name, call->values->zone, rows, &tally, err) != 0)
        return -1;
    gl_str_add_char(out, '\n');
    gl_render_count(out, tally.failures, "failure");
    gl_str_add(out, ", ");
    gl_render_count(out, tally.warnings, "warning");
    gl_str_add(out, ".\n");
    json_object_set_new(context->reply.data, "failures", json_integer((json_int_t)tally.failures));
    json_object_set_new(context->reply.data, "warnings", json_integer((json_int_t)tally.warnings));
    return tally.well > 0 && tally.ill > 0 ? GL_EXIT_PARTIAL : tally.status;
}
