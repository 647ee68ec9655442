/* SPDX-License-Identifier: Apache-2.0 */
/* What the AWS adapter needs, as an IAM policy. What may be limited to machines and images of ours
 * is, by their labels:
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html */
#include "providers/cloud/rights.h"

#include <stdlib.h>
#include <string.h>

static const struct gl_right rows[] = {
    {"sts:GetCallerIdentity", "GetCallerIdentity", GL_RIGHT_LOOK, "Look", NULL},
    {"ec2:DescribeRegions", "DescribeRegions", GL_RIGHT_LOOK, "Look", NULL},
    {"ec2:DescribeInstanceTypeOfferings", "DescribeInstanceTypeOfferings", GL_RIGHT_LOOK, "Look",
     NULL},
    {"ec2:DescribeInstances", "DescribeInstances", GL_RIGHT_LOOK, "Look", NULL},
    {"ec2:DescribeImages", "DescribeImages", GL_RIGHT_LOOK, "Look", NULL},
    {"ec2:DescribeSpotPriceHistory", "DescribeSpotPriceHistory", GL_RIGHT_LOOK, "Look", NULL},
    {"pricing:GetProducts", "AWSPriceListService.GetProducts", GL_RIGHT_LOOK, "Look", NULL},
    {"sustainability:GetEstimatedCarbonEmissions", "sustainability /v1/estimated-carbon-emissions",
     GL_RIGHT_LOOK, "Look", NULL},
    {"ec2:GetConsoleOutput", "GetConsoleOutput", GL_RIGHT_LOOK, "LookAtOurs", NULL},
    {"ec2:RunInstances", "RunInstances", GL_RIGHT_LAUNCH, "RunLabelled", NULL},
    {"ec2:RunInstances", NULL, GL_RIGHT_LAUNCH, "RunWith", NULL},
    {"ec2:CreateTags", NULL, GL_RIGHT_LAUNCH, "LabelAtLaunch", NULL},
    {"ssm:GetParameters", NULL, GL_RIGHT_LAUNCH, "FindImage", NULL},
    {"iam:PassRole", NULL, GL_RIGHT_LAUNCH, "PassProfile", "instance_profile"},
    {"ec2:TerminateInstances", "TerminateInstances", GL_RIGHT_LAUNCH, "EndOurs", NULL},
    {"ec2:StopInstances", "StopInstances", GL_RIGHT_LAUNCH, "EndOurs", NULL},
    {"ec2:StartInstances", "StartInstances", GL_RIGHT_LAUNCH, "EndOurs", NULL},
    {"ec2:CreateImage", "CreateImage", GL_RIGHT_LAUNCH, "ImageOfOurs", NULL},
    {"ec2:CreateImage", NULL, GL_RIGHT_LAUNCH, "MakeImage", NULL},
    {"ec2:CopyImage", "CopyImage", GL_RIGHT_LAUNCH, "MakeImage", NULL},
    {"ec2:CreateTags", NULL, GL_RIGHT_LAUNCH, "LabelImage", NULL},
    {"ec2:DeregisterImage", "DeregisterImage", GL_RIGHT_LAUNCH, "DropImage", NULL},
    {"ec2:DeleteSnapshot", "DeleteSnapshot", GL_RIGHT_LAUNCH, "DropImage", NULL},
    {NULL, NULL, GL_RIGHT_LOOK, NULL, NULL},
};

