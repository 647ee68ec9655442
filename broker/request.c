/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/request_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define LOCK_NAME    "requests.lock"
#define LOCK_WAIT_MS 10000

/* ---- what every step does ---- */

int gl_request_append(const struct gl_request_desk *desk, json_t *body, struct gl_error *err)
{
    int result;

    if (body == NULL)
        return gl_fail(err, GL_E_USAGE, "names and reasons are UTF-8 text");
    result = gl_ledger_append(desk->ledger, "request", GL_REQUEST_LAUNCH, body, NULL, err);
    json_decref(body);
    return result;
}

void gl_request_set_text(json_t *body, const char *key, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    gl_str_add_printable(&shown, text, strlen(text));
    json_object_set_new(body, key, json_string(gl_str_text(&shown)));
}

/* One process at a time previews or sends: what is read stays true until it is written upon. */
static int lock(const struct gl_request_desk *desk, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(desk->folder, LOCK_NAME);

    return gl_file_lock(path, LOCK_WAIT_MS, err);
}

static const char *text_of(const json_t *body, const char *key)
{
    return json_string_value(json_object_get(body, key));
}

/* ---- venues ---- */

int gl_request_venue_open(const struct gl_request_desk *desk, const char *venue,
                          const json_t *settings, struct gl_request_venue *out,
                          struct gl_error *err)
{
    json_t *object = (json_t *)(uintptr_t)settings;
    size_t count = 0;

    *out = (struct gl_request_venue){.options = {.world = desk->world, .folder = desk->folder}};
    if (json_object_size(settings) > GL_REQUEST_SETTINGS)
        return gl_fail(err, GL_E_CONFIG, "more than %d settings", GL_REQUEST_SETTINGS);
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *value = json_string_value(json_object_iter_value(at));

        if (value == NULL)
            return gl_fail(err, GL_E_BAD_REPLY, "a setting of a venue is no text");
        out->settings[count++] = (struct gl_setting){json_object_iter_key(at), value};
    }
    out->options.settings = out->settings;
    out->options.setting_count = count;
    out->venue = gl_venue_open(venue, &out->options, err);
    return out->venue != NULL ? 0 : -1;
}

void gl_request_venue_done(struct gl_request_venue *venue)
{
    gl_venue_close(venue->venue);
    venue->venue = NULL;
}

/* ---- drafts and previews ---- */

int gl_request_note_draft(const struct gl_request_desk *desk, const struct gl_cluster *cluster,
                          struct gl_error *err)
{
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    const struct gl_demand *first = cluster->first;
    const struct gl_request_record *record;

    if (gl_requests_read(desk->ledger, &requests, err) != 0)
        return -1;
    record = gl_requests_of(&requests, cluster->fingerprint);
    if (record != NULL && record->state < GL_REQUEST_ENDED)
        return 0;
    return gl_request_append(desk,
                             json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "op", "drafted", "fingerprint",
                                       cluster->fingerprint, "provider", first->provider, "region",
                                       first->region, "capability",
                                       gl_capability_words[first->capability], "rule", first->rule),
                             err);
}

static json_t *draft_json(const struct gl_request_text *text)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s*,s:s*}", "title", text->title, "markdown",
                     text->markdown, "plain", text->plain, "json", text->json, "template",
                     text->template_name, "language", text->language);
}

static struct gl_venue_request request_of(const char *fingerprint, const json_t *draft,
                                          int64_t drafted_s)
{
    return (struct gl_venue_request){.fingerprint = fingerprint,
                                     .title = text_of(draft, "title"),
                                     .markdown = text_of(draft, "markdown"),
                                     .plain = text_of(draft, "plain"),
                                     .json = text_of(draft, "json"),
                                     .template_name = text_of(draft, "template"),
                                     .language = text_of(draft, "language"),
                                     .drafted = {drafted_s}};
}

