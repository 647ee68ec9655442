/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as their events tell them. Pure. */
#include "broker/request_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

const char *const gl_request_state_words[] = {"observed", "drafted",   "previewed", "approved",
                                              "filed",    "joined",    "answered",  "granted",
                                              "closed",   "withdrawn", NULL};

/* ---- members of a body ---- */

static const char *text_of(const json_t *body, const char *key)
{
    const char *text = json_string_value(json_object_get(body, key));

    return text != NULL ? text : "";
}

#define COPY(target, body, key) snprintf(target, sizeof(target), "%s", text_of(body, key))

static int64_t number_of(const json_t *body, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(body, key);

    return json_is_integer(value) ? (int64_t)json_integer_value(value) : otherwise;
}

/* The index of a word, `count` when it is none. */
static size_t word_of(const char *text, const char *(*word)(size_t index), size_t count)
{
    size_t i = 0;

    while (i < count && strcmp(word(i), text) != 0)
        i++;
    return i;
}

static const char *action_word(size_t index)
{
    return gl_venue_action_word((enum gl_venue_action)index);
}

static const char *answer_word(size_t index)
{
    return gl_venue_answer_word((enum gl_venue_answer)index);
}

static const char *venue_state_word(size_t index)
{
    return gl_venue_state_word((enum gl_venue_state)index);
}

#define ACTIONS      3
#define VENUE_STATES 4

/* ---- finding ---- */

const struct gl_request_record *gl_requests_of(const struct gl_requests *requests,
                                               const char *fingerprint)
{
    for (size_t i = 0; i < requests->count; i++)
        if (strcmp(requests->records[i].fingerprint, fingerprint) == 0)
            return &requests->records[i];
    return NULL;
}

const struct gl_request_record *gl_requests_named(const struct gl_requests *requests,
                                                  const char *id, struct gl_error *err)
{
    GL_AUTO(gl_auto_free)
    const char **fingerprints = gl_alloc((requests->count + 1) * sizeof *fingerprints);
    size_t found;

    for (size_t i = 0; i < requests->count; i++)
        fingerprints[i] = requests->records[i].fingerprint;
    if (gl_request_pick(fingerprints, requests->count, id, "request", &found, err) != 0)
        return NULL;
    return &requests->records[found];
}

bool gl_request_is_open(const struct gl_request_record *record)
{
    return record->state >= GL_REQUEST_APPROVED && record->state <= GL_REQUEST_GRANTED;
}

static struct gl_request_record *record_for(struct gl_requests *requests, const char *fingerprint,
                                            struct gl_error *err)
{
    char id[GL_VENUE_TAG];

    for (size_t i = 0; i < requests->count; i++)
        if (strcmp(requests->records[i].fingerprint, fingerprint) == 0)
            return &requests->records[i];
    if (gl_venue_tag(fingerprint, id, err) != 0) {
        gl_fail(err, GL_E_BAD_REPLY, "a request in the ledger has no fingerprint");
        return NULL;
    }
    requests->records =
        gl_realloc(requests->records, (requests->count + 1) * sizeof requests->records[0]);
    requests->records[requests->count] = (struct gl_request_record){.comments = -1, .votes = -1};
    snprintf(requests->records[requests->count].fingerprint, GL_HASH_HEX, "%s", fingerprint);
    memcpy(requests->records[requests->count].id, id, sizeof id);
    return &requests->records[requests->count++];
}

static struct gl_request_place *place_for(struct gl_requests *requests, const char *place)
{
    for (size_t i = 0; i < requests->place_count; i++)
        if (strcmp(requests->places[i].place, place) == 0)
            return &requests->places[i];
    requests->places =
        gl_realloc(requests->places, (requests->place_count + 1) * sizeof requests->places[0]);
    requests->places[requests->place_count] = (struct gl_request_place){.told_wait_s = -1};
    snprintf(requests->places[requests->place_count].place, GL_VENUE_PLACE, "%s", place);
    return &requests->places[requests->place_count++];
}

/* The try of that digest that nobody knows the outcome of yet. */
static struct gl_request_past *past_of(struct gl_requests *requests, const char *fingerprint,
                                       const char *digest)
{
    for (size_t i = requests->past_count; i > 0; i--) {
        struct gl_request_past *past = &requests->past[i - 1];

        if (!past->is_settled && strcmp(past->fingerprint, fingerprint) == 0 &&
            strcmp(past->digest, digest) == 0)
            return past;
    }
    return NULL;
}

/* ---- one event ---- */

