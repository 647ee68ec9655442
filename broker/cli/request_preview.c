/* SPDX-License-Identifier: Apache-2.0 */
/* `request preview` and `request withdraw`: exactly what would be sent, where, under whose name;
 * what is there already comes first. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/cli/again.h"
#include "broker/cli/request.h"
#include "broker/cli/setup.h"
#include "broker/render/text.h"

#define LABEL 14

/* A line "LABEL   text", wrapped below the text. */
static void line(const struct gl_request_call *call, const char *label, const char *text)
{
    struct gl_str *out = &call->context->reply.text;

    gl_str_addf(out, "%-*s", LABEL, label);
    gl_render_hang(text, LABEL, call->context->columns, out);
}

/* What one preview is made of. */
struct making {
    const struct gl_cluster *cluster;
    const struct gl_listener *listener;
    const char *venue;
    json_t *settings;
    struct gl_request_text text;
    char id[GL_DEMAND_ID];
};

/* ---- settings ---- */

static void set_configured(const struct gl_config_section *row, json_t *settings)
{
    for (size_t i = 0; row != NULL && i < row->setting_count; i++)
        json_object_set_new(settings, row->settings[i].name, json_string(row->settings[i].value));
}

static int set_said(const struct gl_option_list *list, json_t *settings, struct gl_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        struct gl_setup_pair pair;
        json_t *value;

        if (gl_setup_pair_of(list->items[i], &pair, err) != 0)
            return gl_wrap(err, "--set");
        value = json_string(pair.value);
        if (value == NULL)
            return gl_fail(err, GL_E_USAGE, "--set %s: settings are UTF-8 text", pair.key);
        json_object_set_new(settings, pair.key, value);
    }
    return 0;
}

/* What the table of listeners says, then the configuration, at last the command line. */
static int read_settings(const struct gl_request_call *call, const struct making *making,
                         struct gl_error *err)
{
    const struct gl_config *config = &call->context->config;
    const struct gl_listener *listener = making->listener;
    const char *venue = making->venue;
    json_t *settings = making->settings;

    if (listener != NULL && listener->target != NULL)
        json_object_set_new(settings, "repository", json_string(listener->target));
    set_configured(gl_config_venue(config, NULL, venue), settings);
    set_configured(gl_config_venue(config, making->cluster->first->provider, venue), settings);
    return set_said(&call->values->settings, settings, err);
}

/* Without a place that is known or said it stays on this machine. */
static const char *venue_of(const struct gl_request_call *call, const struct gl_listener *listener)
{
    if (call->values->venue != NULL)
        return call->values->venue;
    return listener != NULL ? listener->venue : "file";
}

static void set_standard_folder(const struct gl_request_call *call, const char *venue,
                                json_t *settings)
{
    const struct gl_venue_ops *ops = gl_venue_find_ops(venue);
    struct gl_str folder = {0};

    if (ops == NULL || json_object_get(settings, "folder") != NULL)
        return;
    if (gl_setting_key(gl_venue_ops_keys(ops), "folder") != NULL) {
        gl_str_addf(&folder, "%s/requests", call->desk.folder);
        json_object_set_new(settings, "folder", json_string(gl_str_text(&folder)));
    }
    gl_str_done(&folder);
}

/* ---- what is there already ---- */

/* The venue that can search where the chosen one cannot: the same repository by its interface. */
static const char *searcher_of(const char *venue)
{
    return strcmp(venue, "browser") == 0 ? "github" : venue;
}

static json_t *settings_of_searcher(const char *venue, const json_t *settings)
{
    json_t *own = json_object();

    if (strcmp(venue, "browser") != 0)
        json_object_update(own, (json_t *)(uintptr_t)settings);
    else
        json_object_set(own, "repository", json_object_get(settings, "repository"));
    return own;
}

static json_t *candidate_json(const struct gl_venue_candidate *candidate)
{
    return json_pack("{s:s,s:s,s:s,s:b,s:I}", "id", candidate->id, "url", candidate->url, "title",
                     candidate->title, "open", candidate->is_open, "votes",
                     (json_int_t)candidate->votes);
}

/* With the settings that were said, so that it can be typed as it stands. */
static void add_join_command(const struct gl_request_call *call, const char *id, const char *venue,
                             const char *candidate, struct gl_str *out)
{
    const struct gl_option_list *said = &call->values->settings;
    struct gl_again again = {.count = 0};

    gl_again_add(&again, "request");
    gl_again_add(&again, "preview");
    gl_again_add(&again, id);
    gl_again_add(&again, "--venue");
    gl_again_add(&again, venue);
    for (size_t i = 0; i < said->count; i++) {
        gl_again_add(&again, "--set");
        gl_again_add(&again, said->items[i]);
    }
    gl_again_add(&again, "--join");
    gl_again_add(&again, candidate);
    gl_again_line(call->context, again.words, out);
    gl_again_done(&again);
}

