/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/http.h"
#include "broker/finish.h"
#include "broker/proof.h"
#include "broker/tenant.h"
#include "providers/cloud/userdata.h"

#define GOOGLE_KEYS   "https://www.googleapis.com/oauth2/v3/certs"
#define FETCH_MS      10000
#define FETCH_CEILING ((size_t)256 << 10)
#define AWAITED_MS    ((int64_t)15 * 60000)
#define FETCHES       2 /* certificates that Azure leaves out */

/* What a verification borrows from. */
struct checking {
    struct gl_launcher *launcher;
    const struct gl_launch_row *row;
    struct gl_identity_ask ask;
    char account[GL_TENANT], challenge[GL_IDENTITY_CHALLENGE], audience[GL_IDENTITY_AUDIENCE];
    const char *accounts[2];
    struct gl_str document, keys;
    char *anchors;
};

static void checking_done(struct checking *checking)
{
    gl_str_done(&checking->document);
    gl_str_done(&checking->keys);
    free(checking->anchors);
}

static struct gl_view view_of(const struct gl_str *text)
{
    return (struct gl_view){gl_str_text(text), text->length};
}

/* ---- what is known ---- */

static void take_text(const json_t *body, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(body, key));

    if (text != NULL)
        snprintf(out, size, "%s", text);
}

/* A later proof is of a later place, but does not heal a contradiction. */
static int note_event(void *cookie, const json_t *event)
{
    struct gl_place_known *known = cookie;
    const char *kind = json_string_value(json_object_get(event, "kind"));
    const json_t *body = json_object_get(event, "body");

    if (kind != NULL && strcmp(kind, "identity") == 0 && known->contradicts[0] == '\0') {
        take_text(body, "grade", known->grade, sizeof known->grade);
        take_text(body, "contradicts", known->contradicts, sizeof known->contradicts);
    }
    if (kind != NULL && strcmp(kind, "identity-refused") == 0)
        take_text(body, "why", known->refused, sizeof known->refused);
    return 0;
}

int gl_place_find(struct gl_ledger *ledger, const char *launch, struct gl_place_known *out,
                  struct gl_error *err)
{
    struct gl_place_known known = {.grade = ""};

    if (gl_ledger_events(ledger, launch, &known, note_event, err) != 0)
        return -1;
    *out = known;
    return 0;
}

static bool is_known(struct gl_launcher *launcher, const char *launch)
{
    struct gl_place_known known;
    struct gl_error ignored = {0};

    return gl_place_find(launcher->ledger, launch, &known, &ignored) != 0 ||
           known.grade[0] != '\0' || known.refused[0] != '\0';
}

bool gl_place_is_awaited(struct gl_launcher *launcher, const struct gl_launch_row *row)
{
    const struct gl_world *world = launcher->world;
    enum gl_identity_kind kind;

    return gl_identity_kind_of(row->cloud, &kind) &&
           world->now_ms(world->cookie) < row->started_ms + AWAITED_MS &&
           !is_known(launcher, row->launch);
}

/* ---- verifying ---- */

/* What the guest was told to have signed: of its one-time token, which is on this machine only. */
static int read_challenge(struct checking *checking, struct gl_error *err)
{
    const char *launch = checking->row->launch;
    GL_AUTO(gl_auto_free)
    char *path = gl_enrol_token_path(checking->launcher->state_folder, launch);
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;

    if (gl_file_read(path, 256, &text, &length, err) != 0)
        return -1;
    gl_userdata_challenge(text, checking->challenge);
    gl_wipe(text, length);
    return gl_identity_audience(launch, checking->challenge, checking->audience, err);
}