static enum gl_venue_action action_of(const json_t *preview)
{
    enum gl_venue_action action = GL_VENUE_FILING;
    const char *word = text_of(preview, "action");

    while (word != NULL && action < GL_VENUE_WITHDRAWING &&
           strcmp(gl_venue_action_word(action), word) != 0)
        action++;
    return action;
}

/* The preview that a "previewed" body describes. */
static int compose(const struct gl_venue *venue, const json_t *body, struct gl_venue_preview *out,
                   struct gl_error *err)
{
    const char *fingerprint, *title;
    int64_t drafted_s;
    json_t *draft;
    struct gl_venue_request request;

    if (gl_json_string(body, "fingerprint", &fingerprint, err) != 0 ||
        gl_json_object(body, "draft", &draft, err) != 0 ||
        gl_json_string(draft, "title", &title, err) != 0 ||
        gl_json_int(body, "drafted_s", 0, INT64_MAX, &drafted_s, err) != 0)
        return -1;
    request = request_of(fingerprint, draft, drafted_s);
    return gl_venue_preview(venue, action_of(body), &request, text_of(body, "target"), out, err);
}

/* Two requests of one fingerprint never are on their way. */
static int check_free(const struct gl_request_record *record, enum gl_venue_action action,
                      struct gl_error *err)
{
    bool is_withdrawing = action == GL_VENUE_WITHDRAWING;

    if (record != NULL && record->attempt == GL_ATTEMPT_UNKNOWN)
        return gl_fail(err, GL_E_USAGE,
                       "%s: an earlier try may have arrived; approve it again, and it is looked "
                       "for first",
                       record->id);
    if (!is_withdrawing && record != NULL && gl_request_is_open(record))
        return gl_fail(err, GL_E_USAGE,
                       "%s is %s already: one request a fingerprint, see: greenlaunch request "
                       "status %s",
                       record->id, gl_request_state_words[record->state], record->id);
    if (is_withdrawing &&
        (record == NULL || record->state < GL_REQUEST_FILED || record->state > GL_REQUEST_GRANTED))
        return gl_fail(err, GL_E_USAGE, "%s was not filed: there is nothing to withdraw",
                       record != NULL ? record->id : "it");
    if (is_withdrawing && gl_request_is_joined(record))
        return gl_fail(err, GL_E_USAGE,
                       "%s joined a request that others made, which is not yours to close: take "
                       "vote and comment back there yourself (%.120s), then: greenlaunch request "
                       "status %s --closed --approved-by NAME",
                       record->id, record->url, record->id);
    return 0;
}

/* The body of "previewed", but for what the venue makes of it. */
static json_t *plan_json(const struct gl_request_plan *plan, const struct gl_request_record *record,
                         int64_t now_s)
{
    bool is_withdrawing = plan->action == GL_VENUE_WITHDRAWING;
    const json_t *was = record != NULL ? record->venue : NULL;
    int64_t drafted_s = now_s;

    if (record != NULL && record->drafted_s > 0 && record->drafted_s < drafted_s)
        drafted_s = record->drafted_s;
    return json_pack(
        "{s:s,s:s,s:s,s:s?,s:o,s:o,s:I,s:s*}", "op", "previewed", "fingerprint", plan->fingerprint,
        "action", gl_venue_action_word(plan->action), "venue",
        is_withdrawing ? text_of(was, "venue") : plan->venue, "settings",
        json_copy(is_withdrawing ? json_object_get(was, "settings")
                                 : (json_t *)(uintptr_t)plan->settings),
        "draft", is_withdrawing ? json_copy(json_object_get(was, "draft")) : draft_json(plan->text),
        "drafted_s", (json_int_t)drafted_s, "target",
        is_withdrawing ? record->venue_id : plan->target);
}

static int keep_preview(const struct gl_request_desk *desk, json_t *body,
                        const struct gl_request_record *record, struct gl_venue_preview *out,
                        struct gl_error *err)
{
    struct gl_request_venue venue;
    const char *name, *last = record != NULL ? text_of(record->preview, "digest") : NULL;
    int result = gl_json_string(body, "venue", &name, err);

