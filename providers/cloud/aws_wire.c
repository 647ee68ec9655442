/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the Query protocol and what comes back; nothing is sent here. */
#include "providers/cloud/aws_part.h"

#include "base/time.h"
#include "providers/data/data.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

static const struct {
    const char *service, *mark; /* in the body, or the header X-Amz-Target */
} services[] = {{"ec2", "&Version=2016-11-15"},
                {"sts", "&Version=2011-06-15"},
                {"sustainability", "Content-Type: application/json\n"}, /* REST */
                {"pricing", "X-Amz-Target: AWSPriceListService."}};

const char *gl_aws_service_of(const char *headers, const char *body)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (strstr(services[i].mark[0] == '&' ? body : headers, services[i].mark) != NULL)
            return services[i].service;
    return "ec2";
}

static const char *version_of(const char *service)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (strcmp(services[i].service, service) == 0)
            return services[i].mark;
    return services[0].mark;
}

void gl_aws_query(struct gl_aws *aws, struct gl_remote_call *call, const char *service,
                  const char *region, const char *action)
{
    *call = (struct gl_remote_call){.method = "POST", .region = region};
    gl_aws_chain_endpoint(aws->chain, service, region, &call->url);
    gl_str_add_char(&call->url, '/');
    gl_remote_header(call, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    gl_str_addf(&call->body, "Action=%s%s", action, version_of(service));
}

void gl_aws_json(struct gl_aws *aws, struct gl_remote_call *call, const char *service,
                 const char *region, const char *target, const json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);

    *call = (struct gl_remote_call){.method = "POST", .region = region};
    gl_aws_chain_endpoint(aws->chain, service, region, &call->url);
    gl_str_add_char(&call->url, '/');
    gl_remote_header(call, "Content-Type", "application/x-amz-json-1.1");
    gl_remote_header(call, "X-Amz-Target", "%s", target);
    gl_str_add(&call->body, text != NULL ? text : "{}");
    free(text);
}

void gl_aws_add(struct gl_remote_call *call, const char *value, const char *name, ...)
{
    char full[128];
    va_list args;

    if (value == NULL)
        return;
    va_start(args, name);
    vsnprintf(full, sizeof full, name, args);
    va_end(args);
    gl_str_addf(&call->body, "&%s=", full);
    gl_remote_encode(&call->body, value);
}

void gl_aws_filter(struct gl_remote_call *call, unsigned number, const char *name,
                   const char *value)
{
    gl_aws_add(call, name, "Filter.%u.Name", number);
    gl_aws_add(call, value, "Filter.%u.Value.1", number);
}

void gl_aws_tag(struct gl_remote_call *call, unsigned number, const char *resource,
                const struct gl_launch *launch)
{
    struct gl_label labels[GL_LABEL_COUNT];
    char name[GL_CLOUD_ID];

    gl_labels_of(launch, labels);
    gl_attempt_name(launch, name);
    gl_aws_add(call, resource, "TagSpecification.%u.ResourceType", number);
    gl_aws_add(call, "Name", "TagSpecification.%u.Tag.1.Key", number);
    gl_aws_add(call, name, "TagSpecification.%u.Tag.1.Value", number);
    for (unsigned i = 0; i < GL_LABEL_COUNT; i++) {
        gl_aws_add(call, labels[i].name, "TagSpecification.%u.Tag.%u.Key", number, i + 2);
        gl_aws_add(call, labels[i].value, "TagSpecification.%u.Tag.%u.Value", number, i + 2);
    }
}

bool gl_aws_item(const char *setting, const char *region, unsigned number, char out[128])
{
    const char *at = setting;

    while (at != NULL && *at != '\0') {
        size_t length, named, skip;

        at += strspn(at, ", ");
        length = strcspn(at, ", ");
        named = strcspn(at, "=, ");
        skip = at[named] == '=' ? named + 1 : 0;
        if (length > skip && length - skip < 128 &&
            (skip == 0 || (strlen(region) == named && strncmp(at, region, named) == 0)) &&
            number-- == 0) {
            snprintf(out, 128, "%.*s", (int)(length - skip), at + skip);
            return true;
        }
        at += length;
    }
    return false;
}

/* ---- types by their names ---- */

