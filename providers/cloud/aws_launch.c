/* SPDX-License-Identifier: Apache-2.0 */
/* Launching: RunInstances with the token as ClientToken, and its dry run.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html */
#include "providers/cloud/aws_part.h"

#include "providers/cloud/remote_part.h"
#include "providers/cloud/userdata.h"
#include "providers/data/data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 16

/* ---- the request ---- */

/* The image of a launch: its own ("REGION/ami-0123" of this region), else the setting's. */
static int add_image(const struct gl_aws *aws, const struct gl_launch *launch,
                     struct gl_remote_call *call, struct gl_error *err)
{
    const char *arch = strcmp(gl_aws_arch(launch->type), "arm64") == 0 ? "arm64" : "amd64";
    char region[40], item[128], *at;
    const char *native;
    struct gl_str name = {0};

    if (launch->image != NULL) {
        native = strchr(launch->image, '/') != NULL ? gl_remote_id_split(launch->image, region)
                                                    : launch->image;
        if (native == NULL || strncmp(native, "ami-", 4) != 0)
            return gl_fail(err, GL_E_BAD_VALUE, "aws: an image is called REGION/ami-0123");
        if (native != launch->image && strcmp(region, launch->region) != 0)
            return gl_fail(err, GL_E_BAD_VALUE, "aws: the image is in %s, not in %s", region,
                           launch->region);
        gl_aws_add(call, native, "ImageId");
        return 0;
    }
    /* The first that counts here. */
    if (!gl_aws_item(aws->settings[GL_AWS_IMAGE], launch->region, 0, item))
        return gl_fail(err, GL_E_CONFIG, "aws: the setting image names none for %s",
                       launch->region);
    at = strstr(item, "ARCH");
    gl_str_addf(&name, "%.*s%s%s", at != NULL ? (int)(at - item) : 128, item,
                at != NULL ? arch : "", at != NULL ? at + 4 : "");
    gl_aws_add(call, gl_str_text(&name), "ImageId");
    gl_str_done(&name);
    return 0;
}

static int add_user_data(const struct gl_launch *launch, struct gl_remote_call *call,
                         struct gl_error *err)
{
    const struct gl_userdata wanted = {.launch = launch,
                                       .end = GL_GUEST_POWEROFF,
                                       .console = "/dev/ttyS0",
                                       .notice = launch->is_spot ? "aws" : NULL,
                                       .identity = "aws",
                                       .ceiling = GL_AWS_USER_DATA};
    struct gl_str text = {0};
    char *coded;
    int made = gl_userdata_make(&wanted, &text, err);

    if (made == 0) {
        coded = gl_alloc(4 * ((text.length + 2) / 3) + 1);
        gl_base64_text(gl_str_text(&text), text.length, coded);
        gl_aws_add(call, coded, "UserData");
        gl_wipe(coded, strlen(coded));
        free(coded);
    }
    if (text.text != NULL)
        gl_wipe(text.text, text.capacity);
    gl_str_done(&text);
    return made;
}

static void add_place(const struct gl_aws *aws, const struct gl_launch *launch,
                      struct gl_remote_call *call)
{
    const char *profile = aws->settings[GL_AWS_INSTANCE_PROFILE];
    char item[128];

    if (gl_aws_item(aws->settings[GL_AWS_SUBNET], launch->region, 0, item))
        gl_aws_add(call, item, "SubnetId"); /* which is in one zone */
    else if (launch->zone != NULL)
        gl_aws_add(call, launch->zone, "Placement.AvailabilityZone");
    for (unsigned i = 0;
         i < GROUPS_MAX && gl_aws_item(aws->settings[GL_AWS_GROUPS], launch->region, i, item); i++)
        gl_aws_add(call, item, "SecurityGroupId.%u", i + 1);
    if (gl_aws_item(aws->settings[GL_AWS_KEY_NAME], launch->region, 0, item))
        gl_aws_add(call, item, "KeyName");
    if (profile != NULL && *profile != '\0')
        gl_aws_add(call, profile, "IamInstanceProfile.%s",
                   strncmp(profile, "arn:", 4) == 0 ? "Arn" : "Name");
}

