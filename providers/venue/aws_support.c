/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include "base/time.h"
#include "providers/cloud/aws_credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* AWS Support, JSON 1.1: https://docs.aws.amazon.com/awssupport/latest/APIReference/
 * Needs a Business, Enterprise On-Ramp or Enterprise contract (SubscriptionRequiredException).
 * The service has one region a partition. Cases show for 12 months. */

#define TEXT_MAX 8000 /* characters of communicationBody; bytes are never fewer */
#define TARGET   "AWSSupport_20130415."

static const struct gl_setting_key keys[] = {
    {.name = "service", .what = "serviceCode of DescribeServices"},
    {.name = "category", .what = "categoryCode of that service"},
    {.name = "severity", .what = "severityCode", .fallback = "low", .choices = "low|normal"},
    {.name = "type",
     .what = "issueType",
     .fallback = "customer-service",
     .choices = "customer-service|technical"},
    {.name = "cc", .what = "one mailbox to be kept informed"},
    {.name = "profile", .what = "profile of ~/.aws"},
    {.name = "region", .what = "region of the service", .fallback = "us-east-1"},
    {.name = "endpoint", .what = "address of the service, for a private one"},
    {0}};

static const struct gl_venue_rule rules[] = {
    {0, "SubscriptionRequiredException", GL_ANSWER_FORBIDDEN},
    {0, "CaseCreationLimitExceeded", GL_ANSWER_RATE_LIMITED},
    {0, "ThrottlingException", GL_ANSWER_RATE_LIMITED},
    {400, "CaseIdNotFound", GL_ANSWER_ABSENT},
    {400, "AccessDenied", GL_ANSWER_FORBIDDEN},
    {400, "UnrecognizedClient", GL_ANSWER_LOGIN},
    {0, "ExpiredToken", GL_ANSWER_LOGIN},
    {0, "InvalidSignature", GL_ANSWER_LOGIN},
    {403, "InvalidClientTokenId", GL_ANSWER_LOGIN},
    {0, NULL, GL_ANSWER_NONE}};

static bool is_case(const char *id)
{
    return gl_venue_is_word(id, "-_.", GL_VENUE_ID - 1);
}

static const struct gl_venue_layout layout = {.noun = "case",
                                              .id = "caseId",
                                              .is_id = is_case,
                                              .title = "subject",
                                              .reason = "status",
                                              .state = "status",
                                              .closed = "resolved",
                                              .answered = "pending-customer-action"};

static void close_aws(struct gl_venue *venue)
{
    gl_aws_chain_free(venue->state);
}

static int open_aws(struct gl_venue *venue, struct gl_error *err)
{
    const struct gl_aws_chain_options options = {.world = venue->options->world,
                                                 .profile = gl_venue_setting(venue, "profile"),
                                                 .region = gl_venue_setting(venue, "region"),
                                                 .endpoint = gl_venue_setting(venue, "endpoint")};
    const char *cc = gl_venue_setting(venue, "cc");

    if (cc != NULL && !gl_venue_is_mailbox(cc))
        return gl_fail(err, GL_E_CONFIG, "aws-support: \"cc\" must be one mail address");
    if (options.endpoint != NULL && gl_venue_take_endpoint(venue, err) < 0)
        return -1;
    if (!gl_aws_is_region(options.region))
        return gl_fail(err, GL_E_CONFIG, "aws-support: \"region\" is no region's name");
    venue->state = gl_aws_chain_new(&options, err);
    return venue->state != NULL ? 0 : -1;
}

static void address(const struct gl_venue *venue, struct gl_str *out)
{
    gl_aws_chain_endpoint(venue->state, "support", gl_venue_setting(venue, "region"), out);
    gl_str_add_char(out, '/');
}

/* ---- composing ---- */

static struct gl_venue_step *add(const struct gl_venue *venue, struct gl_venue_preview *out,
                                 const char *operation)
{
    GL_AUTO(gl_str_done) struct gl_str url = {0};
    struct gl_venue_step *step;
    char target[80];

    address(venue, &url);
    step = gl_venue_step_add(out, "POST", "%s", url.text);
    snprintf(target, sizeof target, TARGET "%s", operation);
    gl_venue_step_header(step, "X-Amz-Target", target);
    snprintf(step->added, sizeof step->added, "signature (SigV4) of the AWS account");
    return step;
}