/* What every step is given. */
struct turn {
    struct gl_requests *requests;
    struct gl_request_record *record; /* NULL of a place alone */
    const json_t *body;
    int64_t at_ms;
};

static enum gl_venue_action action_of(const json_t *body)
{
    size_t action = word_of(text_of(body, "action"), action_word, ACTIONS);

    return action < ACTIONS ? (enum gl_venue_action)action : GL_VENUE_FILING;
}

static void fold_drafted(struct turn *turn)
{
    struct gl_request_record *record = turn->record;

    COPY(record->provider, turn->body, "provider");
    COPY(record->region, turn->body, "region");
    COPY(record->capability, turn->body, "capability");
    COPY(record->rule, turn->body, "rule");
    if (!gl_request_is_open(record) && record->state != GL_REQUEST_PREVIEWED)
        record->state = GL_REQUEST_DRAFTED;
}

static void keep(json_t **slot, const json_t *body)
{
    json_decref(*slot);
    *slot = json_incref((json_t *)(uintptr_t)body);
}

static void fold_previewed(struct turn *turn)
{
    struct gl_request_record *record = turn->record;

    keep(&record->preview, turn->body);
    if (record->drafted_s == 0)
        record->drafted_s = number_of(turn->body, "drafted_s", 0);
    if (!gl_request_is_open(record))
        record->state = GL_REQUEST_PREVIEWED;
}

/* From here on it may have been sent. */
static void fold_approved(struct turn *turn)
{
    struct gl_requests *requests = turn->requests;
    struct gl_request_record *record = turn->record;
    struct gl_instant at = {turn->at_ms / 1000};
    struct gl_request_past *past;

    record->attempt = GL_ATTEMPT_UNKNOWN;
    record->action = action_of(turn->body);
    COPY(record->attempt_digest, turn->body, "digest");
    past = past_of(requests, record->fingerprint, record->attempt_digest);
    if (past == NULL) {
        requests->past =
            gl_realloc(requests->past, (requests->past_count + 1) * sizeof requests->past[0]);
        past = &requests->past[requests->past_count++];
        *past = (struct gl_request_past){.at = at};
        memcpy(past->fingerprint, record->fingerprint, GL_HASH_HEX);
        memcpy(past->digest, record->attempt_digest, GL_HASH_HEX);
        COPY(past->place, turn->body, "place");
    } else {
        past->before = past->at;
        past->has_before = true;
        past->at = at;
    }
    record->tried = at;
    if (record->action != GL_VENUE_WITHDRAWING) {
        record->state = GL_REQUEST_APPROVED;
        COPY(record->place, turn->body, "place");
        keep(&record->venue, record->preview);
        record->comments = record->votes = -1;
    }
}

static void drop_past(struct gl_requests *requests, struct gl_request_past *past)
{
    size_t index = (size_t)(past - requests->past);

    memmove(past, past + 1, (--requests->past_count - index) * sizeof *past);
}

static void end_as_done(struct turn *turn, struct gl_request_past *past)
{
    static const enum gl_request_state states[] = {GL_REQUEST_FILED, GL_REQUEST_JOINED,
                                                   GL_REQUEST_WITHDRAWN};
    struct gl_request_record *record = turn->record;
    bool is_by_hand = json_is_true(json_object_get(turn->body, "by_hand"));

    if (past != NULL)
        past->is_settled = true;
    record->attempt = is_by_hand ? GL_ATTEMPT_BY_HAND : GL_ATTEMPT_DONE;
    if (record->action != GL_VENUE_WITHDRAWING) {
        COPY(record->venue_id, turn->body, "id");
        COPY(record->url, turn->body, "url");
        record->etag[0] = '\0';
    }
    if (!is_by_hand)
        record->state = states[record->action];
    record->changed_ms = turn->at_ms;
}

static void end_as_failed(struct turn *turn, struct gl_request_past *past)
{
    struct gl_request_record *record = turn->record;

    if (past != NULL)
        drop_past(turn->requests, past);
    record->attempt = GL_ATTEMPT_FAILED;
    if (record->action != GL_VENUE_WITHDRAWING)
        record->state = GL_REQUEST_PREVIEWED;
}

/* The try before it still may have arrived, and then. */
static void end_as_unknown(struct turn *turn, struct gl_request_past *past)
{
    if (json_is_true(json_object_get(turn->body, "went_out")) || past == NULL || !past->has_before)
        return;
    past->at = past->before;
    past->has_before = false;
    turn->record->tried = past->at;
}

