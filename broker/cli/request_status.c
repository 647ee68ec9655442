/* SPDX-License-Identifier: Apache-2.0 */
/* `request status`: what became of requests; and the acts of a person that only a person can know
 * the truth of. It asks, and never answers anybody. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/cli/request.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

/* ---- acts of a person ---- */

static int tell_done(const struct gl_request_call *call, const char *text)
{
    gl_str_addf(&call->context->reply.text, "%s\n", text);
    call->context->reply.data = json_pack("{s:b}", "noted", true);
    return GL_EXIT_OK;
}

static int act(const struct gl_request_call *call, const char *id, struct gl_error *err)
{
    const struct gl_request_values *values = call->values;
    int said = (values->filed != NULL) + values->is_absent + values->is_closed;

    if (values->lift != NULL && (said > 0 || id != NULL))
        return gl_fail(err, GL_E_USAGE, "--lift names a place and stands alone");
    if (values->lift != NULL)
        return gl_request_lift(&call->desk, values->lift, values->by, values->reason, err) == 0
                   ? tell_done(call, "The hard stop is lifted; what waits, waits on.")
                   : -1;
    if (said > 1 || id == NULL)
        return gl_fail(err, GL_E_USAGE,
                       "say one request, and one of --filed URL, --absent and "
                       "--closed");
    if (values->is_closed)
        return gl_request_close(&call->desk, id, values->by, err) == 0
                   ? tell_done(call, "Noted: it is closed.")
                   : -1;
    return gl_request_settle(&call->desk, id, values->filed, values->by, err) == 0
               ? tell_done(call, values->filed != NULL ? "Noted: it is filed."
                                                       : "Noted: it is not there.")
               : -1;
}

/* ---- asking ---- */

/* What one look came to, beside the state of the request. */
struct look {
    enum gl_request_polled polled;
    struct gl_error why; /* of FAILED, and of a venue that could not be opened */
    bool is_granted;     /* just now */
    bool is_unasked;     /* whether it is granted cannot be asked here */
    struct gl_request_offer offer;
};

static void poll(const struct gl_request_call *call, const struct gl_request_record *record,
                 struct look *out)
{
    out->polled = GL_POLL_NOT_DUE;
    if (call->context->world.http == NULL || !gl_request_is_open(record))
        return;
    if (gl_request_poll(&call->desk, record->fingerprint, call->values->wants_now, &out->polled,
                        &out->why) != 0)
        out->polled = GL_POLL_FAILED;
}

/* Was it granted since it was filed? */
static int find_grant(const struct gl_request_call *call, const struct gl_request_record *record,
                      struct look *out, struct gl_error *err)
{
    enum gl_request_grant grant;

    if (record->state < GL_REQUEST_FILED || record->state > GL_REQUEST_REPLIED ||
        gl_request_find_offer(call->context, record, &out->offer, &grant, &out->why) != 0)
        return 0;
    out->is_unasked = grant == GL_GRANT_UNASKED;
    out->is_granted = grant == GL_GRANT_FOUND;
    return out->is_granted ? gl_request_grant(&call->desk, record->fingerprint, out->offer.cloud,
                                              out->offer.region, out->offer.type, err)
                           : 0;
}

/* ---- showing ---- */

static const struct gl_column columns[] = {
    {"ID", false, 0},    {"STATE", false, 0}, {"SINCE", false, 1},
    {"PLACE", false, 0}, {"VOTES", true, 2},  {"COMMENTS", true, 3},
};

static void add_number(int64_t number, char out[24])
{
    if (number < 0)
        snprintf(out, 24, "-");
    else
        snprintf(out, 24, "%" PRId64, number);
}

static void add_row(const struct gl_request_record *record, struct gl_table *table)
{
    char votes[24], comments[24], since[GL_INSTANT_TEXT] = "-";

    add_number(record->votes, votes);
    add_number(record->comments, comments);
    if (record->changed_ms > 0) {
        gl_instant_text((struct gl_instant){record->changed_ms / 1000}, since);
        since[10] = '\0';
    }
    gl_table_row(table, (const char *const[]){record->id, gl_request_state_words[record->state],
                                              since, record->place[0] != '\0' ? record->place : "-",
                                              votes, comments});
}

static const char *attempt_text(const struct gl_request_record *record)
{
    if (record->attempt == GL_ATTEMPT_UNKNOWN)
        return "it is not known whether it arrived: approve it again, and it is looked for first; "
               "or look yourself: --filed URL or --absent";
    if (record->attempt == GL_ATTEMPT_BY_HAND)
        return "yours to send: say --filed URL when it is, --absent when you will not";
    return NULL;
}

