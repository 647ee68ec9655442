/* SPDX-License-Identifier: Apache-2.0 */
/* Sending what was approved, once, and only when it is not there already. */
#include "providers/venue/adapter.h"

#include "base/http_date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_AHEAD_S 43200 /* that this machine's clock may be ahead */

static int check_approval(const struct gl_venue *venue, const struct gl_venue_preview *preview,
                          const struct gl_venue_approval *approval, struct gl_error *err)
{
    char digest[GL_HASH_HEX];

    gl_venue_digest(preview, digest);
    if (approval->digest == NULL || strcmp(digest, approval->digest) != 0 ||
        strcmp(digest, preview->digest) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "this is not the preview that was approved");
    if (strcmp(preview->venue, venue->ops->name) != 0 || strcmp(preview->place, venue->place) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the preview is of another venue");
    if (gl_venue_is_stopped(venue->options->folder))
        return gl_fail(err, GL_E_PERMISSION, "nothing is sent while the file \"%s\" is there",
                       GL_VENUE_KILL_SWITCH);
    return 0;
}

/* ---- is it there already? ---- */

struct gl_instant gl_venue_since(const struct gl_venue_preview *preview)
{
    return (struct gl_instant){preview->drafted.unix_s - 2 * CLOCK_AHEAD_S};
}

int gl_venue_find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                  struct gl_venue_receipt *out, struct gl_error *err)
{
    struct gl_venue_receipt found = {.was_there = true};
    int rc;

    if (venue->ops->find == NULL)
        return gl_fail(err, GL_E_USAGE, "%s cannot look for what was sent", venue->ops->name);
    rc = venue->ops->find(venue, preview, &found, err);
    if (rc == 1)
        *out = found;
    return rc;
}

/* A retry without a proof of absence: only where the venue itself takes the same thing once. */
static int check_blind(const struct gl_venue *venue, const struct gl_venue_approval *approval,
                       struct gl_error *err)
{
    const struct gl_venue_ops *ops = venue->ops;
    int64_t gone_s = gl_now(venue->options->world).unix_s - approval->tried.unix_s;

    if (!approval->is_retry)
        return 0;
    /* A clock that went back says nothing about how long ago it was. */
    if ((ops->caps & GL_VENUE_IDEMPOTENT) != 0 &&
        (ops->idempotent_s == 0 || (gone_s >= 0 && gone_s < ops->idempotent_s)))
        return 0;
    return gl_fail(err, GL_E_OUTCOME,
                   "an earlier try may have arrived, and %s cannot tell: look there, nothing is "
                   "sent again",
                   ops->name);
}

static int check_settled(const struct gl_venue *venue, const struct gl_venue_approval *approval,
                         struct gl_error *err)
{
    int64_t gone_s = gl_now(venue->options->world).unix_s - approval->tried.unix_s;

    if (!approval->is_retry || gone_s >= venue->ops->settle_s)
        return 0;
    return gl_fail(err, GL_E_OUTCOME,
                   "an earlier try may have arrived, and what %s has shows in its lists only after "
                   "%lld s: run the command again then",
                   venue->ops->name, (long long)venue->ops->settle_s);
}

/* The venue's own clock, by the date of its answers: what was drafted by one that was more than a
 * day ahead would be looked for only from then on. */
static int find_by_its_clock(struct gl_venue *venue, const struct gl_venue_preview *preview,
                             struct gl_venue_receipt *out, struct gl_error *err)
{
    const struct gl_venue_options *kept = venue->options;
    struct gl_world world = *kept->world;
    struct gl_venue_options options = *kept;
    int64_t ahead_s = 0;
    int rc;

    if (world.http == NULL)
        return gl_venue_find(venue, preview, out, err);
    world.http = gl_http_dated_new(kept->world->http, kept->world);
    options.world = &world;
    venue->options = &options;
    rc = gl_venue_find(venue, preview, out, err);
    venue->options = kept;
    if (gl_http_dated_ahead(world.http, &ahead_s) && ahead_s > CLOCK_AHEAD_S && rc == 0)
        rc = gl_fail(err, GL_E_OUTCOME,
                     "this machine's clock is %lld h ahead of theirs: set it right and preview it "
                     "again",
                     (long long)(ahead_s / 3600));
    gl_http_close(world.http);
    return rc;
}

/* 1 it is there, 0 it may be sent, -1 it may not. */
static int look_first(struct gl_venue *venue, const struct gl_venue_preview *preview,
                      const struct gl_venue_approval *approval, struct gl_venue_receipt *out,
                      struct gl_error *err)
{
    struct gl_error why = {0};
    int rc = find_by_its_clock(venue, preview, out, &why);