static void set_optional(json_t *body, const char *name, const char *value)
{
    if (value != NULL)
        json_object_set_new(body, name, json_string(value));
}

/* The languages of support: https://docs.aws.amazon.com/awssupport/latest/user/ */
static const char *language_of(const struct gl_venue_request *request)
{
    static const char *const known[] = {"ja", "zh", "ko", "es", "pt", "fr"};

    for (size_t i = 0; request->language != NULL && i < sizeof known / sizeof *known; i++)
        if (strncmp(request->language, known[i], 2) == 0)
            return known[i];
    return "en";
}

static json_t *case_of(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                       struct gl_venue_preview *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    const char *cc = gl_venue_setting(venue, "cc");
    json_t *body;

    gl_venue_text(draft, true, TEXT_MAX, out->note, &text);
    body = json_pack("{s:s, s:s, s:s, s:s, s:s}", "subject", draft->title, "communicationBody",
                     gl_str_text(&text), "severityCode", gl_venue_setting(venue, "severity"),
                     "issueType", gl_venue_setting(venue, "type"), "language",
                     language_of(draft->request));
    set_optional(body, "serviceCode", gl_venue_setting(venue, "service"));
    set_optional(body, "categoryCode", gl_venue_setting(venue, "category"));
    if (cc != NULL)
        json_object_set_new(body, "ccEmailAddresses", json_pack("[s]", cc));
    return body;
}

static int compose(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    const char *profile = gl_venue_setting(venue, "profile");
    struct gl_venue_step *step;
    json_t *body;

    (void)err;
    snprintf(out->sender, sizeof out->sender, "the AWS account of %s%.100s",
             profile != NULL ? "profile " : "the credentials found",
             profile != NULL ? profile : "");
    if (draft->action == GL_VENUE_FILING) {
        step = add(venue, out, "CreateCase");
        step->is_create = true;
        body = case_of(venue, draft, out);
    } else {
        step = add(venue, out, "ResolveCase");
        body = json_pack("{s:s}", "caseId", draft->target);
    }
    gl_venue_step_json(step, "application/x-amz-json-1.1", body);
    return 0;
}

/* ---- sending ---- */

