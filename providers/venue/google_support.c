/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include "providers/cloud/gcp_credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Google Cloud Support: https://cloud.google.com/support/docs/reference/rest/v2/cases
 * Needs Enhanced or Premium support and roles/cloudsupport.techSupportEditor. `test_case` keeps a
 * case from a person: for trying it out. */

static const struct gl_setting_key keys[] = {
    {.name = "parent", .what = "projects/ID or organizations/NUMBER", .is_required = true},
    {.name = "classification", .what = "id of caseClassifications.search", .is_required = true},
    {.name = "priority", .what = "priority", .fallback = "P4", .choices = "P3|P4"},
    {.name = "test_case", .what = "no person looks at it", .fallback = "no", .choices = "yes|no"},
    {.name = "time_zone", .what = "as in Europe/Berlin", .fallback = "Etc/UTC"},
    {.name = "credentials", .what = "file of application default credentials"},
    {.name = "endpoint",
     .what = "address of the API",
     .fallback = "https://cloudsupport.googleapis.com"},
    {0}};

static const struct gl_venue_rule rules[] = {{403, "RATE_LIMIT_EXCEEDED", GL_ANSWER_RATE_LIMITED},
                                             {400, "RESOURCE_EXHAUSTED", GL_ANSWER_RATE_LIMITED},
                                             {0, NULL, GL_ANSWER_NONE}};

static bool is_case(const char *name)
{
    return (strncmp(name, "projects/", 9) == 0 || strncmp(name, "organizations/", 14) == 0) &&
           strstr(name, "/cases/") != NULL && strstr(name, "..") == NULL &&
           strstr(name, "//") == NULL && gl_venue_is_word(name, "-_.:/", 300);
}

static const struct gl_venue_layout layout = {.noun = "case",
                                              .id = "name",
                                              .is_id = is_case,
                                              .id_rule = "a case is named projects/ID/cases/ID",
                                              .title = "displayName",
                                              .reason = "state",
                                              .updated = "updateTime",
                                              .state = "state",
                                              .closed = "CLOSED",
                                              .answered = "ACTION_REQUIRED|SOLUTION_PROVIDED"};

static void close_google(struct gl_venue *venue)
{
    if (venue->state != NULL)
        gl_gcp_credential_done(venue->state);
    free(venue->state);
}

static int open_google(struct gl_venue *venue, struct gl_error *err)
{
    const char *parent = gl_venue_setting(venue, "parent");

    if ((strncmp(parent, "projects/", 9) != 0 && strncmp(parent, "organizations/", 14) != 0) ||
        !gl_venue_is_word(parent, "-_.:/", 200) || strstr(parent, "..") != NULL)
        return gl_fail(err, GL_E_CONFIG,
                       "google-support: \"parent\" is projects/ID or organizations/NUMBER");
    if (gl_venue_take_endpoint(venue, err) < 0)
        return -1;
    if (!gl_gcp_is_trusted(venue->endpoint))
        return gl_fail(err, GL_E_CONFIG, "google-support: \"endpoint\" is no host of Google's");
    venue->state = gl_alloc(sizeof(struct gl_gcp_credential));
    return 0;
}

/* ---- composing ---- */

static struct gl_venue_step *add(const struct gl_venue *venue, struct gl_venue_preview *out,
                                 const char *path)
{
    struct gl_venue_step *step = gl_venue_step_add(out, "POST", "%s/v2/%s", venue->endpoint, path);

    snprintf(step->added, sizeof step->added, "Authorization of the Google account");
    return step;
}

static json_t *case_of(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                       struct gl_venue_preview *out)
{
    const char *language = draft->request->language;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_venue_text(draft, true, GL_VENUE_BODY_MAX, out->note, &text);
    return json_pack(
        "{s:s, s:s, s:{s:s}, s:s, s:s, s:s, s:b}", "displayName", draft->title, "description",
        gl_str_text(&text), "classification", "id", gl_venue_setting(venue, "classification"),
        "priority", gl_venue_setting(venue, "priority"), "timeZone",
        gl_venue_setting(venue, "time_zone"), "languageCode", language != NULL ? language : "en",
        "testCase", strcmp(gl_venue_setting(venue, "test_case"), "yes") == 0);
}

static int compose(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    const char *parent = gl_venue_setting(venue, "parent");
    struct gl_venue_step *step;
    char path[400];

    (void)err;
    snprintf(out->sender, sizeof out->sender, "the Google account, for %.150s", parent);
    if (draft->action == GL_VENUE_FILING) {
        snprintf(path, sizeof path, "%.200s/cases", parent);
        step = add(venue, out, path);
        step->is_create = true;
        gl_venue_step_json(step, "application/json", case_of(venue, draft, out));
    } else {
        snprintf(path, sizeof path, "%.300s:close", draft->target);
        gl_venue_step_json(add(venue, out, path), "application/json", json_object());
    }
    return 0;
}