/* What the venue said, for what comes next there. */
static void note_answer(struct turn *turn, bool is_fine)
{
    size_t answer = word_of(text_of(turn->body, "answer"), answer_word, GL_ANSWERS);
    struct gl_request_place *place = place_for(turn->requests, text_of(turn->body, "place"));

    /* A try that ended on our side says nothing of the venue. */
    if (answer == GL_ANSWERS || answer == GL_ANSWER_NONE || (answer == GL_ANSWER_OK && !is_fine))
        return;
    if (is_fine) {
        place->failures = 0;
        place->last = GL_ANSWER_OK;
        place->told_wait_s = -1;
        return;
    }
    place->last = (enum gl_venue_answer)answer;
    place->failures++;
    place->failed = (struct gl_instant){turn->at_ms / 1000};
    place->told_wait_s = number_of(turn->body, "wait_s", -1);
}

static void fold_outcome(struct turn *turn)
{
    struct gl_request_record *record = turn->record;
    struct gl_request_past *past =
        past_of(turn->requests, record->fingerprint, text_of(turn->body, "digest"));
    const char *result = text_of(turn->body, "result");
    bool is_done = strcmp(result, "done") == 0;

    if (is_done)
        end_as_done(turn, past);
    else if (strcmp(result, "failed") == 0)
        end_as_failed(turn, past);
    else
        end_as_unknown(turn, past);
    note_answer(turn, is_done);
}

/* An address that ends in a number names an issue. */
static void take_reference(struct gl_request_record *record, const char *reference)
{
    const char *last = strrchr(reference, '/');

    snprintf(record->url, sizeof record->url, "%s", reference);
    if (last != NULL && last[1] != '\0' && strspn(last + 1, "0123456789") == strlen(last + 1))
        snprintf(record->venue_id, sizeof record->venue_id, "%s", last + 1);
}

static void fold_settled(struct turn *turn)
{
    struct gl_request_record *record = turn->record;
    struct gl_request_past *past =
        past_of(turn->requests, record->fingerprint, record->attempt_digest);
    bool is_there = json_is_true(json_object_get(turn->body, "is_there"));
    bool is_withdrawing = record->action == GL_VENUE_WITHDRAWING;

    if (past != NULL)
        past->is_settled = true; /* and still counts: a person's word makes no room */
    record->attempt = is_there ? GL_ATTEMPT_DONE : GL_ATTEMPT_FAILED;
    record->changed_ms = turn->at_ms;
    if (is_there) {
        record->state = is_withdrawing                       ? GL_REQUEST_WITHDRAWN
                        : record->action == GL_VENUE_JOINING ? GL_REQUEST_JOINED
                                                             : GL_REQUEST_FILED;
        if (!is_withdrawing)
            take_reference(record, text_of(turn->body, "reference"));
    } else if (!is_withdrawing) {
        record->state = GL_REQUEST_PREVIEWED;
    }
}

bool gl_request_is_joined(const struct gl_request_record *record)
{
    return strcmp(text_of(record->venue, "action"), gl_venue_action_word(GL_VENUE_JOINING)) == 0;
}

enum gl_request_state gl_request_state_after(const struct gl_request_record *record,
                                             enum gl_venue_state state, int64_t comments)
{
    bool is_news =
        !gl_request_is_joined(record) || (record->comments >= 0 && comments > record->comments);

    if (state == GL_REQUEST_CLOSED || state == GL_REQUEST_GONE)
        return GL_REQUEST_ENDED;
    return state == GL_REQUEST_ANSWERED && is_news && record->state != GL_REQUEST_GRANTED
               ? GL_REQUEST_REPLIED
               : record->state;
}

static void read_status(struct gl_request_record *record, const json_t *body, int64_t at_ms)
{
    size_t state = word_of(text_of(body, "state"), venue_state_word, VENUE_STATES);
    int64_t comments = number_of(body, "comments", -1);
    enum gl_request_state after =
        gl_request_state_after(record, (enum gl_venue_state)state, comments);

    COPY(record->etag, body, "etag");
    COPY(record->reason, body, "reason");
    record->comments = comments;
    record->votes = number_of(body, "votes", -1);
    if (record->state != after)
        record->changed_ms = at_ms;
    record->state = after;
}

static void fold_polled(struct turn *turn)
{
    bool is_fine = json_object_get(turn->body, "error") == NULL;

    turn->record->polled_ms = turn->at_ms;
    note_answer(turn, is_fine);
    if (is_fine && !json_is_true(json_object_get(turn->body, "same")))
        read_status(turn->record, turn->body, turn->at_ms);
}