static void show_candidate(const struct gl_request_call *call, const char *id, const char *venue,
                           const struct gl_venue_candidate *candidate)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "%s \"", candidate->id);
    gl_str_add_printable(&text, candidate->title, strlen(candidate->title));
    gl_str_addf(&text, "\" (%s", candidate->is_open ? "open" : "closed");
    if (candidate->votes >= 0)
        gl_str_addf(&text, ", %" PRId64 " votes", candidate->votes);
    gl_str_add(&text, ") ");
    gl_str_add_printable(&text, candidate->url, strlen(candidate->url));
    line(call, "ALIKE", gl_str_text(&text));
    gl_str_clear(&text);
    if (candidate->is_open) {
        gl_str_add(&text, "rather than a new one: ");
        add_join_command(call, id, searcher_of(venue), candidate->id, &text);
    } else {
        gl_str_add(&text, "it is closed: read why before you file a new one");
    }
    line(call, "", gl_str_text(&text));
}

/* Up to three alike; that it could not be looked for is said, and hinders nothing. */
static void look(const struct gl_request_call *call, const char *id, const char *venue,
                 const json_t *settings, const char *words)
{
    GL_AUTO(gl_auto_json) json_t *own = settings_of_searcher(venue, settings);
    struct gl_venue_candidate found[GL_VENUE_CANDIDATES];
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    json_t *list = json_array();
    struct gl_request_venue opened = {0};
    struct gl_error why = {0};
    size_t count = 0;
    int result;

    gl_progress(call->context, "looking for requests alike");
    result = gl_request_venue_open(&call->desk, searcher_of(venue), own, &opened, &why);
    if (result == 0)
        result = gl_request_search(&call->desk, opened.venue, words, found, &count, &why);
    gl_progress_end(call->context);
    if (result == 0)
        gl_str_addf(&text, "%s for \"%s\": %s", gl_venue_place(opened.venue), words,
                    count == 0 ? "nothing alike" : "see ALIKE");
    else
        gl_str_addf(&text, "not, because: %s", why.text);
    line(call, "SEARCHED", gl_str_text(&text));
    for (size_t i = 0; i < count && result == 0; i++) {
        show_candidate(call, id, venue, &found[i]);
        json_array_append_new(list, candidate_json(&found[i]));
    }
    json_object_set_new(call->context->reply.data, "alike", list);
    gl_request_venue_done(&opened);
}

static void search(const struct gl_request_call *call, const char *id, const char *venue,
                   const json_t *settings, const char *words)
{
    const struct gl_venue_ops *ops = gl_venue_find_ops(searcher_of(venue));

    if (call->values->join != NULL)
        return;
    if (call->values->has_no_search)
        line(call, "SEARCHED", "not, as you said: look yourself before you file");
    else if (ops == NULL || (gl_venue_ops_caps(ops) & GL_VENUE_SEARCH) == 0)
        line(call, "SEARCHED", "not: there is nothing to be searched there");
    else if (call->context->world.http == NULL)
        line(call, "SEARCHED", "not: offline; look yourself before you file");
    else
        look(call, id, venue, settings, words);
}

/* ---- showing ---- */

void gl_request_show_preview(const struct gl_venue_preview *preview, struct gl_str *out)
{
    gl_str_add(out, "--- exactly what would be sent ---\n");
    gl_venue_preview_text(preview, out);
    gl_str_add(out, "--- end ---\n");
}

json_t *gl_request_preview_json(const struct gl_venue_preview *preview)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < preview->step_count; i++) {
        const struct gl_venue_step *step = &preview->steps[i];
        json_t *body = json_stringn(step->body != NULL ? step->body : "", step->body_length);

        json_array_append_new(
            steps, json_pack("{s:s,s:s,s:s,s:o,s:s}", "method", step->method, "where", step->where,
                             "headers", step->headers != NULL ? step->headers : "", "body",
                             body != NULL ? body : json_null(), "added", step->added));
    }
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "action",
                     gl_venue_action_word(preview->action), "venue", preview->venue, "place",
                     preview->place, "sender", preview->sender, "note", preview->note, "target",
                     preview->target, "digest", preview->digest, "steps", steps);
}