/* The statements of the groups: what a right is limited to. ARNs without their "arn:PARTITION:". */
#define RESOURCES_MAX 8
static const struct statement {
    const char *sid;
    const char *resources[RESOURCES_MAX]; /* none = "*" */
    const char *operator, * key;          /* of a condition; NULL = none */
    const char *values[3];
} statements[] = {
    {"Look", {NULL}, NULL, NULL, {NULL}},
    {"LookAtOurs",
     {"ec2:*:*:instance/*"},
     "StringLike",
     "ec2:ResourceTag/greenlaunch-request",
     {"gl-*"}},
    {"RunLabelled",
     {"ec2:*:*:instance/*", "ec2:*:*:volume/*"},
     "StringLike",
     "aws:RequestTag/greenlaunch-request",
     {"gl-*"}},
    {"RunWith",
     {"ec2:*::image/*", "ec2:*::snapshot/*", "ec2:*:*:subnet/*", "ec2:*:*:network-interface/*",
      "ec2:*:*:security-group/*", "ec2:*:*:key-pair/*", "ec2:*:*:spot-instances-request/*"},
     NULL,
     NULL,
     {NULL}},
    {"LabelAtLaunch",
     {"ec2:*:*:instance/*", "ec2:*:*:volume/*"},
     "StringEquals",
     "ec2:CreateAction",
     {"RunInstances"}},
    {"FindImage", {"ssm:*::parameter/aws/service/*"}, NULL, NULL, {NULL}},
    {"PassProfile",
     {"iam::*:role/*"},
     "StringEquals",
     "iam:PassedToService",
     {"ec2.amazonaws.com"}},
    {"EndOurs",
     {"ec2:*:*:instance/*"},
     "StringLike",
     "ec2:ResourceTag/greenlaunch-request",
     {"gl-*"}},
    {"ImageOfOurs",
     {"ec2:*:*:instance/*"},
     "StringLike",
     "ec2:ResourceTag/greenlaunch-request",
     {"gl-*"}},
    {"MakeImage", {"ec2:*::image/*", "ec2:*::snapshot/*"}, NULL, NULL, {NULL}},
    {"LabelImage",
     {"ec2:*::image/*", "ec2:*::snapshot/*"},
     "StringEquals",
     "ec2:CreateAction",
     {"CreateImage", "CopyImage"}},
    {"DropImage",
     {"ec2:*::image/*", "ec2:*::snapshot/*"},
     "StringLike",
     "ec2:ResourceTag/greenlaunch-image",
     {"*"}},
};

static json_t *actions_of(const char *sid, const struct gl_rights_wanted *wanted)
{
    json_t *actions = json_array();

    for (const struct gl_right *row = rows; row->name != NULL; row++)
        if (strcmp(row->group, sid) == 0 && gl_rights_has(row, wanted))
            json_array_append_new(actions, json_string(row->name));
    return actions;
}

static json_t *resources_of(const struct statement *statement, const char *partition)
{
    json_t *resources;

    if (statement->resources[0] == NULL)
        return json_string("*");
    resources = json_array();
    for (size_t i = 0; i < RESOURCES_MAX && statement->resources[i] != NULL; i++)
        json_array_append_new(resources,
                              json_sprintf("arn:%s:%s", partition, statement->resources[i]));
    return resources;
}

static json_t *condition_of(const struct statement *statement)
{
    json_t *values = json_array();

    for (size_t i = 0; i < 3 && statement->values[i] != NULL; i++)
        json_array_append_new(values, json_string(statement->values[i]));
    return json_pack("{s:{s:o}}", statement->operator, statement->key, values);
}

static void write_policy(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                         struct gl_str *out)
{
    json_t *list = json_array(), *policy;
    char *text;

    (void)rights;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        const struct statement *statement = &statements[i];
        json_t *actions = actions_of(statement->sid, wanted), *one;

        if (json_array_size(actions) == 0) {
            json_decref(actions);
            continue;
        }
        one = json_pack("{s:s,s:s,s:o,s:o}", "Sid", statement->sid, "Effect", "Allow", "Action",
                        actions, "Resource", resources_of(statement, wanted->partition));
        if (statement->key != NULL)
            json_object_set_new(one, "Condition", condition_of(statement));
        json_array_append_new(list, one);
    }
    policy = json_pack("{s:s,s:o}", "Version", "2012-10-17", "Statement", list);
    text = json_dumps(policy, JSON_INDENT(2));
    gl_str_addf(out, "%s\n", text);
    free(text);
    json_decref(policy);
}

const struct gl_rights gl_rights_aws = {
    .cloud = "aws",
    .form = "json",
    .what = "an IAM policy",
    .use = "aws iam create-policy --policy-name greenlaunch --policy-document file://FILE, then "
           "attach it to the user or role. Where a profile names a role, whoever takes it needs "
           "sts:AssumeRole on that role besides",
    .is_asked = true,
    .rows = rows,
    .write = write_policy,
};