/* It came as base64 of its bytes. */
static int read_document(struct checking *checking, const struct gl_guest_said *said,
                         struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *bytes = gl_alloc(said->identity.length + 4);
    size_t length;

    if (gl_base64_parse(gl_str_text(&said->identity), bytes, said->identity.length + 3, &length,
                        err) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the document is no base64");
    gl_str_add_bytes(&checking->document, bytes, length);
    return 0;
}

static int fetch(const struct gl_launcher *launcher, const char *url, struct gl_str *out,
                 struct gl_error *err)
{
    const struct gl_http_request request = {
        .method = "GET", .url = url, .timeout_ms = FETCH_MS, .body_ceiling = FETCH_CEILING};
    struct gl_http_reply reply = {.retry_after_s = -1};
    int result = -1;

    if (launcher->world->http == NULL)
        return gl_fail(err, GL_E_NETWORK, "not asked: this command is offline");
    if (gl_http_send(launcher->world->http, &request, &reply, err) == 0) {
        if (reply.status == 200) {
            gl_str_add_bytes(out, reply.body, reply.body_length);
            result = 0;
        } else {
            gl_fail(err, GL_E_NETWORK, "%s: status %d", url, reply.status);
        }
    }
    gl_http_reply_done(&reply);
    return result;
}

static int fetch_azure(struct checking *checking, struct gl_error *err)
{
    char url[GL_CRYPTO_URL];

    if (gl_identity_azure_anchor(NULL, &checking->anchors, err) != 0)
        return -1;
    checking->ask.anchors = (struct gl_view){checking->anchors, strlen(checking->anchors)};
    for (unsigned i = 0; i < FETCHES; i++) {
        struct gl_error why = {0};

        checking->ask.intermediates = view_of(&checking->keys);
        if (gl_identity_azure_wants(checking->ask.document, checking->ask.intermediates, url,
                                    &why) != 0)
            break; /* nothing is missing, or verifying will say what is wrong */
        if (fetch(checking->launcher, url, &checking->keys, err) != 0)
            return -1;
    }
    checking->ask.intermediates = view_of(&checking->keys);
    return 0;
}

static int fetch_public(struct checking *checking, struct gl_error *err)
{
    if (checking->ask.kind == GL_IDENTITY_AZURE)
        return fetch_azure(checking, err);
    if (checking->ask.kind != GL_IDENTITY_GCP)
        return 0;
    if (fetch(checking->launcher, GOOGLE_KEYS, &checking->keys, err) != 0)
        return -1;
    checking->ask.keys = view_of(&checking->keys);
    return 0;
}

static int prepare(struct checking *checking, struct gl_cloud *cloud,
                   const struct gl_guest_said *said, struct gl_error *err)
{
    struct gl_identity_ask *ask = &checking->ask;

    if (!gl_identity_kind_of(checking->row->cloud, &ask->kind) ||
        strcmp(said->identity_kind, checking->row->cloud) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the document is one of %s, the launch one of %s",
                       said->identity_kind, checking->row->cloud);
    if (gl_tenant_now(cloud, checking->account, err) != 0)
        return -1;
    if (checking->account[0] == '\0')
        return gl_fail(err, GL_E_PERMISSION, "whose account this is may not be told");
    if (read_challenge(checking, err) != 0 || read_document(checking, said, err) != 0)
        return -1;
    checking->accounts[0] = checking->account;
    ask->document = view_of(&checking->document);
    ask->accounts = checking->accounts;
    ask->now = gl_now(checking->launcher->world);
    ask->region = checking->row->region;
    ask->audience = checking->audience;
    ask->nonce = checking->challenge;
    return fetch_public(checking, err);
}

int gl_place_bind(const struct gl_launch_row *row, struct gl_cloud *cloud,
                  struct gl_identity *identity, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str answer = {.ceiling = 1024};
    GL_AUTO(gl_auto_json) json_t *said = NULL;
    const char *name, *region, *slash = strrchr(row->instance, '/');

    if (cloud->ops->identity == NULL)
        return 0;
    if (cloud->ops->identity(cloud, row->instance, "", &answer, err) != 0)
        return -1;
    said = gl_json_parse(gl_str_text(&answer), answer.length, "identity", err);
    if (said == NULL || gl_json_string(said, "instance", &name, err) != 0 ||
        gl_json_string(said, "region", &region, err) != 0)
        return -1;
    if (strcasecmp(name, identity->instance) == 0)
        snprintf(identity->instance, sizeof identity->instance, "%s",
                 slash != NULL ? slash + 1 : row->instance);
    if (strcmp(region, row->region) != 0)
        snprintf(identity->region, sizeof identity->region, "%s", region);
    return 0;
}

static void record_refused(struct gl_launcher *launcher, const char *launch,
                           const struct gl_error *why)
{
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:s}", "why", why->text);
    struct gl_error ignored = {0};

    if (body != NULL)
        gl_ledger_append(launcher->ledger, "identity-refused", launch, body, NULL, &ignored);
}

void gl_place_prove(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    struct gl_cloud *cloud, const struct gl_guest_said *said)
{
    GL_AUTO(checking_done) struct checking checking = {.launcher = launcher, .row = row};
    struct gl_identity identity;
    struct gl_error err = {0};

    if (said->identity.length == 0 || is_known(launcher, row->launch))
        return;
    if (prepare(&checking, cloud, said, &err) == 0 &&
        gl_identity_verify(&checking.ask, &identity, &err) == 0 &&
        gl_place_bind(row, cloud, &identity, &err) == 0)
        gl_proof_record(launcher->ledger, row, &identity, checking.ask.now, &err);
    else if (err.code == GL_E_NOT_VERIFIED || err.code == GL_E_TOO_LARGE)
        record_refused(launcher, row->launch, &err);
}