/* "m7gd.large": family "m", and what stands behind the generation ("gd"). */
static const char *traits_of(const char *type, size_t *out_family, size_t *out_length)
{
    size_t family = strcspn(type, "0123456789.");
    size_t generation = strspn(type + family, "0123456789");

    *out_family = family;
    *out_length = strcspn(type + family + generation, ".");
    return type + family + generation;
}

const char *gl_aws_arch(const char *type)
{
    const struct gl_type_row *row = gl_data_type("aws", type);
    size_t family, length;
    const char *traits;

    if (row != NULL)
        return strcmp(row->arch, "arm64") == 0 ? "arm64" : "x86_64";
    traits = traits_of(type, &family, &length);
    if (strncmp(type, "a1.", 3) == 0 || memchr(traits, 'g', length) != NULL)
        return "arm64";
    return "x86_64";
}

/* ---- errors ---- */

const struct gl_remote_rule gl_aws_rules[] = {
    {0, "RequestLimitExceeded", NULL, GL_E_RATE_LIMIT, GL_REACH_REGION},
    {0, "EC2ThrottledException", NULL, GL_E_RATE_LIMIT, GL_REACH_REGION},
    {0, "Throttl*", NULL, GL_E_RATE_LIMIT, GL_REACH_REGION},
    {0, "SlowDown", NULL, GL_E_RATE_LIMIT, GL_REACH_REGION},
    {0, "TooManyRequestsException", NULL, GL_E_RATE_LIMIT, GL_REACH_REGION},
    {0, "RequestThrottled*", NULL, GL_E_RATE_LIMIT, GL_REACH_REGION},
    {0, "BandwidthLimitExceeded", NULL, GL_E_RATE_LIMIT, GL_REACH_REGION},
    {0, "Insufficient*Capacity*", NULL, GL_E_CAPACITY, GL_REACH_ZONE}, /* Instance, Volume ... */
    {0, "UnfulfillableCapacity", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {0, "ReservationCapacityExceeded", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {0, "InsufficientFreeAddressesInSubnet", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {0, "Unsupported", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {0, "VcpuLimitExceeded", NULL, GL_E_QUOTA, GL_REACH_REGION},
    {0, "MaxSpotInstanceCountExceeded", NULL, GL_E_QUOTA, GL_REACH_REGION},
    {0, "InstanceLimitExceeded", NULL, GL_E_QUOTA, GL_REACH_REGION},
    {0, "MaxFleetCountExceeded", NULL, GL_E_QUOTA, GL_REACH_REGION},
    {0, "VolumeLimitExceeded", NULL, GL_E_QUOTA, GL_REACH_REGION},
    {0, "MaxIOPSLimitExceeded", NULL, GL_E_QUOTA, GL_REACH_REGION},
    {0, "InstanceCreditSpecification.*Exceeded", NULL, GL_E_QUOTA, GL_REACH_REGION},
    {0, "*LimitExceeded", NULL, GL_E_QUOTA, GL_REACH_REGION}, /* of what hangs on a machine */
    {0, "SpotMaxPriceTooLow", NULL, GL_E_PRICE, GL_REACH_CALL},
    {0, "IdempotentParameterMismatch", NULL, GL_E_TOKEN, GL_REACH_CALL},
    {0, "IdempotentInstanceTerminated", NULL, GL_E_TOKEN, GL_REACH_CALL},
    {0, "ExpiredToken*", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "RequestExpired", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "AuthFailure", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "InvalidClientTokenId", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "UnrecognizedClient*", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "SignatureDoesNotMatch", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "IncompleteSignature", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "InvalidSignatureException", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "MissingAuthenticationToken*", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    /* Most often the organization's list of regions. */
    {0, "UnauthorizedOperation", "service control policy", GL_E_PERMISSION, GL_REACH_REGION},
    {0, "UnauthorizedOperation", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "AccessDenied*", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "NotAuthorized*", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "Blocked", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "PendingVerification", NULL, GL_E_PERMISSION, GL_REACH_REGION},
    {0, "OptInRequired", NULL, GL_E_PERMISSION, GL_REACH_REGION},
    {0, "InvalidInstanceID.*", NULL, GL_E_NOT_FOUND, GL_REACH_CALL},
    {0, "InvalidAMIID.*", NULL, GL_E_NOT_FOUND, GL_REACH_CALL},
    {0, "InvalidSnapshot.NotFound", NULL, GL_E_NOT_FOUND, GL_REACH_CALL},
    {0, "InvalidInstanceType*", NULL, GL_E_UNKNOWN_NAME, GL_REACH_CALL},
    {0, "InvalidParameterValue", "InstanceType", GL_E_UNKNOWN_NAME, GL_REACH_CALL},
    {0, "IncorrectInstanceState", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "IncorrectState", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "PriorRequestNotComplete", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "RequestTimeout*", NULL, GL_E_PROVIDER, GL_REACH_CALL},
    {0, "UnsupportedOperation", NULL, GL_E_LAUNCH, GL_REACH_CALL},
    {0, NULL, NULL, GL_OK, GL_REACH_CALL},
};

static void keep_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text != NULL ? text : "");
}

/* "... or choosing us-east-1a, us-east-1c." */
static void read_places(struct gl_remote_word *word)
{
    const char *at = strstr(word->text, "choosing ");
    size_t count = 0;

    for (at = at != NULL ? at + strlen("choosing ") : ""; count < 8;) {
        size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-");

        if (length < 6 || length >= sizeof word->places[0])
            break;
        snprintf(word->places[count++], sizeof word->places[0], "%.*s", (int)length, at);
        at += length;
        at += strspn(at, ", ");
    }
}

/* Three spellings: EC2's <Response><Errors><Error>, STS's <ErrorResponse><Error>, and both. */
static bool read_xml_error(const struct gl_http_reply *reply, struct gl_remote_word *out)
{
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;
    struct gl_error ignored = {0};
    const struct gl_xml_node *root, *error;

    if (gl_xml_parse(reply->body, reply->body_length, &doc, &ignored) < 0)
        return false;
    root = gl_xml_root(doc);
    error = gl_xml_child(gl_xml_child(root, "Errors"), "Error");
    if (error == NULL)
        error = gl_xml_child(root, "Error");
    if (gl_xml_text(error, "Code") == NULL)
        return false;
    keep_text(out->word, sizeof out->word, gl_xml_text(error, "Code"));
    keep_text(out->text, sizeof out->text, gl_xml_text(error, "Message"));
    return true;
}

static const char *first_of(const json_t *object, const char *const *names)
{
    const char *text = NULL;

    for (; text == NULL && *names != NULL; names++)
        text = json_string_value(json_object_get(object, *names));
    return text;
}

/* "com.amazonaws...#AccessDeniedException" of JSON 1.1, "AccessDeniedException:http://..." of REST:
 * https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization */
static void keep_type(const char *type, struct gl_remote_word *out)
{
    const char *name = strchr(type, '#') != NULL ? strchr(type, '#') + 1 : type;

    snprintf(out->word, sizeof out->word, "%.*s", (int)strcspn(name, ":"), name);
}

/* {"__type": ..., "message": ...}, or the type in a header. A gateway's answer has a message alone:
 * the status then says what it is. */
static bool read_json_error(const struct gl_http_reply *reply, struct gl_remote_word *out)
{
    static const char *const types[] = {"__type", "code", NULL};
    static const char *const texts[] = {"message", "Message", NULL};
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *json = gl_json_parse(reply->body, reply->body_length, "the answer", &ignored);
    const char *type = first_of(json, types), *text = first_of(json, texts);
    char header[256];

    if (gl_http_reply_header(reply, "x-amzn-errortype", header, sizeof header))
        type = header;
    if (type == NULL && text == NULL)
        return false;
    keep_type(type != NULL ? type : "", out);
    keep_text(out->text, sizeof out->text, text);
    return true;
}

bool gl_aws_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out)
{
    bool is_read;

    *out = (struct gl_remote_word){0};
    if (reply->body == NULL || reply->body_length == 0)
        return false;
    is_read = strstr(reply->content_type, "json") != NULL ? read_json_error(reply, out)
                                                          : read_xml_error(reply, out);
    if (is_read)
        read_places(out);
    return is_read;
}

/* ---- instances ---- */

static enum gl_instance_state state_of(const char *name)
{
    static const struct {
        const char *name;
        enum gl_instance_state state;
    } states[] = {{"pending", GL_STATE_LAUNCHING},      {"running", GL_STATE_RUNNING},
                  {"shutting-down", GL_STATE_STOPPING}, {"terminated", GL_STATE_ENDED},
                  {"stopping", GL_STATE_STOPPING},      {"stopped", GL_STATE_HALTED}};

    for (size_t i = 0; name != NULL && i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i].name, name) == 0)
            return states[i].state;
    return GL_STATE_RUNNING; /* what is not known may run, and is billed */
}