static int make_run(struct gl_aws *aws, const struct gl_launch *launch, struct gl_remote_call *call,
                    struct gl_error *err)
{
    gl_aws_query(aws, call, "ec2", launch->region, "RunInstances");
    gl_aws_add(call, "1", "MinCount");
    gl_aws_add(call, "1", "MaxCount");
    gl_aws_add(call, launch->token, "ClientToken");
    gl_aws_add(call, launch->type, "InstanceType");
    if (add_image(aws, launch, call, err) < 0)
        return -1;
    gl_aws_add(call, "terminate", "InstanceInitiatedShutdownBehavior");
    gl_aws_add(call, "required", "MetadataOptions.HttpTokens");
    gl_aws_add(call, "enabled", "MetadataOptions.InstanceMetadataTags");
    add_place(aws, launch, call);
    gl_aws_tag(call, 1, "instance", launch);
    gl_aws_tag(call, 2, "volume", launch);
    if (launch->is_spot) {
        /* Without MaxPrice, as AWS advises: the cap is looked at before. */
        gl_aws_add(call, "spot", "InstanceMarketOptions.MarketType");
        gl_aws_add(call, "one-time", "InstanceMarketOptions.SpotOptions.SpotInstanceType");
        gl_aws_add(call, "terminate",
                   "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior");
    }
    return add_user_data(launch, call, err);
}

/* ---- the cap ---- */

static int check_price(struct gl_aws *aws, const struct gl_launch *launch, struct gl_error *err)
{
    int64_t price = GL_UNKNOWN;
    int got;

    if (launch->max_price_u_usd <= 0)
        return 0;
    got = launch->is_spot
              ? gl_aws_spot_price(aws, launch->region, launch->type, &price, err)
              : gl_aws_price(&aws->remote.cloud, launch->region, launch->type, &price, err);
    if (got < 0)
        return gl_wrap(err, "the price cap cannot be kept");
    if (price == GL_UNKNOWN)
        return gl_fail(err, GL_E_PRICE,
                       "aws in %s: the price of %s is not known, and there is a cap",
                       launch->region, launch->type);
    if (price > launch->max_price_u_usd)
        return gl_fail(err, GL_E_PRICE,
                       "aws in %s: %s costs %" PRId64 ".%06" PRId64 " USD/h, the cap is %" PRId64
                       ".%06" PRId64,
                       launch->region, launch->type, price / 1000000, price % 1000000,
                       launch->max_price_u_usd / 1000000, launch->max_price_u_usd % 1000000);
    return 0;
}

/* ---- launch ---- */

static void copy(char *out, size_t size, const char *text)
{
    if (out[0] == '\0')
        snprintf(out, size, "%s", text);
}

/* The answer to a repeated request may lack tags: what was asked for is known. */
static void complete(const struct gl_launch *launch, struct gl_instance *out)
{
    copy(out->launch_id, sizeof out->launch_id, launch->launch_id);
    copy(out->token, sizeof out->token, launch->token);
    copy(out->type, sizeof out->type, launch->type);
    if (out->attempt == 0)
        out->attempt = launch->attempt;
    if (out->expires.unix_s == 0)
        out->expires = launch->expires;
}