    if (result == 0)
        result = gl_request_venue_open(desk, name, json_object_get(body, "settings"), &venue, err);
    if (result != 0)
        return -1;
    result = compose(venue.venue, body, out, err);
    gl_request_venue_done(&venue);
    /* The same once more is the same preview. */
    if (result != 0 || (last != NULL && strcmp(last, out->digest) == 0))
        return result;
    json_object_set_new(body, "digest", json_string(out->digest));
    json_object_set_new(body, "place", json_string(out->place));
    result = gl_request_append(desk, json_incref(body), err);
    if (result != 0)
        gl_venue_preview_done(out);
    return result;
}

static int preview(const struct gl_request_desk *desk, const struct gl_request_plan *plan,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    const struct gl_request_record *record;

    if (gl_requests_read(desk->ledger, &requests, err) != 0)
        return -1;
    record = gl_requests_of(&requests, plan->fingerprint);
    if (check_free(record, plan->action, err) != 0)
        return -1;
    body = plan_json(plan, record, gl_now(desk->world).unix_s);
    if (body == NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "what would be sent is no UTF-8 text");
    return keep_preview(desk, body, record, out, err);
}

int gl_request_preview(const struct gl_request_desk *desk, const struct gl_request_plan *plan,
                       struct gl_venue_preview *out, struct gl_error *err)
{
    int fd = lock(desk, err), result;

    if (fd < 0)
        return -1;
    result = preview(desk, plan, out, err);
    close(fd);
    return result;
}

/* With the venue left open for sending. */
static int preview_of(const struct gl_request_desk *desk, const struct gl_request_record *record,
                      struct gl_request_venue *venue, struct gl_venue_preview *out,
                      struct gl_error *err)
{
    const char *digest, *name;

    if (record->preview == NULL)
        return gl_fail(err, GL_E_USAGE, "%s was not previewed yet: greenlaunch request preview %s",
                       record->id, record->id);
    if (gl_json_string(record->preview, "digest", &digest, err) != 0 ||
        gl_json_string(record->preview, "venue", &name, err) != 0 ||
        gl_request_venue_open(desk, name, json_object_get(record->preview, "settings"), venue,
                              err) != 0)
        return -1;
    if (compose(venue->venue, record->preview, out, err) == 0) {
        if (strcmp(out->digest, digest) == 0)
            return 0;
        gl_venue_preview_done(out);
        gl_fail(err, GL_E_NOT_VERIFIED, "%s would not go out as it was previewed: preview it again",
                record->id);
    }
    gl_request_venue_done(venue);
    return -1;
}

int gl_request_preview_again(const struct gl_request_desk *desk,
                             const struct gl_request_record *record, struct gl_venue_preview *out,
                             struct gl_error *err)
{
    struct gl_request_venue venue;

    if (preview_of(desk, record, &venue, out, err) != 0)
        return -1;
    gl_request_venue_done(&venue);
    return 0;
}

/* ---- sending ---- */

static json_t *step_json(const struct gl_venue_step *step)
{
    json_t *body = json_stringn(step->body != NULL ? step->body : "", step->body_length);

    return json_pack("{s:s,s:s,s:s,s:o,s:s}", "method", step->method, "where", step->where,
                     "headers", step->headers != NULL ? step->headers : "", "body",
                     body != NULL ? body : json_null(), "added", step->added);
}

static json_t *intent_json(const struct gl_request_record *record,
                           const struct gl_venue_preview *shown,
                           const struct gl_request_approval *approval, bool is_retry)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < shown->step_count; i++)
        json_array_append_new(steps, step_json(&shown->steps[i]));
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:o}", "op", "approved", "fingerprint",
                     record->fingerprint, "action", gl_venue_action_word(shown->action), "venue",
                     shown->venue, "place", shown->place, "sender", shown->sender, "digest",
                     shown->digest, "by", approval->by, "retry", is_retry, "steps", steps);
}

