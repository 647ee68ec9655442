/* SPDX-License-Identifier: Apache-2.0 */
/* Carbon Optimization: what Azure says that each resource of the subscription emitted in a month.
 * https://learn.microsoft.com/en-us/rest/api/carbon/carbon-service/query-carbon-emission-reports */
#include "providers/cloud/azure.h"
#include "providers/cloud/statement.h"

#include "base/time.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define VERSION  "2025-04-01"
#define PAGES    20
#define PER_PAGE 5000

static void carbon_call(const struct gl_azure *azure, struct gl_remote_call *call, const char *name)
{
    *call = (struct gl_remote_call){.method = "POST"};
    gl_str_addf(&call->url, "%s/providers/Microsoft.Carbon/%s", azure->endpoint, name);
    gl_remote_query(call, "api-version", VERSION);
}

/* 1: there are figures of that month, 0: not (yet), -1. */
static int is_published(struct gl_azure *azure, struct gl_instant month, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call;
    GL_AUTO(gl_auto_json) json_t *range = NULL;
    struct gl_instant first, last;
    const char *start, *end;

    carbon_call(azure, &call, "queryCarbonEmissionDataAvailableDateRange");
    range = gl_remote_json(&azure->remote, &call, err);
    if (range == NULL)
        return -1;
    start = json_string_value(json_object_get(range, "startDate"));
    end = json_string_value(json_object_get(range, "endDate"));
    if (start == NULL || end == NULL || gl_date_parse(start, &first, err) != 0 ||
        gl_date_parse(end, &last, err) != 0)
        return gl_fail(err, GL_E_BAD_REPLY,
                       "azure: it does not say of which months it has figures");
    return month.unix_s >= first.unix_s && month.unix_s <= last.unix_s;
}

static json_t *body_of(const struct gl_azure *azure, struct gl_instant month, const char *token)
{
    char day[GL_INSTANT_TEXT], subscription[40];
    size_t i = 0;
    json_t *body;

    gl_instant_text(month, day);
    day[10] = '\0';
    for (; azure->subscription[i] != '\0'; i++)
        subscription[i] = (char)tolower((unsigned char)azure->subscription[i]);
    subscription[i] = '\0';
    body = json_pack("{s:s,s:[s],s:[s,s,s],s:{s:s,s:s},s:s,s:s,s:s,s:i}", "reportType",
                     "ItemDetailsReport", "subscriptionList", subscription, "carbonScopeList",
                     "Scope1", "Scope2", "Scope3", "dateRange", "start", day, "end", day,
                     "categoryType", "Resource", "orderBy", "LatestMonthEmissions", "sortDirection",
                     "Desc", "pageSize", PER_PAGE);
    if (token[0] != '\0')
        json_object_set_new(body, "skipToken", json_string(token));
    return body;
}

static int ask_page(struct gl_azure *azure, struct gl_statement *out, char next[GL_STATEMENT_TOKEN],
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *body = body_of(azure, out->month, next);
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call;

    carbon_call(azure, &call, "carbonEmissionReports");
    gl_remote_body_json(&call, body);
    answer = gl_remote_json(&azure->remote, &call, err);
    if (answer == NULL)
        return -1;
    return gl_statement_azure(answer, out, next, err);
}

static int ask_all(struct gl_azure *azure, struct gl_statement *out, struct gl_error *err)
{
    char next[GL_STATEMENT_TOKEN] = "";
    unsigned pages = 0;

    do {
        if (ask_page(azure, out, next, err) != 0)
            return -1;
        if (next[0] != '\0' && ++pages >= PAGES)
            return gl_fail(err, GL_E_TOO_LARGE, "azure: the statement has more than %u pages",
                           PAGES);
    } while (next[0] != '\0');
    out->is_undated = false; /* it was asked for that month */
    out->boundary = "scopes 1, 2 and 3";
    return 0;
}

int gl_azure_statement(struct gl_cloud *cloud, struct gl_instant month, struct gl_statement *out,
                       struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    struct gl_statement read;
    int rc;

    gl_statement_begin(&read, month);
    read.provider = "azure";
    read.form = "Azure Carbon Optimization";
    gl_azure_begin(azure);
    rc = is_published(azure, month, err);
    if (rc > 0)
        rc = ask_all(azure, &read, err);
    if (rc < 0) {
        gl_statement_done(&read);
        return -1;
    }
    *out = read;
    return 0;
}