static int authorize(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    const char *host = strstr(gl_str_text(&call->url), "://") + 3;
    const char *path = strchr(host, '/');
    const struct gl_aws_credential *credential;
    struct gl_sigv4 how = {.region = gl_venue_setting(venue, "region"),
                           .service = "support",
                           .at = gl_now(venue->options->world)};
    struct gl_sigv4_request request = {.method = call->method, .path = path, .query = ""};
    GL_AUTO(gl_str_done) struct gl_str headers = {0};

    if (gl_aws_chain_get(venue->state, false, &credential, err) < 0)
        return -1;
    how.keys = &credential->keys;
    gl_str_addf(&headers, "Host: %.*s\n%s", (int)(path - host), host, gl_str_text(&call->headers));
    request.headers = headers.text;
    request.body = (struct gl_view){gl_str_text(&call->body), call->body.length};
    gl_sigv4_sign(&how, &request, &call->headers, NULL);
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

/* DescribeCases with these members; `body` is taken. */
static json_t *describe(struct gl_venue *venue, struct gl_remote_call *call, json_t *body,
                        struct gl_error *err)
{
    json_t *root;

    *call = (struct gl_remote_call){.method = "POST"};
    address(venue, &call->url);
    gl_remote_header(call, "X-Amz-Target", TARGET "DescribeCases");
    gl_remote_header(call, "Content-Type", "application/x-amz-json-1.1");
    json_object_set_new(body, "includeResolvedCases", json_true());
    {
        GL_AUTO(gl_auto_free) char *text = json_dumps(body, JSON_COMPACT);

        gl_str_add(&call->body, text);
    }
    json_decref(body);
    if (gl_venue_exchange(venue, call, err) < 0)
        return NULL;
    root = gl_venue_reply_json(venue, call, err);
    if (root != NULL && !json_is_array(json_object_get(root, "cases"))) {
        json_decref(root);
        gl_fail(err, GL_E_BAD_REPLY, "aws-support: the answer holds no list of cases");
        return NULL;
    }
    return root;
}

/* One without an id is passed over. */
static bool look_in(const struct gl_venue *venue, const json_t *cases, const char *tag,
                    struct gl_venue_receipt *out)
{
    const json_t *item;
    size_t i;

    json_array_foreach(cases, i, item)
    {
        struct gl_error unread = {0};

        if (gl_venue_has_tag(gl_venue_member(item, "subject"), tag) &&
            gl_venue_read_receipt(venue, item, out, &unread) == 0)
            return true;
    }
    return false;
}

static int find_filed(struct gl_venue *venue, const struct gl_venue_preview *preview,
                      struct gl_venue_receipt *out, struct gl_error *err)
{
    char after[GL_INSTANT_TEXT], next[2048] = "";

    gl_instant_text(gl_venue_since(preview), after);
    for (unsigned page = 0; page < GL_VENUE_PAGES; page++) {
        GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
        GL_AUTO(gl_auto_json) json_t *root = NULL;
        json_t *body = json_pack("{s:s, s:b, s:i}", "afterTime", after, "includeCommunications", 0,
                                 "maxResults", 100);

        set_optional(body, "nextToken", next[0] != '\0' ? next : NULL);
        root = describe(venue, &call, body, err);
        if (root == NULL)
            return -1;
        if (look_in(venue, json_object_get(root, "cases"), preview->tag, out))
            return 1;
        snprintf(next, sizeof next, "%s", gl_venue_member(root, "nextToken"));
        if (next[0] == '\0')
            return 0;
    }
    return gl_fail(err, GL_E_OUTCOME, "aws-support: too many cases to look through");
}

static json_t *describe_one(struct gl_venue *venue, const char *id, struct gl_remote_call *call,
                            struct gl_error *err)
{
    json_t *root = describe(
        venue, call, json_pack("{s:[s], s:b}", "caseIdList", id, "includeCommunications", 1), err);

    if (root != NULL && json_array_size(json_object_get(root, "cases")) != 1) {
        json_decref(root);
        venue->answer = GL_ANSWER_ABSENT;
        gl_fail(err, GL_E_NOT_FOUND, "aws-support: no such case");
        return NULL;
    }
    return root;
}

static int find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const json_t *found;

    if (preview->action == GL_VENUE_FILING)
        return find_filed(venue, preview, out, err);
    root = describe_one(venue, preview->target, &call, err);
    if (root == NULL)
        return -1;
    found = json_array_get(json_object_get(root, "cases"), 0);
    snprintf(out->id, sizeof out->id, "%s", preview->target);
    return gl_venue_is_closed(venue, found);
}

static int status(struct gl_venue *venue, const char *id, const char *etag,
                  struct gl_venue_status *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = describe_one(venue, id, &call, err);
    const json_t *found, *talk;

    (void)etag; /* the service has none */
    if (root == NULL)
        return -1;
    found = json_array_get(json_object_get(root, "cases"), 0);
    if (gl_venue_member(found, "status")[0] == '\0')
        return gl_fail(err, GL_E_BAD_REPLY, "aws-support: the case has no status");
    gl_venue_read_status(venue, found, out);
    talk = json_object_get(json_object_get(found, "recentCommunications"), "communications");
    out->comments = json_is_array(talk) ? (int64_t)json_array_size(talk) : -1;
    return 0;
}

const struct gl_venue_ops gl_venue_aws_support = {
    .name = "aws-support",
    .title = "AWS Support",
    .docs = "https://docs.aws.amazon.com/awssupport/latest/APIReference/API_CreateCase.html",
    .caps = GL_VENUE_FIND | GL_VENUE_STATUS | GL_VENUE_WITHDRAW | GL_VENUE_PAID,
    .keys = keys,
    .place_key = "profile",
    .settle_s = 60,
    .rules = rules,
    .layout = &layout,
    .open = open_aws,
    .close = close_aws,
    .compose = compose,
    .authorize = authorize,
    .read = read_step,
    .find = find,
    .status = status,
};