/* How it gets there. */
static const char *route_of(unsigned caps)
{
    if ((caps & GL_VENUE_BY_HAND) != 0)
        return "made here, sent by you: nothing goes out by itself";
    return (caps & GL_VENUE_PAID) != 0 ? "by the venue's interface; takes a support contract"
                                       : "by the venue's interface";
}

static void show_where(const struct gl_request_call *call, const struct gl_venue_preview *preview,
                       const struct gl_listener *listener)
{
    unsigned caps = gl_venue_ops_caps(gl_venue_find_ops(preview->venue));
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "%s (%s)", preview->place,
                (caps & GL_VENUE_PUBLIC) != 0 ? "public" : "not public");
    line(call, "WOULD GO TO", gl_str_text(&text));
    line(call, "ROUTE", route_of(caps));
    line(call, "UNDER", preview->sender);
    if (listener != NULL && strcmp(listener->venue, preview->venue) == 0 &&
        (listener->target == NULL || strstr(preview->place, listener->target) != NULL)) {
        gl_str_clear(&text);
        gl_str_addf(&text, "%s; %s (%s, %s, %s)", listener->area, listener->conditions,
                    gl_listener_trust_word(listener->trust), listener->source, listener->date);
        line(call, "LISTENS TO", gl_str_text(&text));
    }
    if (preview->note[0] != '\0')
        line(call, "NOTE", preview->note);
}

static void show_data(const struct gl_request_call *call)
{
    line(call, "SENT DATA",
         "provider, region, instance family, capability, rule, grade; counts "
         "and hours in steps of 1-2-5; months");
    line(call, "NOT SENT",
         "accounts, host names, tags, prices paid, users, addresses, who "
         "approves");
}

/* The command that approves just this, so that it can be typed. */
static void show_approval(const struct gl_request_call *call, const char *id, const char *digest)
{
    struct gl_str *out = &call->context->reply.text;
    char start[GL_REQUEST_DIGEST_MIN + 1];
    const char *const words[] = {"request", "approve", id, "--preview-sha", start, NULL};

    snprintf(start, sizeof start, "%.*s", GL_REQUEST_DIGEST_MIN, digest);
    gl_str_addf(out, "DIGEST        %s\n", digest);
    gl_str_add(out, "\nNothing was sent. To send just this:\n  ");
    gl_again_line(call->context, words, out);
    gl_str_add_char(out, '\n');
    gl_next(call->context, "send just this", words);
}

/* ---- preview ---- */

static int keep(struct gl_request_call *call, const struct making *making,
                struct gl_venue_preview *out, struct gl_error *err)
{
    const struct gl_request_plan plan = {
        .action = call->values->join != NULL ? GL_VENUE_JOINING : GL_VENUE_FILING,
        .fingerprint = making->cluster->fingerprint,
        .text = &making->text,
        .venue = making->venue,
        .settings = making->settings,
        .target = call->values->join,
    };

    if (gl_request_note_draft(&call->desk, making->cluster, err) != 0)
        return -1;
    return gl_request_preview(&call->desk, &plan, out, err);
}

/* What a venue misses is said on the command line or in the configuration; and there are others. */
static int fail_settings(const struct gl_request_call *call, const struct making *making,
                         struct gl_error *err)
{
    const struct gl_error why = *err;
    GL_AUTO(gl_str_done) struct gl_str others = {0};
    const char *provider = making->cluster->first->provider;
    const struct gl_listener *row;
    size_t at = 0;

    if (why.code != GL_E_CONFIG && why.code != GL_E_NO_CREDENTIAL)
        return -1;
    while (call->values->venue == NULL && (row = gl_listener_next(provider, &at)) != NULL)
        if (row->venue != NULL && strcmp(row->venue, making->venue) != 0 &&
            (row->of == NULL || strcmp(row->of, gl_demand_area(provider)) == 0))
            gl_str_addf(&others, "--venue %s, ", row->venue);
    if (strcmp(making->venue, "file") != 0)
        gl_str_addf(&others, "--venue file keeps it on this machine");
    gl_error_clear(err);
    return gl_fail(err, why.code == GL_E_CONFIG ? GL_E_USAGE : why.code,
                   "%s; say it with --set KEY=VALUE or under venues: of the configuration%s%s",
                   why.text, others.length > 0 ? ", or choose another place: " : "",
                   gl_str_text(&others));
}