static void add_note(const struct gl_request_call *call, const char *id, const char *text)
{
    struct gl_str *out = &call->context->reply.text;
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    gl_str_add_printable(&shown, text, strlen(text));
    gl_str_addf(out, "%s  ", id);
    gl_render_hang(gl_str_text(&shown), (unsigned)strlen(id) + 2, call->context->columns, out);
}

static void add_notes(const struct gl_request_call *call, const struct gl_request_record *record,
                      enum gl_request_state before, const struct look *look)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (attempt_text(record) != NULL)
        add_note(call, record->id, attempt_text(record));
    if (record->url[0] != '\0' && record->attempt != GL_ATTEMPT_BY_HAND)
        add_note(call, record->id, record->url);
    if (record->state != before && !look->is_granted) {
        gl_str_addf(&text, "news: %s, it was %s%s%s%s", gl_request_state_words[record->state],
                    gl_request_state_words[before], record->reason[0] != '\0' ? " (" : "",
                    record->reason, record->reason[0] != '\0' ? ")" : "");
        add_note(call, record->id, gl_str_text(&text));
    }
    gl_str_clear(&text);
    if (look->is_granted) {
        gl_str_addf(&text,
                    "granted: %s in %s %s satisfies the rule now. Thank them, close it, and: "
                    "greenlaunch request status %s --closed --approved-by NAME",
                    look->offer.type, look->offer.cloud, look->offer.region, record->id);
        add_note(call, record->id, gl_str_text(&text));
    }
    if (look->is_unasked)
        add_note(call, record->id,
                 "whether offers satisfy the rule now cannot be asked: it holds limits of your own "
                 "that no configured policy says; look yourself");
    if (look->polled == GL_POLL_FAILED)
        add_note(call, record->id, look->why.text);
    if (look->polled == GL_POLL_STOPPED)
        add_note(call, record->id, "not asked: that place is stopped");
}

static json_t *look_json(const struct gl_request_record *record, const struct look *look)
{
    static const char *const words[] = {"not due", "cannot be asked", "stopped",
                                        "same",    "changed",         "failed"};
    json_t *json = gl_request_record_json(record);

    json_object_set_new(json, "asked", json_string(words[look->polled]));
    if (look->is_granted)
        json_object_set_new(json, "granted_by",
                            json_pack("{s:s,s:s,s:s}", "cloud", look->offer.cloud, "region",
                                      look->offer.region, "type", look->offer.type));
    return json;
}

/* A line "STOPPED  text", wrapped below the text. */
static void add_stop(const struct gl_request_call *call, const struct gl_str *text)
{
    static const char word[] = "STOPPED  ";

    gl_str_addf(&call->context->reply.text, "\n%s", word);
    gl_render_hang(gl_str_text(text), (unsigned)strlen(word), call->context->columns,
                   &call->context->reply.text);
}

/* Places that a person has to look at. */
static void add_stops(const struct gl_request_call *call, const struct gl_requests *requests,
                      json_t *list)
{
    struct gl_instant now = gl_now(&call->context->world);
    struct gl_str *out = &call->context->reply.text;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    for (size_t i = 0; i < requests->place_count; i++) {
        const struct gl_request_place *place = &requests->places[i];
        struct gl_venue_pace_answer answer;

        gl_requests_pace(requests, place->place, NULL, now, false, &answer);
        if (answer.may != GL_VENUE_STOP)
            continue;
        json_array_append_new(list,
                              json_pack("{s:s,s:s}", "place", place->place, "why", answer.why));
        gl_str_clear(&text);
        gl_str_addf(&text, "%s: %s", place->place, answer.why);
        add_stop(call, &text);
        gl_str_addf(out,
                    "  lift it: greenlaunch request status --lift '%s' --approved-by NAME "
                    "--reason TEXT\n",
                    place->place);
    }
    if (gl_venue_is_stopped(call->desk.folder))
        gl_str_addf(out, "\nSTOPPED  everything: the file %s/%s is there\n", call->desk.folder,
                    GL_VENUE_KILL_SWITCH);
}

