/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Sustainability, GetEstimatedCarbonEmissions: one month by region and service. It lives in one
 * place and is signed for it: https://docs.aws.amazon.com/sustainability/latest/APIReference/ */
#include "providers/cloud/aws_part.h"
#include "providers/cloud/statement.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>

#define HOME     "us-east-1"
#define PAGES    20
#define PER_PAGE 5000

static json_t *body_of(const struct gl_statement *statement, const char *next)
{
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];
    json_t *body = json_pack(
        "{s:{s:s,s:s},s:[s,s,s],s:[s,s,s,s,s,s,s],s:s,s:i}", "TimePeriod", "Start",
        gl_instant_text(statement->month, from), "End", gl_instant_text(statement->until, until),
        "GroupBy", "USAGE_ACCOUNT_ID", "REGION", "SERVICE", "EmissionsTypes",
        "TOTAL_LBM_CARBON_EMISSIONS", "TOTAL_MBM_CARBON_EMISSIONS",
        "TOTAL_SCOPE_1_CARBON_EMISSIONS", "TOTAL_SCOPE_2_LBM_CARBON_EMISSIONS",
        "TOTAL_SCOPE_2_MBM_CARBON_EMISSIONS", "TOTAL_SCOPE_3_LBM_CARBON_EMISSIONS",
        "TOTAL_SCOPE_3_MBM_CARBON_EMISSIONS", "Granularity", "MONTHLY", "MaxResults", PER_PAGE);

    if (next[0] != '\0')
        json_object_set_new(body, "NextToken", json_string(next));
    return body;
}

static int ask_page(struct gl_aws *aws, struct gl_statement *out, char next[GL_STATEMENT_TOKEN],
                    struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done)
    struct gl_remote_call call = {.method = "POST", .region = HOME};
    GL_AUTO(gl_auto_json) json_t *body = body_of(out, next);
    GL_AUTO(gl_auto_json) json_t *answer = NULL;

    gl_aws_chain_endpoint(aws->chain, "sustainability", HOME, &call.url);
    gl_str_add(&call.url, "/v1/estimated-carbon-emissions");
    gl_remote_body_json(&call, body);
    answer = gl_remote_json(&aws->remote, &call, err);
    if (answer == NULL)
        return -1;
    return gl_statement_aws(answer, out, next, err);
}

int gl_aws_statement(struct gl_cloud *cloud, struct gl_instant month, struct gl_statement *out,
                     struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    struct gl_statement read;
    char next[GL_STATEMENT_TOKEN] = "";
    unsigned pages = 0;
    int rc;

    if (strcmp(gl_aws_domain(aws->home), "amazonaws.com") != 0)
        return gl_fail(err, GL_E_NOT_FOUND, "aws: no carbon statement is published for %s",
                       aws->home);
    gl_statement_begin(&read, month);
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    do {
        rc = ask_page(aws, &read, next, err);
        if (rc == 0 && next[0] != '\0' && ++pages >= PAGES)
            rc = gl_fail(err, GL_E_TOO_LARGE, "aws: the statement has more than %u pages", PAGES);
    } while (rc == 0 && next[0] != '\0');
    if (rc != 0) {
        gl_statement_done(&read);
        return -1;
    }
    *out = read;
    return 0;
}
