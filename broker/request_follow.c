/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/request_part.h"

#include <stdio.h>
#include <string.h>

#define ADDRESS_MAX 2000

/* ---- a person's word ---- */

/* What a person can open again, and no slip of a shell. */
static bool is_address(const char *text)
{
    static const char *const schemes[] = {"https://", "http://", "mailto:"};
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
            return length > strlen(schemes[i]) && length <= ADDRESS_MAX;
    return false;
}

int gl_request_settle(const struct gl_request_desk *desk, const char *id, const char *reference,
                      const char *by, struct gl_error *err)
{
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    const struct gl_request_record *record;

    if (gl_text_is_blank(by))
        return gl_fail(err, GL_E_USAGE, "say who looked: --approved-by NAME");
    if (reference != NULL && !is_address(reference))
        return gl_fail(err, GL_E_USAGE,
                       "--filed takes the address of the request: https://..., or mailto: and to "
                       "whom");
    if (gl_requests_read(desk->ledger, &requests, err) != 0)
        return -1;
    record = gl_requests_named(&requests, id, err);
    if (record == NULL)
        return -1;
    if (record->attempt != GL_ATTEMPT_UNKNOWN && record->attempt != GL_ATTEMPT_BY_HAND)
        return gl_fail(err, GL_E_USAGE, "%s: there is no sending whose outcome a person would know",
                       record->id);
    return gl_request_append(desk,
                             json_pack("{s:s,s:s,s:b,s:s*,s:s}", "op", "settled", "fingerprint",
                                       record->fingerprint, "is_there", reference != NULL,
                                       "reference", reference, "by", by),
                             err);
}

int gl_request_close(const struct gl_request_desk *desk, const char *id, const char *by,
                     struct gl_error *err)
{
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    const struct gl_request_record *record;

    if (gl_text_is_blank(by))
        return gl_fail(err, GL_E_USAGE, "say who says so: --approved-by NAME");
    if (gl_requests_read(desk->ledger, &requests, err) != 0)
        return -1;
    record = gl_requests_named(&requests, id, err);
    if (record == NULL)
        return -1;
    if (!gl_request_is_open(record) || record->attempt == GL_ATTEMPT_UNKNOWN)
        return gl_fail(err, GL_E_USAGE, "%s is %s: it cannot be closed", record->id,
                       gl_request_state_words[record->state]);
    return gl_request_append(
        desk,
        json_pack("{s:s,s:s,s:s}", "op", "closed", "fingerprint", record->fingerprint, "by", by),
        err);
}

static bool is_stop(enum gl_venue_answer answer)
{
    return answer == GL_ANSWER_RATE_LIMITED || answer == GL_ANSWER_FORBIDDEN ||
           answer == GL_ANSWER_GONE || answer == GL_ANSWER_PERSON;
}

static const struct gl_request_place *stopped_place(const struct gl_requests *requests,
                                                    const char *place)
{
    for (size_t i = 0; i < requests->place_count; i++)
        if (strcmp(requests->places[i].place, place) == 0 && is_stop(requests->places[i].last))
            return &requests->places[i];
    return NULL;
}

int gl_request_lift(const struct gl_request_desk *desk, const char *place, const char *by,
                    const char *why, struct gl_error *err)
{
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    char shown[GL_TEXT_SHOWN];

    if (gl_text_is_blank(by) || gl_text_is_blank(why))
        return gl_fail(err, GL_E_USAGE,
                       "a hard stop is lifted by a person who has looked there: say who and why, "
                       "--approved-by NAME --reason TEXT");
    if (gl_requests_read(desk->ledger, &requests, err) != 0)
        return -1;
    if (stopped_place(&requests, place) == NULL)
        return gl_fail(
            err, GL_E_UNKNOWN_NAME,
            "nothing is stopped at \"%s\"; the places are in: greenlaunch request status",
            gl_text_show(place, shown));
    return gl_request_append(
        desk, json_pack("{s:s,s:s,s:s,s:s}", "op", "lifted", "place", place, "by", by, "why", why),
        err);
}

/* ---- what is there already ---- */