static int show(struct gl_request_call *call, const struct making *making, struct gl_error *err)
{
    struct gl_str *out = &call->context->reply.text;
    struct gl_venue_preview preview;

    if (keep(call, making, &preview, err) != 0)
        return fail_settings(call, making, err);
    call->context->reply.data =
        json_pack("{s:s,s:o}", "id", making->id, "preview", gl_request_preview_json(&preview));
    show_where(call, &preview, making->listener);
    search(call, making->id, making->venue, making->settings,
           gl_wish_of(making->cluster->first->capability)->search);
    show_data(call);
    gl_str_add_char(out, '\n');
    gl_request_show_text(call, &making->text, call->values->join == NULL, out);
    gl_str_add_char(out, '\n');
    gl_request_show_preview(&preview, out);
    show_approval(call, making->id, preview.digest);
    gl_venue_preview_done(&preview);
    return GL_EXIT_OK;
}

/* Who listens at the place that the settings name, with what it asks of a text. */
static const struct gl_listener *listener_at(const struct making *making, const char *provider)
{
    const char *target = json_string_value(json_object_get(making->settings, "repository"));

    return target != NULL ? gl_listener_for(provider, NULL, making->venue, target)
                          : making->listener;
}

static int make(struct gl_request_call *call, struct making *making, struct gl_error *err)
{
    const char *provider = making->cluster->first->provider;
    int status;

    making->listener = gl_request_listener(call, provider);
    making->venue = venue_of(call, making->listener);
    if (read_settings(call, making, err) != 0)
        return -1;
    making->listener = listener_at(making, provider);
    set_standard_folder(call, making->venue, making->settings);
    if (gl_request_text_write(making->cluster, making->listener,
                              call->values->join != NULL ? GL_REQUEST_COMMENT : GL_REQUEST_WHOLE,
                              &making->text, err) != 0)
        return -1;
    status = show(call, making, err);
    gl_request_text_done(&making->text);
    return status;
}

int gl_request_run_preview(struct gl_request_call *call, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *settings = json_object();
    struct making making = {.settings = settings};

    if (gl_request_refuse_demo(call->context, err) != 0 || gl_request_gather(call, err) != 0 ||
        (making.cluster = gl_request_cluster(call, call->words[0], err)) == NULL)
        return -1;
    gl_demand_id(making.cluster->fingerprint, making.id);
    if (!gl_cluster_is_due(making.cluster, &call->threshold))
        return gl_request_refuse_early(call, making.cluster);
    gl_context_online(call->context);
    return make(call, &making, err);
}

/* ---- withdraw ---- */

static int fail_by_hand(const struct gl_request_record *record, struct gl_error *err)
{
    if (record->attempt == GL_ATTEMPT_BY_HAND)
        return gl_fail(err, GL_E_USAGE,
                       "%s is yours and was not said to be filed: when you will not send it, "
                       "greenlaunch request status %s --absent --approved-by NAME",
                       record->id, record->id);
    return gl_fail(err, GL_E_USAGE,
                   "%s went out by hand or where nothing can be taken back: close it there "
                   "yourself (%.120s), then: greenlaunch request status %s --closed --approved-by "
                   "NAME",
                   record->id, record->url, record->id);
}

int gl_request_run_withdraw(struct gl_request_call *call, struct gl_error *err)
{
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    struct gl_request_plan plan = {.action = GL_VENUE_WITHDRAWING};
    const struct gl_request_record *record;
    const struct gl_venue_ops *ops;
    struct gl_venue_preview preview;
    const char *venue;

    if (gl_request_refuse_demo(call->context, err) != 0 ||
        gl_requests_read(call->desk.ledger, &requests, err) != 0 ||
        (record = gl_requests_named(&requests, call->words[0], err)) == NULL)
        return -1;
    venue = json_string_value(json_object_get(record->venue, "venue"));
    ops = venue != NULL ? gl_venue_find_ops(venue) : NULL;
    if (gl_request_is_open(record) &&
        (ops == NULL || (gl_venue_ops_caps(ops) & GL_VENUE_WITHDRAW) == 0 ||
         record->venue_id[0] == '\0'))
        return fail_by_hand(record, err);
    plan.fingerprint = record->fingerprint;
    if (gl_request_preview(&call->desk, &plan, &preview, err) != 0)
        return -1;
    call->context->reply.data =
        json_pack("{s:s,s:o}", "id", record->id, "preview", gl_request_preview_json(&preview));
    show_where(call, &preview, NULL);
    gl_str_add_char(&call->context->reply.text, '\n');
    gl_request_show_preview(&preview, &call->context->reply.text);
    show_approval(call, record->id, preview.digest);
    gl_venue_preview_done(&preview);
    return GL_EXIT_OK;
}