/* Everything about one try. */
struct sending {
    const struct gl_request_desk *desk;
    const struct gl_request_approval *approval;
    const struct gl_request_record *record;
    struct gl_request_venue venue;
    struct gl_venue_preview shown;
    bool is_retry;
};

static json_t *outcome_json(const struct sending *sending, const char *result, bool went_out)
{
    const struct gl_venue_preview *shown = &sending->shown;

    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:I}", "op", "outcome", "fingerprint",
                     sending->record->fingerprint, "action", gl_venue_action_word(shown->action),
                     "digest", shown->digest, "place", shown->place, "result", result, "went_out",
                     went_out, "answer",
                     gl_venue_answer_word(gl_venue_last_answer(sending->venue.venue)), "wait_s",
                     (json_int_t)gl_venue_told_wait_s(sending->venue.venue));
}

static int note_done(const struct sending *sending, const struct gl_venue_receipt *receipt,
                     struct gl_error *err)
{
    json_t *body = outcome_json(sending, "done", !receipt->was_there);

    gl_request_set_text(body, "id", receipt->id);
    gl_request_set_text(body, "url", receipt->url);
    gl_request_set_text(body, "note", receipt->note);
    json_object_set_new(body, "was_there", json_boolean(receipt->was_there));
    json_object_set_new(body, "by_hand", json_boolean(receipt->is_by_hand));
    return gl_request_append(sending->desk, body, err);
}

/* A try that failed for sure may be made anew; what may have arrived stays unknown until it is
 * found or proven absent: a retry that did not come as far as to send changes nothing of that. */
static int note_failure(const struct sending *sending, const struct gl_error *why,
                        struct gl_error *err)
{
    bool has_begun = gl_venue_has_begun(sending->venue.venue);
    bool is_unknown = has_begun ? why->code == GL_E_OUTCOME : sending->is_retry;
    json_t *body = outcome_json(sending, is_unknown ? "unknown" : "failed", has_begun);

    gl_request_set_text(body, "error", why->text);
    return gl_request_append(sending->desk, body, err);
}

static int send_and_note(struct sending *sending, struct gl_request_sent *out, struct gl_error *err)
{
    static const enum gl_request_state states[] = {GL_REQUEST_FILED, GL_REQUEST_JOINED,
                                                   GL_REQUEST_WITHDRAWN};
    const struct gl_venue_approval approval = {.digest = sending->shown.digest,
                                               .is_retry = sending->is_retry,
                                               .tried = sending->record->tried};
    struct gl_error why = {0}, ignored = {0};

    if (gl_venue_send(sending->venue.venue, &sending->shown, &approval, &out->receipt, &why) == 0) {
        out->state = out->receipt.is_by_hand && sending->shown.action != GL_VENUE_WITHDRAWING
                         ? GL_REQUEST_APPROVED
                         : states[sending->shown.action];
        return note_done(sending, &out->receipt, err);
    }
    /* Without its outcome the try counts as unknown: nothing is lost but time. */
    note_failure(sending, &why, &ignored);
    *err = why;
    return -1;
}

/* Is it the one that was shown, and not sent yet? */
static int check_approval(const struct gl_request_approval *approval,
                          const struct gl_request_record *record, struct gl_error *err)
{
    const char *digest = text_of(record->preview, "digest");
    size_t length = strlen(approval->digest);

    if (digest == NULL)
        return gl_fail(err, GL_E_USAGE, "%s was not previewed yet: greenlaunch request preview %s",
                       record->id, record->id);
    if (gl_text_is_blank(approval->by))
        return gl_fail(err, GL_E_USAGE, "say who approves it: --approved-by NAME");
    if (length < GL_REQUEST_DIGEST_MIN || strncmp(digest, approval->digest, length) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED,
                       "%s: that is not the digest of its last preview; nothing was sent",
                       record->id);
    if (record->attempt == GL_ATTEMPT_DONE || record->attempt == GL_ATTEMPT_BY_HAND)
        if (strcmp(record->attempt_digest, digest) == 0)
            return gl_fail(err, GL_E_USAGE,
                           "%s: that was sent already, see: greenlaunch request "
                           "status %s",
                           record->id, record->id);
    return record->attempt == GL_ATTEMPT_UNKNOWN
               ? 0
               : check_free(record, action_of(record->preview), err);
}

