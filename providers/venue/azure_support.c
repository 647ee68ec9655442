/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include "providers/cloud/azure_credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Azure Support tickets: https://learn.microsoft.com/rest/api/support/support-tickets/create
 * Needs a ProDirect, Premier or Unified plan and the role Support Request Contributor. The name is
 * chosen by us, out of the fingerprint, so that the same ticket cannot be made twice; making it may
 * take a while (202). Tickets show for 18 months. */

#define API "2024-04-01"

static const struct gl_setting_key keys[] = {
    {.name = "subscription", .what = "id of the subscription", .is_required = true},
    {.name = "service", .what = "id of the service (a GUID)", .is_required = true},
    {.name = "classification", .what = "id of its problem (a GUID)", .is_required = true},
    {.name = "first_name", .what = "of the contact", .is_required = true},
    {.name = "last_name", .what = "of the contact", .is_required = true},
    {.name = "email", .what = "mailbox of the contact", .is_required = true},
    {.name = "country", .what = "of the contact, as in DEU", .is_required = true},
    {.name = "time_zone", .what = "of the contact", .fallback = "UTC"},
    {.name = "diagnostics",
     .what = "may they look at the account's diagnostics",
     .fallback = "no",
     .choices = "yes|no"},
    {.name = "endpoint",
     .what = "address of the Resource Manager",
     .fallback = "https://management.azure.com"},
    {0}};

static const struct gl_venue_rule rules[] = {{0, "SupportPlanNotFound", GL_ANSWER_FORBIDDEN},
                                             {409, "TooManyRequests", GL_ANSWER_RATE_LIMITED},
                                             {0, NULL, GL_ANSWER_NONE}};

static bool is_ticket(const char *name)
{
    return strncmp(name, "greenlaunch-", 12) == 0 && gl_venue_is_word(name, "-", 100);
}

/* Whether one is closed is no word of the layout: Azure's words vary in case. */
static const struct gl_venue_layout layout = {.noun = "ticket",
                                              .is_id = is_ticket,
                                              .id_rule = "that is no ticket of ours",
                                              .title = "title",
                                              .reason = "status",
                                              .updated = "modifiedDate",
                                              .state = "status"};

static bool is_closed(const json_t *ticket)
{
    return strcasecmp(gl_venue_member(ticket, "status"), "closed") == 0;
}

static void close_azure(struct gl_venue *venue)
{
    if (venue->state != NULL)
        gl_azure_credential_done(venue->state);
    free(venue->state);
}

static int open_azure(struct gl_venue *venue, struct gl_error *err)
{
    static const char *const ids[] = {"subscription", "service", "classification", "country"};

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (!gl_venue_is_word(gl_venue_setting(venue, ids[i]), "-", 64))
            return gl_fail(err, GL_E_CONFIG, "azure-support: \"%s\" holds letters, digits and -",
                           ids[i]);
    if (!gl_venue_is_mailbox(gl_venue_setting(venue, "email")))
        return gl_fail(err, GL_E_CONFIG, "azure-support: \"email\" must be one mail address");
    if (gl_venue_take_endpoint(venue, err) < 0)
        return -1;
    venue->state = gl_alloc(sizeof(struct gl_azure_credential));
    return 0;
}

static void address(const struct gl_venue *venue, const char *name, struct gl_str *out)
{
    gl_str_addf(
        out, "%s/subscriptions/%s/providers/Microsoft.Support/supportTickets/%s?api-version=" API,
        venue->endpoint, gl_venue_setting(venue, "subscription"), name);
}

/* "greenlaunch-40c8..." of the whole fingerprint. */
static void name_of(const struct gl_venue_draft *draft, char out[GL_VENUE_ID])
{
    snprintf(out, GL_VENUE_ID, "greenlaunch-%.64s", draft->request->fingerprint);
}

/* ---- composing ---- */

static json_t *contact_of(const struct gl_venue *venue, const struct gl_venue_draft *draft)
{
    const char *language = draft->request->language;

    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "firstName", gl_venue_setting(venue, "first_name"),
        "lastName", gl_venue_setting(venue, "last_name"), "preferredContactMethod", "email",
        "primaryEmailAddress", gl_venue_setting(venue, "email"), "preferredTimeZone",
        gl_venue_setting(venue, "time_zone"), "country", gl_venue_setting(venue, "country"),
        "preferredSupportLanguage", language != NULL && strlen(language) == 5 ? language : "en-US");
}

static json_t *ticket_of(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                         struct gl_venue_preview *out)
{
    const char *service = gl_venue_setting(venue, "service");
    bool has_consent = strcmp(gl_venue_setting(venue, "diagnostics"), "yes") == 0;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char service_id[128], problem_id[256];

    gl_venue_text(draft, true, GL_VENUE_BODY_MAX, out->note, &text);
    snprintf(service_id, sizeof service_id, "/providers/Microsoft.Support/services/%.64s", service);
    snprintf(problem_id, sizeof problem_id, "%s/problemClassifications/%.64s", service_id,
             gl_venue_setting(venue, "classification"));
    return json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s, s:o}}", "properties", "title", draft->title,
                     "description", gl_str_text(&text), "serviceId", service_id,
                     "problemClassificationId", problem_id, "severity", "minimal",
                     "advancedDiagnosticConsent", has_consent ? "Yes" : "No", "contactDetails",
                     contact_of(venue, draft));
}