static int note_stop(const struct gl_request_desk *desk, const struct gl_venue *venue,
                     const struct gl_error *why, struct gl_error *err)
{
    json_t *body = json_pack("{s:s,s:s,s:s,s:I}", "op", "searched", "place", gl_venue_place(venue),
                             "answer", gl_venue_answer_word(gl_venue_last_answer(venue)), "wait_s",
                             (json_int_t)gl_venue_told_wait_s(venue));

    gl_request_set_text(body, "error", why->text);
    return gl_request_append(desk, body, err);
}

int gl_request_search(const struct gl_request_desk *desk, struct gl_venue *venue, const char *words,
                      struct gl_venue_candidate out[GL_VENUE_CANDIDATES], size_t *out_count,
                      struct gl_error *err)
{
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    struct gl_error why = {0};

    if (gl_requests_read(desk->ledger, &requests, err) != 0)
        return -1;
    if (stopped_place(&requests, gl_venue_place(venue)) != NULL)
        return gl_fail(err, GL_E_PROVIDER, "that place is stopped; greenlaunch request status");
    if (gl_venue_search(venue, words, out, out_count, &why) == 0)
        return 0;
    if (is_stop(gl_venue_last_answer(venue)) && note_stop(desk, venue, &why, err) != 0)
        return -1;
    return gl_fail(err, why.code, "%s", why.text);
}

/* ---- the venue's answers ---- */

static json_t *polled_json(const struct gl_request_record *record, const struct gl_venue *venue)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:I}", "op", "polled", "fingerprint", record->fingerprint,
                     "place", record->place, "answer",
                     gl_venue_answer_word(gl_venue_last_answer(venue)), "wait_s",
                     (json_int_t)gl_venue_told_wait_s(venue));
}

static void set_status(json_t *body, const struct gl_venue_status *status)
{
    json_object_set_new(body, "same", json_boolean(status->is_same));
    if (status->is_same)
        return;
    json_object_set_new(body, "state", json_string(gl_venue_state_word(status->state)));
    gl_request_set_text(body, "reason", status->reason);
    gl_request_set_text(body, "title", status->title);
    gl_request_set_text(body, "etag", status->etag);
    json_object_set_new(body, "comments", json_integer((json_int_t)status->comments));
    json_object_set_new(body, "votes", json_integer((json_int_t)status->votes));
    json_object_set_new(body, "updated_s", json_integer((json_int_t)status->updated.unix_s));
}

static bool is_changed(const struct gl_request_record *record, const struct gl_venue_status *status)
{
    return !status->is_same &&
           (gl_request_state_after(record, status->state, status->comments) != record->state ||
            status->comments != record->comments || status->votes != record->votes ||
            strcmp(status->reason, record->reason) != 0);
}

static int ask(const struct gl_request_desk *desk, const struct gl_request_record *record,
               struct gl_request_venue *venue, enum gl_request_polled *out, struct gl_error *err)
{
    struct gl_venue_status status;
    struct gl_error why = {0};
    json_t *body;

    if (gl_venue_status(venue->venue, record->venue_id, record->etag, &status, &why) == 0) {
        *out = is_changed(record, &status) ? GL_POLL_CHANGED : GL_POLL_SAME;
        body = polled_json(record, venue->venue);
        set_status(body, &status);
        return gl_request_append(desk, body, err);
    }
    body = polled_json(record, venue->venue);
    gl_request_set_text(body, "error", why.text);
    if (gl_request_append(desk, body, err) != 0)
        return -1;
    *out = GL_POLL_FAILED;
    *err = why;
    return 0;
}

/* Set back, a clock says nothing of how long ago it was: then it is not due. */
static bool is_due(const struct gl_request_desk *desk, const struct gl_request_record *record)
{
    int64_t now_ms = desk->world->now_ms(desk->world->cookie);

    return record->polled_ms == 0 ||
           now_ms - record->polled_ms >= (int64_t)GL_REQUEST_POLL_S * 1000;
}

/* What was filed in a form of the browser is asked for by the interface of the same site. */
static const char *asker_of(const struct gl_request_record *record)
{
    const char *name = json_string_value(json_object_get(record->venue, "venue"));

    return name != NULL && strcmp(name, "browser") == 0 ? "github" : name;
}