/* Accepted, and ended before it ever ran:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-launch.html */
static const struct gl_remote_rule stillborn[] = {
    {0, "Server.InsufficientInstanceCapacity", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {0, "Client.VolumeLimitExceeded", NULL, GL_E_QUOTA, GL_REACH_REGION},
    {0, "Server.InternalError", NULL, GL_E_LAUNCH, GL_REACH_CALL},
    {0, "Client.InternalError", NULL, GL_E_LAUNCH, GL_REACH_CALL},
    {0, "Client.InvalidSnapshot.NotFound", NULL, GL_E_LAUNCH, GL_REACH_CALL},
    {0, NULL, NULL, GL_OK, GL_REACH_CALL},
};

/* GL_OK: it runs, may run yet, or has run. */
static enum gl_errc why_unborn(const struct gl_instance *seen, enum gl_reach *out_reach)
{
    enum gl_errc code = gl_remote_code(stillborn, 0, seen->why, NULL, out_reach);

    return code == GL_E_PROVIDER ? GL_OK : code; /* another reason */
}

/* What cannot be told in this time is told by whoever looks next: it is there. */
static int wait_made(struct gl_aws *aws, struct gl_instance *made, struct gl_error *err)
{
    struct gl_cloud_failure *failure = &aws->remote.cloud.failure;
    struct gl_instance seen = *made;
    struct gl_error why = {0};
    enum gl_reach reach = GL_REACH_CALL;
    enum gl_errc code = why_unborn(&seen, &reach);

    gl_remote_begin(&aws->remote, GL_REMOTE_SETTLE_MS);
    for (unsigned tries = 1;
         seen.state == GL_STATE_LAUNCHING || (seen.state == GL_STATE_STOPPING && code != GL_OK);
         tries++) {
        if (tries > 1 && !gl_aws_wait(aws, tries - 1, &why))
            break;
        if (gl_aws_look(aws, made->id, &seen, &why) == 0)
            code = why_unborn(&seen, &reach);
        else if (why.code != GL_E_NOT_FOUND)
            break;
        gl_error_clear(&why);
    }
    made->state = seen.state;
    memcpy(made->why, seen.why, sizeof made->why);
    if (code == GL_OK)
        return 0;
    *failure = (struct gl_cloud_failure){.reach = reach, .retry_after_ms = -1};
    snprintf(failure->word, sizeof failure->word, "%.63s", seen.why);
    return gl_fail(err, code, "aws in %s: %s: %s was accepted and ended before it ran",
                   made->region, seen.why, made->id);
}

static int read_run(struct gl_aws *aws, const struct gl_remote_call *call,
                    const struct gl_launch *launch, struct gl_instance *out, struct gl_error *err)
{
    struct gl_error why = {0};
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = gl_aws_read(call, &why);
    struct gl_instance made;
    const struct gl_xml_node *item = NULL;

    if (doc != NULL)
        item = gl_xml_child(gl_xml_child(gl_xml_root(doc), "instancesSet"), "item");
    if (item != NULL)
        gl_aws_read_instance(item, launch->region, &made);
    if (item == NULL || made.id[0] == '\0')
        return gl_fail(err, GL_E_OUTCOME, "aws in %s: RunInstances answers without an instance",
                       launch->region);
    complete(launch, &made);
    if (made.started.unix_s == 0)
        made.started = gl_now(aws->remote.world);
    if (wait_made(aws, &made, err) < 0)
        return -1;
    *out = made;
    return 0;
}

/* The token's instance is over: it is what the token stands for, as long as EC2 remembers it. */
static int find_ended(struct gl_aws *aws, const struct gl_launch *launch, struct gl_instance *out,
                      struct gl_error *err)
{
    struct gl_error ignored = {0};
    struct gl_cloud_failure failure = aws->remote.cloud.failure;

    if (gl_aws_find(&aws->remote.cloud, NULL, launch->token, out, &ignored) == 1) {
        gl_error_clear(err);
        return 0;
    }
    aws->remote.cloud.failure = failure;
    return -1;
}

/* Where a region is not enabled, its service knows nobody: the account's list of regions tells that
 * from keys that are wrong. */
static void tell_not_enabled(struct gl_aws *aws, const char *region, struct gl_error *err)
{
    struct gl_cloud_failure failure = aws->remote.cloud.failure;
    const char *const *names = NULL;
    struct gl_error ignored = {0};

    if (err->code != GL_E_NO_CREDENTIAL || strcmp(failure.word, "AuthFailure") != 0 ||
        strcmp(region, aws->home) == 0 || !gl_aws_is_wanted(aws, region) ||
        aws->remote.cloud.ops->regions(&aws->remote.cloud, &names, &ignored) != 0) {
        aws->remote.cloud.failure = failure;
        return;
    }
    while (*names != NULL && strcmp(*names, region) != 0)
        names++;
    failure.reach = *names == NULL ? GL_REACH_REGION : failure.reach;
    aws->remote.cloud.failure = failure;
    if (*names != NULL)
        return;
    gl_error_clear(err);
    gl_fail(err, GL_E_PERMISSION,
            "aws: region %s is not enabled for this account: enable it (Account, AWS Regions), or "
            "choose another",
            region);
}

int gl_aws_launch(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                  struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    char subnet[128];

    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    if (gl_aws_check_region(aws, launch->region, err) < 0 || check_price(aws, launch, err) < 0 ||
        make_run(aws, launch, &call, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    call.is_create = true;
    call.timeout_ms = GL_REMOTE_DEADLINE_MS / 2; /* RunInstances takes its time */
    if (launch->is_cancelled != NULL && launch->is_cancelled(launch->cookie))
        return gl_fail(err, GL_E_INTERRUPTED, "given up before anything was started");
    if (gl_remote_send(&aws->remote, &call, err) == 0)
        return read_run(aws, &call, launch, out, err);
    if (strcmp(aws->remote.cloud.failure.word, "IdempotentInstanceTerminated") == 0)
        return find_ended(aws, launch, out, err);
    if (gl_aws_item(aws->settings[GL_AWS_SUBNET], launch->region, 0, subnet))
        aws->remote.cloud.failure.places[0][0] = '\0'; /* it cannot be had in another zone */
    tell_not_enabled(aws, launch->region, err);
    return -1;
}

/* ---- check ---- */

/* DryRunOperation is what EC2 calls a launch that would have been allowed. */
static int judge_dry_run(struct gl_aws *aws, const struct gl_remote_call *call,
                         struct gl_error *err)
{
    struct gl_cloud_failure *failure = &aws->remote.cloud.failure;
    GL_AUTO(gl_str_done) struct gl_str clean = {.ceiling = 240};
    struct gl_remote_word word;
    char shown[GL_TEXT_SHOWN];
    enum gl_errc code;

    if (call->err.code != GL_OK) {
        *failure = call->failure;
        return gl_fail(err, call->err.code, "%s", call->err.text);
    }
    if (!gl_aws_read_error(&call->reply, &word))
        return gl_fail(err, GL_E_BAD_REPLY, "aws in %s: the dry run has no outcome (HTTP %d)",
                       call->region, call->reply.status);
    if (strcmp(word.word, "DryRunOperation") == 0)
        return 0;
    code = gl_remote_code(gl_aws_rules, call->reply.status, word.word, word.text, &failure->reach);
    snprintf(failure->word, sizeof failure->word, "%.63s", word.word);
    memcpy(failure->places, word.places, sizeof failure->places);
    gl_remote_redact(call, word.text);
    gl_str_add_printable(&clean, word.text, strlen(word.text));
    return gl_fail(err, code != GL_OK ? code : GL_E_BAD_REPLY, "aws in %s: %s: %s", call->region,
                   gl_text_show(word.word, shown), gl_str_text(&clean));
}

/* No quota is asked: EC2 itself counts what runs, and answers a launch beyond it at once. */
int gl_aws_check(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};

    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    if (gl_aws_check_region(aws, launch->region, err) < 0 || check_price(aws, launch, err) < 0 ||
        make_run(aws, launch, &call, err) < 0)
        return -1;
    gl_aws_add(&call, "true", "DryRun");
    call.has_fixed_status = true;
    gl_remote_send_all(&aws->remote, &call, 1);
    if (judge_dry_run(aws, &call, err) == 0)
        return 0;
    tell_not_enabled(aws, launch->region, err);
    return -1;
}