    if (rc == 1)
        return 1;
    if (rc == 0)
        return check_settled(venue, approval, err);
    if (why.code == GL_E_USAGE)
        return check_blind(venue, approval, err);
    return gl_fail(err, why.code,
                   "nothing was sent, because it is not known whether it is there "
                   "already: %s",
                   why.text);
}

/* ---- the steps ---- */

static void call_of(const struct gl_venue_step *step, struct gl_remote_call *call)
{
    *call = (struct gl_remote_call){.method = step->method, .is_create = step->is_create};
    gl_str_add(&call->url, step->where);
    gl_str_add(&call->headers, step->headers != NULL ? step->headers : "");
    if (step->body != NULL)
        gl_str_add_bytes(&call->body, step->body, step->body_length);
}

static int send_step(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t index,
                     struct gl_venue_receipt *receipt, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    struct gl_error why = {0};

    if (venue->ops->act != NULL)
        return venue->ops->act(venue, preview, index, receipt, err);
    call_of(&preview->steps[index], &call);
    if (gl_venue_exchange(venue, &call, err) < 0)
        return -1;
    if (venue->ops->read == NULL ||
        venue->ops->read(venue, preview, index, &call, receipt, &why) == 0)
        return 0;
    if (call.is_create && why.code == GL_E_BAD_REPLY)
        why.code = GL_E_OUTCOME;
    return gl_fail(err, why.code, "%s", why.text);
}

int gl_venue_send(struct gl_venue *venue, const struct gl_venue_preview *preview,
                  const struct gl_venue_approval *approval, struct gl_venue_receipt *out,
                  struct gl_error *err)
{
    struct gl_venue_receipt receipt = {0};
    int there;

    venue->has_begun = false;
    if (check_approval(venue, preview, approval, err) < 0)
        return -1;
    there = look_first(venue, preview, approval, &receipt, err);
    if (there < 0)
        return -1;
    if (there == 0) {
        venue->has_begun = true;
        receipt = (struct gl_venue_receipt){0};
        receipt.is_by_hand = (venue->ops->caps & GL_VENUE_BY_HAND) != 0;
        if (preview->target[0] != '\0')
            snprintf(receipt.id, sizeof receipt.id, "%s", preview->target);
        for (size_t i = 0; i < preview->step_count; i++)
            if (send_step(venue, preview, i, &receipt, err) < 0)
                return -1;
    }
    *out = receipt;
    return 0;
}

bool gl_venue_has_begun(const struct gl_venue *venue)
{
    return venue->has_begun;
}

/* ---- looking ---- */

int gl_venue_search(struct gl_venue *venue, const char *words,
                    struct gl_venue_candidate out[GL_VENUE_CANDIDATES], size_t *out_count,
                    struct gl_error *err)
{
    struct gl_venue_candidate found[GL_VENUE_CANDIDATES] = {0};
    GL_AUTO(gl_str_done) struct gl_str plain = {0};
    size_t count = 0;

    if (venue->ops->search == NULL)
        return gl_fail(err, GL_E_USAGE, "%s cannot be searched", venue->ops->name);
    gl_venue_words(words, &plain);
    if (plain.length == 0)
        return gl_fail(err, GL_E_BAD_VALUE, "a search needs a word");
    if (venue->ops->search(venue, plain.text, found, &count, err) < 0)
        return -1;
    memcpy(out, found, sizeof found);
    *out_count = count;
    return 0;
}

int gl_venue_status(struct gl_venue *venue, const char *id, const char *etag,
                    struct gl_venue_status *out, struct gl_error *err)
{
    struct gl_venue_status status = {.comments = -1, .votes = -1};
    struct gl_error why = {0};

    if (venue->ops->status == NULL)
        return gl_fail(err, GL_E_USAGE, "%s cannot be asked", venue->ops->name);
    if (!gl_venue_is_word(id, "-_.:/", GL_VENUE_ID - 1))
        return gl_fail(err, GL_E_BAD_VALUE, "that is no id of %s", venue->ops->name);
    if (gl_venue_check_id(venue->ops, id, err) < 0)
        return -1;
    /* One that we would not write into a header is none. */
    if (etag != NULL && (etag[0] == '\0' || !gl_venue_is_word(etag, "", 127)))
        etag = NULL;
    if (venue->ops->status(venue, id, etag, &status, &why) < 0) {
        if (venue->answer != GL_ANSWER_GONE && venue->answer != GL_ANSWER_ABSENT)
            return gl_fail(err, why.code, "%s", why.text);
        status = (struct gl_venue_status){.state = GL_REQUEST_GONE, .comments = -1, .votes = -1};
        snprintf(status.reason, sizeof status.reason, "%s", gl_venue_answer_word(venue->answer));
    }
    *out = status;
    return 0;
}