/* A search that met a hard stop: no failed try of any request. */
static void fold_searched(struct turn *turn)
{
    note_answer(turn, false);
}

static void fold_granted(struct turn *turn)
{
    if (!gl_request_is_open(turn->record) || turn->record->state == GL_REQUEST_GRANTED)
        return;
    turn->record->state = GL_REQUEST_GRANTED;
    turn->record->changed_ms = turn->at_ms;
}

static void fold_closed(struct turn *turn)
{
    turn->record->state = GL_REQUEST_ENDED;
    turn->record->attempt = GL_ATTEMPT_DONE;
    turn->record->changed_ms = turn->at_ms;
}

static void fold_lifted(struct turn *turn)
{
    place_for(turn->requests, text_of(turn->body, "place"))->last = GL_ANSWER_NONE;
}

int gl_requests_fold(struct gl_requests *requests, const json_t *event, struct gl_error *err)
{
    static const struct {
        const char *op;
        void (*fold)(struct turn *turn);
        bool is_of_place;
    } ops[] = {
        {"drafted", fold_drafted, false},   {"previewed", fold_previewed, false},
        {"approved", fold_approved, false}, {"outcome", fold_outcome, false},
        {"settled", fold_settled, false},   {"polled", fold_polled, false},
        {"granted", fold_granted, false},   {"lifted", fold_lifted, true},
        {"closed", fold_closed, false},     {"searched", fold_searched, true},
    };
    const json_t *body = json_object_get(event, "body");
    struct turn turn = {requests, NULL, body, number_of(event, "at_ms", 0)};

    if (strcmp(text_of(event, "kind"), "request") != 0)
        return 0;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (strcmp(ops[i].op, text_of(body, "op")) != 0)
            continue;
        if (!ops[i].is_of_place)
            turn.record = record_for(requests, text_of(body, "fingerprint"), err);
        if (!ops[i].is_of_place && turn.record == NULL)
            return -1;
        ops[i].fold(&turn);
    }
    return 0;
}

void gl_requests_done(struct gl_requests *requests)
{
    for (size_t i = 0; i < requests->count; i++) {
        json_decref(requests->records[i].preview);
        json_decref(requests->records[i].venue);
    }
    free(requests->records);
    free(requests->places);
    free(requests->past);
    *requests = (struct gl_requests){0};
}

/* ---- the ledger ---- */

struct reading {
    struct gl_requests *requests;
    struct gl_error *err;
    int result;
};

static int read_event(void *cookie, const json_t *event)
{
    struct reading *reading = cookie;

    reading->result = gl_requests_fold(reading->requests, event, reading->err);
    return reading->result;
}

int gl_requests_read(struct gl_ledger *ledger, struct gl_requests *out, struct gl_error *err)
{
    struct gl_requests requests = {0};
    struct reading reading = {&requests, err, 0};

    if (gl_ledger_events(ledger, GL_REQUEST_LAUNCH, &reading, read_event, err) != 0 ||
        reading.result != 0) {
        gl_requests_done(&requests);
        return -1;
    }
    *out = requests;
    return 0;
}

/* ---- pace ---- */

static const struct gl_request_place *place_of(const struct gl_requests *requests,
                                               const char *place)
{
    for (size_t i = 0; i < requests->place_count; i++)
        if (strcmp(requests->places[i].place, place) == 0)
            return &requests->places[i];
    return NULL;
}

void gl_requests_pace(const struct gl_requests *requests, const char *place, const char *digest,
                      struct gl_instant now, bool is_stopped, struct gl_venue_pace_answer *out)
{
    const struct gl_request_place *known = place_of(requests, place);
    struct gl_venue_past *past = gl_alloc((requests->past_count + 1) * sizeof *past);
    struct gl_venue_pace pace = {
        .now = now, .place = place, .past = past, .is_stopped = is_stopped, .told_wait_s = -1};

    for (size_t i = 0; i < requests->past_count; i++)
        if (digest == NULL || requests->past[i].is_settled ||
            strcmp(requests->past[i].digest, digest) != 0)
            past[pace.past_count++] =
                (struct gl_venue_past){requests->past[i].place, requests->past[i].at};
    if (known != NULL) {
        pace.last = known->last;
        pace.failures = known->failures;
        pace.failed = known->failed;
        pace.told_wait_s = known->told_wait_s;
    }
    gl_venue_pace_decide(&pace, out);
    free(past);
}