/* ---- sending ---- */

static int ask(void *credential, const struct gl_world *world, struct gl_remote_call *out,
               struct gl_error *err)
{
    return gl_gcp_token_ask(credential, world, false, out, err);
}

static int take(void *credential, const struct gl_world *world, const struct gl_remote_call *call,
                struct gl_error *err)
{
    return gl_gcp_token_read(credential, world, call, err);
}

static int authorize(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    static const struct gl_venue_tokens tokens = {ask, take};
    struct gl_gcp_credential *credential = venue->state;

    if (credential->from[0] == '\0' &&
        gl_gcp_credential_find(venue->options->world, gl_venue_setting(venue, "credentials"),
                               credential, err) < 0)
        return -1;
    if (gl_venue_fetch_token(venue, &tokens, credential, err) < 0)
        return -1;
    gl_remote_bearer(call, &credential->token);
    return 0;
}

static int read_step(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
                     const struct gl_remote_call *call, struct gl_venue_receipt *receipt,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = gl_venue_reply_json(venue, call, err);

    (void)step;
    if (root == NULL)
        return -1;
    return preview->action == GL_VENUE_FILING ? gl_venue_read_receipt(venue, root, receipt, err)
                                              : 0;
}

/* ---- looking ---- */

static json_t *get(struct gl_venue *venue, const char *path, const char *token,
                   struct gl_remote_call *call, struct gl_error *err)
{
    *call = (struct gl_remote_call){0};
    gl_str_addf(&call->url, "%s/v2/%s", venue->endpoint, path);
    if (token != NULL) {
        gl_remote_query(call, "pageSize", "100");
        if (token[0] != '\0')
            gl_remote_query(call, "pageToken", token);
    }
    return gl_venue_get_json(venue, call, err);
}

static int look_in(const struct gl_venue *venue, const json_t *root, const char *tag,
                   struct gl_venue_receipt *out, struct gl_error *err)
{
    const json_t *cases = json_object_get(root, "cases");

    if (!json_is_object(root) || (cases != NULL && !json_is_array(cases)))
        return gl_fail(err, GL_E_BAD_REPLY, "google-support: the answer holds no list of cases");
    return gl_venue_look_in(venue, cases, tag, out, err);
}

static int find_filed(struct gl_venue *venue, const struct gl_venue_preview *preview,
                      struct gl_venue_receipt *out, struct gl_error *err)
{
    char path[400], next[2048] = "";

    snprintf(path, sizeof path, "%.200s/cases", gl_venue_setting(venue, "parent"));
    for (unsigned page = 0; page < GL_VENUE_PAGES; page++) {
        GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
        GL_AUTO(gl_auto_json) json_t *root = get(venue, path, next, &call, err);
        int rc = root != NULL ? look_in(venue, root, preview->tag, out, err) : -1;

        if (rc != 0)
            return rc;
        snprintf(next, sizeof next, "%s", gl_venue_member(root, "nextPageToken"));
        if (next[0] == '\0')
            return 0;
    }
    return gl_fail(err, GL_E_OUTCOME, "google-support: too many cases to look through");
}

static int find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    if (preview->action == GL_VENUE_FILING)
        return find_filed(venue, preview, out, err);
    root = get(venue, preview->target, NULL, &call, err);
    if (root == NULL || gl_venue_read_receipt(venue, root, out, err) < 0)
        return -1;
    return gl_venue_is_closed(venue, root);
}

static int status(struct gl_venue *venue, const char *id, const char *etag,
                  struct gl_venue_status *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    (void)etag; /* the API has none */
    root = get(venue, id, NULL, &call, err);
    if (root == NULL)
        return -1;
    if (gl_venue_member(root, "state")[0] == '\0')
        return gl_fail(err, GL_E_BAD_REPLY, "google-support: the case has no state");
    gl_venue_read_status(venue, root, out);
    return 0;
}

const struct gl_venue_ops gl_venue_google_support = {
    .name = "google-support",
    .title = "Google Cloud Support",
    .docs = "https://cloud.google.com/support/docs/reference/rest/v2/cases/create",
    .caps = GL_VENUE_FIND | GL_VENUE_STATUS | GL_VENUE_WITHDRAW | GL_VENUE_PAID,
    .keys = keys,
    .place_key = "parent",
    .settle_s = 60,
    .rules = rules,
    .layout = &layout,
    .open = open_google,
    .close = close_google,
    .compose = compose,
    .authorize = authorize,
    .read = read_step,
    .find = find,
    .status = status,
};