static const char *tag_of(void *cookie, const char *name)
{
    const struct gl_xml_node *item = gl_xml_child(*(const struct gl_xml_node **)cookie, "item");

    for (; item != NULL; item = gl_xml_next(item, "item")) {
        const char *key = gl_xml_text(item, "key");

        if (key != NULL && strcmp(key, name) == 0)
            return gl_xml_text(item, "value");
    }
    return NULL;
}

bool gl_aws_read_instance(const struct gl_xml_node *item, const char *region,
                          struct gl_instance *out)
{
    const struct gl_xml_node *tags = gl_xml_child(item, "tagSet");
    const char *id = gl_xml_text(item, "instanceId"), *why = gl_xml_text(item, "stateReason/code");
    const char *started = gl_xml_text(item, "launchTime");
    const char *lifecycle = gl_xml_text(item, "instanceLifecycle");
    struct gl_error ignored = {0};

    *out = (struct gl_instance){.host_cpu_ms = -1};
    if (id == NULL || gl_xml_text(item, "instanceState/name") == NULL)
        return false;
    snprintf(out->id, sizeof out->id, "%.39s/%.23s", region, id);
    keep_text(out->region, sizeof out->region, region);
    keep_text(out->type, sizeof out->type, gl_xml_text(item, "instanceType"));
    keep_text(out->zone, sizeof out->zone, gl_xml_text(item, "placement/availabilityZone"));
    snprintf(out->how, sizeof out->how, "ec2/%.30s", lifecycle != NULL ? lifecycle : "on-demand");
    out->state = state_of(gl_xml_text(item, "instanceState/name"));
    if (out->state != GL_STATE_RUNNING && out->state != GL_STATE_LAUNCHING)
        keep_text(out->why, sizeof out->why, why);
    if (started != NULL)
        gl_instant_parse(started, &out->started, &ignored);
    return gl_labels_read(tag_of, &tags, out);
}