static json_t *settings_of_asker(const struct gl_request_record *record)
{
    json_t *settings = json_object_get(record->venue, "settings"), *own;
    const char *name = json_string_value(json_object_get(record->venue, "venue"));

    if (name == NULL || strcmp(name, "browser") != 0)
        return json_incref(settings);
    own = json_object();
    json_object_set(own, "repository", json_object_get(settings, "repository"));
    return own;
}

static bool can_ask(const struct gl_request_record *record)
{
    const char *name = asker_of(record);
    const struct gl_venue_ops *ops = name != NULL ? gl_venue_find_ops(name) : NULL;

    return ops != NULL && (gl_venue_ops_caps(ops) & GL_VENUE_STATUS) != 0 &&
           record->venue_id[0] != '\0' && gl_request_is_open(record) &&
           record->state != GL_REQUEST_APPROVED;
}

int gl_request_poll(const struct gl_request_desk *desk, const char *fingerprint, bool is_forced,
                    enum gl_request_polled *out, struct gl_error *err)
{
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    GL_AUTO(gl_auto_json) json_t *settings = NULL;
    const struct gl_request_record *record;
    struct gl_request_venue venue;
    int result;

    if (gl_requests_read(desk->ledger, &requests, err) != 0)
        return -1;
    record = gl_requests_of(&requests, fingerprint);
    if (record == NULL || !can_ask(record)) {
        *out = GL_POLL_NO_WAY;
        return 0;
    }
    if (stopped_place(&requests, record->place) != NULL) {
        *out = GL_POLL_STOPPED;
        return 0;
    }
    if (!is_forced && !is_due(desk, record)) {
        *out = GL_POLL_NOT_DUE;
        return 0;
    }
    settings = settings_of_asker(record);
    if (gl_request_venue_open(desk, asker_of(record), settings, &venue, err) != 0)
        return -1;
    result = ask(desk, record, &venue, out, err);
    gl_request_venue_done(&venue);
    return result;
}

int gl_request_grant(const struct gl_request_desk *desk, const char *fingerprint, const char *cloud,
                     const char *region, const char *type, struct gl_error *err)
{
    return gl_request_append(desk,
                             json_pack("{s:s,s:s,s:s,s:s,s:s}", "op", "granted", "fingerprint",
                                       fingerprint, "cloud", cloud, "region", region, "type", type),
                             err);
}

/* ---- everything that was sent ---- */

/* The body of an event with its place in the chain. */
static void take(json_t *entries, const json_t *event)
{
    json_t *entry = json_copy(json_object_get(event, "body"));

    json_object_set(entry, "at_ms", json_object_get(event, "at_ms"));
    json_object_set(entry, "seq", json_object_get(event, "seq"));
    json_object_set(entry, "hash", json_object_get(event, "hash"));
    json_array_append_new(entries, entry);
}

static int collect(void *cookie, const json_t *event)
{
    const char *op = json_string_value(json_object_get(json_object_get(event, "body"), "op"));

    if (op != NULL &&
        (strcmp(op, "approved") == 0 || strcmp(op, "outcome") == 0 || strcmp(op, "settled") == 0))
        take(cookie, event);
    return 0;
}

static int collect_feed(void *cookie, const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "kind"));

    if (kind != NULL && strcmp(kind, "feed") == 0)
        take(cookie, event);
    return 0;
}

static json_t *collect_all(struct gl_ledger *ledger, const char *launch,
                           int (*each)(void *cookie, const json_t *event), struct gl_error *err)
{
    json_t *entries = json_array();

    if (gl_ledger_events(ledger, launch, entries, each, err) == 0)
        return entries;
    json_decref(entries);
    return NULL;
}

json_t *gl_requests_export(struct gl_ledger *ledger, struct gl_error *err)
{
    return collect_all(ledger, GL_REQUEST_LAUNCH, collect, err);
}

json_t *gl_requests_export_feeds(struct gl_ledger *ledger, struct gl_error *err)
{
    return collect_all(ledger, "", collect_feed, err);
}