/* What was made by a clock that was ahead would not be found from its draft on. */
static int check_clock(const struct sending *sending, struct gl_error *err)
{
    if (gl_now(sending->desk->world).unix_s >= sending->shown.drafted.unix_s)
        return 0;
    return gl_fail(err, GL_E_USAGE,
                   "%s: this machine's clock was set back since the preview; preview it again, or "
                   "set the clock right",
                   sending->record->id);
}

/* Said before the intent is written: a try that cannot be is none. */
static int check_network(const struct sending *sending, struct gl_error *err)
{
    const struct gl_venue_ops *ops = gl_venue_ops_of(sending->venue.venue);

    if (sending->desk->world->http != NULL || (gl_venue_ops_caps(ops) & GL_VENUE_OFFLINE) != 0)
        return 0;
    return gl_fail(err, GL_E_NETWORK, "%s goes to %s, and this call is offline: nothing was sent",
                   sending->record->id, sending->shown.place);
}

static int approve(struct sending *sending, const struct gl_requests *requests,
                   struct gl_request_sent *out, struct gl_error *err)
{
    const struct gl_request_desk *desk = sending->desk;
    const char *retried;

    sending->is_retry = sending->record->attempt == GL_ATTEMPT_UNKNOWN;
    retried = sending->is_retry ? sending->shown.digest : NULL;
    if (sending->is_retry && strcmp(sending->record->attempt_digest, sending->shown.digest) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED,
                       "%s: an earlier try of another preview may have arrived",
                       sending->record->id);
    if (check_clock(sending, err) != 0 || check_network(sending, err) != 0)
        return -1;
    gl_requests_pace(requests, sending->shown.place, retried, gl_now(desk->world),
                     gl_venue_is_stopped(desk->folder), &out->pace);
    out->may = out->pace.may;
    out->state = sending->record->state;
    if (out->may != GL_VENUE_MAY)
        return 0;
    if (gl_request_append(
            desk,
            intent_json(sending->record, &sending->shown, sending->approval, sending->is_retry),
            err) != 0)
        return -1;
    return send_and_note(sending, out, err);
}

static int send_locked(const struct gl_request_desk *desk,
                       const struct gl_request_approval *approval, struct gl_request_sent *out,
                       struct gl_error *err)
{
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    struct sending sending = {.desk = desk, .approval = approval};
    int result;

    if (gl_requests_read(desk->ledger, &requests, err) != 0)
        return -1;
    sending.record = gl_requests_named(&requests, approval->id, err);
    if (sending.record == NULL || check_approval(approval, sending.record, err) != 0 ||
        preview_of(desk, sending.record, &sending.venue, &sending.shown, err) != 0)
        return -1;
    snprintf(out->id, sizeof out->id, "%s", sending.record->id);
    result = approve(&sending, &requests, out, err);
    gl_venue_preview_done(&sending.shown);
    gl_request_venue_done(&sending.venue);
    return result;
}

int gl_request_send(const struct gl_request_desk *desk, const struct gl_request_approval *approval,
                    struct gl_request_sent *out, struct gl_error *err)
{
    struct gl_request_sent sent = {0};
    int fd = lock(desk, err), result;

    if (fd < 0)
        return -1;
    result = send_locked(desk, approval, &sent, err);
    close(fd);
    if (result == 0)
        *out = sent;
    return result;
}