static void push(struct gl_aws_instances *list, const struct gl_instance *instance)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity > 0 ? list->capacity * 2 : 16;
        list->items = gl_realloc(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->count++] = *instance;
}

int gl_aws_read_instances(const struct gl_http_reply *reply, const char *region,
                          struct gl_aws_instances *out, char next[1024], struct gl_error *err)
{
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;
    const struct gl_xml_node *set, *at, *item;
    struct gl_instance instance;
    const char *token;

    if (gl_xml_parse(reply->body, reply->body_length, &doc, err) < 0)
        return -1;
    set = gl_xml_child(gl_xml_root(doc), "reservationSet");
    if (set == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "the answer has no reservationSet");
    token = gl_xml_text(gl_xml_root(doc), "nextToken");
    if (token != NULL && strlen(token) >= 1024)
        return gl_fail(err, GL_E_TOO_LARGE, "the next page's token is longer than 1 KiB");
    keep_text(next, 1024, token);
    for (at = gl_xml_child(set, "item"); at != NULL; at = gl_xml_next(at, "item"))
        for (item = gl_xml_child(gl_xml_child(at, "instancesSet"), "item"); item != NULL;
             item = gl_xml_next(item, "item"))
            if (gl_aws_read_instance(item, region, &instance)) {
                if (out->count >= GL_AWS_LIST_MAX)
                    return gl_fail(err, GL_E_TOO_LARGE, "more than %u instances", GL_AWS_LIST_MAX);
                push(out, &instance);
            }
    return 0;
}

struct gl_xml *gl_aws_read(const struct gl_remote_call *call, struct gl_error *err)
{
    struct gl_xml *doc = NULL;
    const char *body = call->reply.body != NULL ? call->reply.body : "";

    if (gl_xml_parse(body, call->reply.body_length, &doc, err) == 0)
        return doc;
    if (call->is_create) /* it may have been done */
        err->code = GL_E_OUTCOME;
    gl_wrap(err, "aws in %s", call->region != NULL ? call->region : "?");
    return NULL;
}