static int compose(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    bool is_filing = draft->action == GL_VENUE_FILING;
    GL_AUTO(gl_str_done) struct gl_str url = {0};
    struct gl_venue_step *step;

    (void)err;
    if (is_filing)
        name_of(draft, out->target);
    address(venue, out->target, &url);
    snprintf(out->sender, sizeof out->sender, "%.150s", gl_venue_setting(venue, "email"));
    step = gl_venue_step_add(out, is_filing ? "PUT" : "PATCH", "%s", url.text);
    snprintf(step->added, sizeof step->added, "Authorization of the Azure account");
    step->is_create = is_filing;
    gl_venue_step_json(step, "application/json",
                       is_filing ? ticket_of(venue, draft, out)
                                 : json_pack("{s:s}", "status", "closed"));
    return 0;
}

/* ---- sending ---- */

static int ask(void *credential, const struct gl_world *world, struct gl_remote_call *out,
               struct gl_error *err)
{
    return gl_azure_token_ask(credential, world, false, out, err);
}

static int take(void *credential, const struct gl_world *world, const struct gl_remote_call *call,
                struct gl_error *err)
{
    return gl_azure_token_read(credential, world, call, err);
}

static int authorize(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    static const struct gl_venue_tokens tokens = {ask, take};
    struct gl_azure_credential *credential = venue->state;

    if (credential->from[0] == '\0' &&
        gl_azure_credential_find(venue->options->world, venue->endpoint, credential, err) < 0)
        return -1;
    if (gl_venue_fetch_token(venue, &tokens, credential, err) < 0)
        return -1;
    gl_remote_bearer(call, &credential->token);
    return 0;
}

/* 202 has no body: it is being made under the name that we chose. */
static int read_step(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
                     const struct gl_remote_call *call, struct gl_venue_receipt *receipt,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    (void)step;
    snprintf(receipt->id, sizeof receipt->id, "%s", preview->target);
    if (call->reply.status == 202) {
        gl_venue_note(receipt->note, "accepted, not yet made");
        return 0;
    }
    root = gl_venue_reply_json(venue, call, err);
    if (root == NULL)
        return -1;
    if (strcmp(gl_venue_member(root, "name"), preview->target) != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "azure-support: the answer is of another ticket");
    return 0;
}

/* ---- looking ---- */

/* The ticket's properties, borrowed from *out_root. */
static const json_t *get(struct gl_venue *venue, const char *name, struct gl_remote_call *call,
                         json_t **out_root, struct gl_error *err)
{
    const json_t *properties;

    *call = (struct gl_remote_call){0};
    address(venue, name, &call->url);
    *out_root = gl_venue_get_json(venue, call, err);
    if (*out_root == NULL)
        return NULL;
    properties = json_object_get(*out_root, "properties");
    return gl_venue_check_request(venue, properties, err) == 0 ? properties : NULL;
}

static int find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const json_t *ticket;
    struct gl_error why = {0};

    ticket = get(venue, preview->target, &call, &root, &why);
    if (ticket == NULL && venue->answer == GL_ANSWER_ABSENT && preview->action == GL_VENUE_FILING)
        return 0;
    if (ticket == NULL)
        return gl_fail(err, why.code, "%s", why.text);
    snprintf(out->id, sizeof out->id, "%s", preview->target);
    return preview->action == GL_VENUE_FILING || is_closed(ticket);
}

static int status(struct gl_venue *venue, const char *id, const char *etag,
                  struct gl_venue_status *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const json_t *ticket;

    (void)etag; /* the API has none */
    ticket = get(venue, id, &call, &root, err);
    if (ticket == NULL)
        return -1;
    gl_venue_read_status(venue, ticket, out);
    out->state = is_closed(ticket) ? GL_REQUEST_CLOSED : GL_REQUEST_OPEN;
    return 0;
}

const struct gl_venue_ops gl_venue_azure_support = {
    .name = "azure-support",
    .title = "Azure Support",
    .docs = "https://learn.microsoft.com/rest/api/support/support-tickets/create",
    .caps = GL_VENUE_FIND | GL_VENUE_STATUS | GL_VENUE_WITHDRAW | GL_VENUE_PAID,
    .keys = keys,
    .place_key = "subscription",
    .settle_s = 900, /* a ticket that is being made does not show yet */
    .rules = rules,
    .layout = &layout,
    .open = open_azure,
    .close = close_azure,
    .compose = compose,
    .authorize = authorize,
    .read = read_step,
    .find = find,
    .status = status,
};
