/* SPDX-License-Identifier: Apache-2.0 */
/* AWS, Google Cloud and Azure Support. */
#include "tests/conformance/venue_fake.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- AWS ---- */

#define AWS_SCOPE "AWS4-HMAC-SHA256 Credential=AKIDVENUE/20261122/us-east-1/support/aws4_request, "

static json_t *aws_case(const struct venue_item *item)
{
    char id[60];

    snprintf(id, sizeof id, "case-123456789012-muen-2026-%" PRId64, item->id);
    return json_pack("{s:s, s:s, s:s}", "caseId", id, "subject", item->title, "status",
                     item->is_closed ? "resolved" : "opened");
}

static void aws_describe(struct venue_fake *fake, const struct gl_test_request *request,
                         struct gl_test_answer *out)
{
    json_t *body = venue_fake_body(fake, request,
                                   "caseIdList afterTime includeCommunications maxResults "
                                   "!includeResolvedCases nextToken");
    const char *id = json_string_value(json_array_get(json_object_get(body, "caseIdList"), 0));
    json_t *list = json_array();

    for (size_t i = 0; (id != NULL || !fake->is_lagging) && i < fake->item_count; i++) {
        json_t *item = aws_case(&fake->items[i]);

        if (id == NULL || strcmp(json_string_value(json_object_get(item, "caseId")), id) == 0)
            json_array_append(list, item);
        json_decref(item);
    }
    if (id != NULL && json_array_size(list) == 0)
        venue_fake_json(out, 400, json_pack("{s:s}", "__type", "CaseIdNotFound"));
    else
        venue_fake_json(out, 200, json_pack("{s:O}", "cases", list));
    json_decref(list);
    json_decref(body);
}

static void aws_create(struct venue_fake *fake, const struct gl_test_request *request,
                       struct gl_test_answer *out)
{
    json_t *body =
               venue_fake_body(fake, request,
                               "!subject !communicationBody serviceCode categoryCode severityCode "
                               "issueType language ccEmailAddresses attachmentSetId"),
           *made;

    if (venue_fake_may_create(fake, out)) {
        made = aws_case(venue_fake_add(fake, json_string_value(json_object_get(body, "subject"))));
        venue_fake_json(out, 200, json_pack("{s:O}", "caseId", json_object_get(made, "caseId")));
        json_decref(made);
        venue_fake_spoil(fake, out);
    }
    json_decref(body);
}

static void aws_answer(struct venue_fake *fake, const struct gl_test_request *request,
                       struct gl_test_answer *out)
{
    char target[100], authorization[600];
    json_t *body;
    const char *id;

    venue_fake_header(fake, request, "content-type", "application/x-amz-json-1.1");
    gl_test_request_header(request, "x-amz-target", target, sizeof target);
    gl_test_request_header(request, "authorization", authorization, sizeof authorization);
    if (strncmp(authorization, AWS_SCOPE, strlen(AWS_SCOPE)) != 0 ||
        strstr(authorization, "x-amz-target") == NULL)
        venue_fake_complain(fake, "authorization: %s", authorization);
    if (strcmp(target, "AWSSupport_20130415.CreateCase") == 0) {
        aws_create(fake, request, out);
    } else if (strcmp(target, "AWSSupport_20130415.DescribeCases") == 0) {
        aws_describe(fake, request, out);
    } else if (strcmp(target, "AWSSupport_20130415.ResolveCase") == 0) {
        body = venue_fake_body(fake, request, "!caseId");
        id = strrchr(json_string_value(json_object_get(body, "caseId")), '-') + 1;
        venue_fake_at(fake, strtol(id, NULL, 10))->is_closed = true;
        venue_fake_json(out, 200, json_pack("{s:s}", "finalCaseStatus", "resolved"));
        json_decref(body);
    } else {
        venue_fake_complain(fake, "target %s", target);
        out->status = 400;
    }
}

static const char *const aws_settings[] = {"endpoint", "URL", NULL};
static const char *const aws_environment[] = {"AWS_ACCESS_KEY_ID=AKIDVENUE",
                                              "AWS_SECRET_ACCESS_KEY=" VENUE_SECRET, NULL};
const struct venue_fake_ops venue_fake_aws = {.venue = "aws-support",
                                              .settings = aws_settings,
                                              .environment = aws_environment,
                                              .answer = aws_answer};

/* ---- Google Cloud ---- */

static json_t *google_case(const struct venue_item *item)
{
    char name[60];

    snprintf(name, sizeof name, "projects/green/cases/%" PRId64, item->id);
    return json_pack("{s:s, s:s, s:s}", "name", name, "displayName", item->title, "state",
                     item->is_closed ? "CLOSED" : "NEW");
}

static void google_cases(struct venue_fake *fake, const struct gl_test_request *request,
                         struct gl_test_answer *out)
{
    json_t *list = json_array(), *body;

    for (size_t i = 0; !fake->is_lagging && i < fake->item_count; i++)
        json_array_append_new(list, google_case(&fake->items[i]));
    if (strcmp(request->method, "GET") == 0) {
        venue_fake_json(out, 200, json_pack("{s:O}", "cases", list));
    } else {
        body = venue_fake_body(fake, request,
                               "!displayName !description !classification !priority timeZone "
                               "languageCode testCase");
        if (venue_fake_may_create(fake, out)) {
            venue_fake_json(out, 200,
                            google_case(venue_fake_add(
                                fake, json_string_value(json_object_get(body, "displayName")))));
            venue_fake_spoil(fake, out);
        }
        json_decref(body);
    }
    json_decref(list);
}