/* Some venues that were asked answered, and others did not; or none did. */
static int status_of(const struct gl_request_call *call, const struct gl_requests *requests,
                     const struct look *looks)
{
    struct gl_str *failing = &call->context->reply.failing;
    int status = GL_EXIT_OK;
    size_t answered = 0;

    for (size_t i = 0; i < requests->count; i++) {
        answered += looks[i].polled == GL_POLL_SAME || looks[i].polled == GL_POLL_CHANGED;
        if (looks[i].polled != GL_POLL_FAILED)
            continue;
        gl_str_addf(failing, "%s%s", failing->length > 0 ? ", " : "", requests->records[i].id);
        if (status == GL_EXIT_OK)
            status = (int)gl_errc_row(looks[i].why.code)->exit;
    }
    return status != GL_EXIT_OK && answered > 0 ? GL_EXIT_PARTIAL : status;
}

/* The news are shown after all were asked, as the ledger has them then. */
static int show(const struct gl_request_call *call, const struct gl_requests *before,
                const struct look *looks, const struct gl_request_record *only,
                struct gl_error *err)
{
    struct gl_table *table = gl_table_new(columns, sizeof columns / sizeof columns[0]);
    struct gl_context *context = call->context;
    GL_AUTO(gl_requests_done) struct gl_requests after = {0};
    json_t *list = json_array(), *stops = json_array();

    context->reply.data = json_pack("{s:o,s:o}", "requests", list, "stopped", stops);
    if (gl_requests_read(call->desk.ledger, &after, err) != 0) {
        gl_table_free(table);
        return -1;
    }
    for (size_t i = 0; i < before->count; i++)
        if (only == NULL || only == &before->records[i]) {
            add_row(&after.records[i], table);
            json_array_append_new(list, look_json(&after.records[i], &looks[i]));
        }
    gl_table_text(table, context->columns, context->globals.is_accessible, &context->reply.text);
    gl_table_free(table);
    for (size_t i = 0; i < before->count; i++)
        if (only == NULL || only == &before->records[i])
            add_notes(call, &after.records[i], before->records[i].state, &looks[i]);
    add_stops(call, &after, stops);
    return status_of(call, before, looks);
}

static int run_with(const struct gl_request_call *call, const struct gl_requests *requests,
                    struct gl_error *err)
{
    const struct gl_request_record *only = NULL;
    GL_AUTO(gl_auto_free)
    struct look *looks = gl_alloc((requests->count + 1) * sizeof *looks);

    if (call->count > 0 && (only = gl_requests_named(requests, call->words[0], err)) == NULL)
        return -1;
    gl_context_online(call->context);
    for (size_t i = 0; i < requests->count; i++) {
        if (only != NULL && only != &requests->records[i])
            continue;
        poll(call, &requests->records[i], &looks[i]);
        if (find_grant(call, &requests->records[i], &looks[i], err) != 0)
            return -1;
    }
    return show(call, requests, looks, only, err);
}

int gl_request_run_status(struct gl_request_call *call, struct gl_error *err)
{
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    const struct gl_request_values *values = call->values;

    if (values->lift != NULL || values->filed != NULL || values->is_absent || values->is_closed)
        return act(call, call->count > 0 ? call->words[0] : NULL, err);
    if (gl_requests_read(call->desk.ledger, &requests, err) != 0)
        return -1;
    if (requests.count > 0 || call->count > 0)
        return run_with(call, &requests, err);
    gl_str_add(&call->context->reply.text, "No request was drafted yet.\n");
    call->context->reply.data = json_pack("{s:[],s:[]}", "requests", "stopped");
    return GL_EXIT_OK;
}

/* ---- for machines ---- */

static json_t *instant_json(int64_t at_ms)
{
    char text[GL_INSTANT_TEXT];

    return at_ms == 0 ? json_null()
                      : json_string(gl_instant_text((struct gl_instant){at_ms / 1000}, text));
}

json_t *gl_request_record_json(const struct gl_request_record *record)
{
    static const char *const attempts[] = {"none", "unknown", "by hand", "done", "failed"};
    json_t *digest = json_object_get(record->preview, "digest");

    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:o,s:O?}", "id",
                     record->id, "fingerprint", record->fingerprint, "state",
                     gl_request_state_words[record->state], "attempt", attempts[record->attempt],
                     "provider", record->provider, "region", record->region, "capability",
                     record->capability, "rule", record->rule, "place", record->place, "venue_id",
                     record->venue_id, "url", record->url, "reason", record->reason, "comments",
                     (json_int_t)record->comments, "votes", (json_int_t)record->votes, "since",
                     instant_json(record->changed_ms), "asked_at", instant_json(record->polled_ms),
                     "digest", digest);
}