static void google_answer(struct venue_fake *fake, const struct gl_test_request *request,
                          struct gl_test_answer *out)
{
    static const char base[] = "/v2/projects/green/cases";
    const char *rest = request->path + strlen(base);
    struct venue_item *item;
    char *end;

    if (strcmp(request->path, "/token") == 0) {
        venue_fake_json(out, 200,
                        json_pack("{s:s, s:i, s:s}", "access_token", VENUE_SECRET, "expires_in",
                                  3600, "token_type", "Bearer"));
        return;
    }
    venue_fake_header(fake, request, "authorization", "Bearer " VENUE_SECRET);
    if (strncmp(request->path, base, strlen(base)) != 0) {
        venue_fake_complain(fake, "path %s", request->path);
        out->status = 404;
        return;
    }
    if (*rest == '\0') {
        google_cases(fake, request, out);
        return;
    }
    item = venue_fake_at(fake, strtol(rest + 1, &end, 10));
    if (item == NULL) {
        venue_fake_json(out, 404, json_pack("{s:{s:s}}", "error", "message", "not found"));
        return;
    }
    item->is_closed |= strcmp(end, ":close") == 0;
    venue_fake_json(out, 200, google_case(item));
}

static const char *const google_settings[] = {
    "parent", "projects/green", "classification", "c-1", "endpoint", "URL", NULL};
static const char *const google_environment[] = {"GOOGLE_APPLICATION_CREDENTIALS=FOLDER/adc.json",
                                                 NULL};
const struct venue_fake_ops venue_fake_google = {.venue = "google-support",
                                                 .settings = google_settings,
                                                 .environment = google_environment,
                                                 .answer = google_answer};

/* ---- Azure ---- */

static json_t *azure_ticket(const struct venue_item *item)
{
    return json_pack("{s:s, s:{s:s, s:s}}", "name", item->name, "properties", "title", item->title,
                     "status", item->is_closed ? "Closed" : "Open");
}

static struct venue_item *azure_find(struct venue_fake *fake, const char *name)
{
    for (size_t i = 0; i < fake->item_count; i++)
        if (strcmp(fake->items[i].name, name) == 0)
            return &fake->items[i];
    return NULL;
}

/* A name that is there already is a conflict: it is chosen once. */
static void azure_put(struct venue_fake *fake, const struct gl_test_request *request,
                      const char *name, struct gl_test_answer *out)
{
    json_t *body = venue_fake_body(fake, request, "!properties");
    json_t *ticket = json_object_get(body, "properties");
    struct venue_item *item;

    if (json_object_get(ticket, "contactDetails") == NULL ||
        json_object_get(ticket, "advancedDiagnosticConsent") == NULL)
        venue_fake_complain(fake, "a ticket needs contact and consent");
    if (azure_find(fake, name) != NULL) {
        venue_fake_complain(fake, "the same name twice");
        out->status = 409;
    } else if (venue_fake_may_create(fake, out)) {
        item = venue_fake_add(fake, json_string_value(json_object_get(ticket, "title")));
        snprintf(item->name, sizeof item->name, "%s", name);
        venue_fake_json(out, 200, azure_ticket(item));
        venue_fake_spoil(fake, out);
    }
    json_decref(body);
}

static void azure_answer(struct venue_fake *fake, const struct gl_test_request *request,
                         struct gl_test_answer *out)
{
    static const char base[] =
        "/subscriptions/sub-1/providers/Microsoft.Support/supportTickets/greenlaunch-";
    const char *name = request->path + strlen(base) - strlen("greenlaunch-");
    struct venue_item *item;

    if (strstr(request->path, "/oauth2/v2.0/token") != NULL) {
        venue_fake_json(out, 200,
                        json_pack("{s:s, s:i, s:s}", "access_token", VENUE_SECRET, "expires_in",
                                  3600, "token_type", "Bearer"));
        return;
    }
    venue_fake_header(fake, request, "authorization", "Bearer " VENUE_SECRET);
    if (strncmp(request->path, base, strlen(base)) != 0 ||
        strcmp(request->query, "api-version=2024-04-01") != 0) {
        venue_fake_complain(fake, "%s?%s", request->path, request->query);
        out->status = 404;
        return;
    }
    if (strcmp(request->method, "PUT") == 0) {
        azure_put(fake, request, name, out);
        return;
    }
    item = azure_find(fake, name);
    if (item == NULL || (fake->is_lagging && strcmp(request->method, "GET") == 0)) {
        venue_fake_json(out, 404, json_pack("{s:{s:s}}", "error", "message", "not found"));
        return;
    }
    item->is_closed |= strcmp(request->method, "PATCH") == 0;
    venue_fake_json(out, 200, azure_ticket(item));
}

static const char *const azure_settings[] = {
    "subscription", "sub-1",     "service", "svc-1", "classification", "pc-1",    "first_name",
    "Ada",          "last_name", "Green",   "email", "a@example.org",  "country", "DEU",
    "endpoint",     "URL",       NULL};
static const char *const azure_environment[] = {
    "AZURE_TENANT_ID=tenant-1", "AZURE_CLIENT_ID=client-1", "AZURE_CLIENT_SECRET=" VENUE_SECRET,
    "AZURE_AUTHORITY_HOST=URL", NULL};
const struct venue_fake_ops venue_fake_azure = {.venue = "azure-support",
                                                .settings = azure_settings,
                                                .environment = azure_environment,
                                                .answer = azure_answer};
