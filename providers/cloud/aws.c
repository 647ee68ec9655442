/* SPDX-License-Identifier: Apache-2.0 */
/* AWS EC2 behind the contract of cloud.h: opening, signing, who, where and what. */
#include "providers/cloud/aws_part.h"

#include "providers/cloud/drivers.h"
#include "providers/data/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOME_REGION "us-east-1" /* where nothing else is named: for reading only */

const struct gl_setting_key gl_aws_keys[] = {
    [GL_AWS_PROFILE] = {.name = "profile", .what = "profile of ~/.aws (else AWS_PROFILE)"},
    [GL_AWS_REGION] = {.name = "region",
                       .what = "region asked first (else AWS_REGION, the profile's)"},
    [GL_AWS_REGIONS] = {.name = "regions",
                        .what = "only these regions, with commas; else all enabled ones"},
    [GL_AWS_ENDPOINT] = {.name = "endpoint", .what = "address of all services, for a private one"},
    [GL_AWS_IMAGE] = {.name = "image",
                      .what = "AMI or resolve:ssm:NAME; REGION=AMI, ... for each region",
                      .fallback = "resolve:ssm:/aws/service/debian/release/12/latest/ARCH"},
    [GL_AWS_SUBNET] = {.name = "subnet",
                       .what = "subnet, or REGION=SUBNET, ...; else the default one"},
    [GL_AWS_GROUPS] = {.name = "security_groups", .what = "security groups, or REGION=GROUP, ..."},
    [GL_AWS_INSTANCE_PROFILE] = {.name = "instance_profile",
                                 .what = "IAM instance profile, name or ARN"},
    [GL_AWS_KEY_NAME] = {.name = "key_name", .what = "SSH key pair, or REGION=KEY, ..."},
    [GL_AWS_SETTLE] = {.name = "settle",
                       .what = "seconds to look for a lost launch before it counts as absent",
                       .fallback = "15"},
    [GL_AWS_SETTINGS] = {0}};

/* ---- sending ---- */

/* What stands behind "https://" of an address. */
static const char *host_of(const char *url)
{
    const char *host = strstr(url, "://");

    return host != NULL ? host + 3 : url;
}

/* "ec2.eu-west-1.amazonaws.com" of an address. */
static void add_host(const char *url, struct gl_str *out)
{
    const char *host = host_of(url);

    gl_str_add(out, "Host: ");
    gl_str_add_bytes(out, host, strcspn(host, "/?#"));
    gl_str_add_char(out, '\n');
}

/* Prices are signed for where their service is, whatever region they are of. */
static const char *pricing_region(const struct gl_aws *aws)
{
    return strncmp(aws->home, "cn-", 3) == 0 ? "cn-northwest-1" : "us-east-1";
}

static int authorize(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                     struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)remote;
    const char *service = gl_aws_service_of(gl_str_text(&call->headers), gl_str_text(&call->body));
    const struct gl_aws_credential *credential;
    const char *path = strchr(host_of(gl_str_text(&call->url)), '/');
    struct gl_sigv4_request request = {
        .method = call->method, .path = path != NULL ? path : "/", .query = ""};
    struct gl_sigv4 how = {.service = service, .at = gl_now(remote->world)};
    struct gl_str headers = {0};

    (void)is_renewed; /* token_ask() has seen to it */
    if (gl_aws_chain_get(aws->chain, false, &credential, err) < 0)
        return -1;
    how.keys = &credential->keys;
    how.region = strcmp(service, "pricing") == 0 ? pricing_region(aws)
                 : call->region != NULL          ? call->region
                                                 : aws->home;
    add_host(gl_str_text(&call->url), &headers);
    gl_str_add(&headers, gl_str_text(&call->headers));
    request.headers = gl_str_text(&headers);
    request.body = (struct gl_view){gl_str_text(&call->body), call->body.length};
    gl_sigv4_sign(&how, &request, &call->headers, NULL);
    gl_str_done(&headers);
    return 0;
}

static int token_ask(struct gl_remote *remote, bool is_renewed, struct gl_remote_call *out,
                     struct gl_error *err)
{
    return gl_aws_chain_ask(((struct gl_aws *)remote)->chain, is_renewed, out, err);
}

static int token_read(struct gl_remote *remote, const struct gl_remote_call *call,
                      struct gl_error *err)
{
    return gl_aws_chain_take(((struct gl_aws *)remote)->chain, call, err);
}

static const struct gl_remote_ops remote_ops = {.rules = gl_aws_rules,
                                                .read_error = gl_aws_read_error,
                                                .authorize = authorize,
                                                .token_ask = token_ask,
                                                .token_read = token_read,
                                                .hears_failure = true};

struct gl_xml *gl_aws_ask(struct gl_aws *aws, struct gl_remote_call *call, struct gl_error *err)
{
    return gl_remote_send(&aws->remote, call, err) < 0 ? NULL : gl_aws_read(call, err);
}

bool gl_aws_wait(struct gl_aws *aws, unsigned tries, struct gl_error *err)
{
    int64_t ms = tries > 4 ? 8000 : (int64_t)500 << (tries > 0 ? tries - 1 : 0);

    return gl_remote_wait(&aws->remote, ms, err) == 0;
}

int gl_aws_split(const char *id, const char *prefix, char region[40], const char **out_native,
                 struct gl_error *err)
{
    const char *native = gl_remote_id_split(id, region);
    size_t length = strlen(prefix);
    char shown[GL_TEXT_SHOWN];

    if (native == NULL || !gl_aws_is_region(region) || strncmp(native, prefix, length) != 0 ||
        strlen(native) > 40 ||
        strspn(native + length, "0123456789abcdef") != strlen(native + length))
        return gl_fail(err, GL_E_NOT_FOUND, "%s is none of AWS: REGION/%s0123456789abcdef0",
                       gl_text_show(id, shown), prefix);
    *out_native = native;
    return 0;
}

/* ---- who ---- */

static int whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;
    const struct gl_xml_node *result;
    const char *account, *arn;

    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    gl_aws_query(aws, &call, "sts", aws->home, "GetCallerIdentity");
    doc = gl_aws_ask(aws, &call, err);
    if (doc == NULL)
        return -1;
    result = gl_xml_child(gl_xml_root(doc), "GetCallerIdentityResult");
    account = gl_xml_text(result, "Account");
    arn = gl_xml_text(result, "Arn");
    if (account == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "aws: GetCallerIdentity names no account");
    arn = arn != NULL ? strrchr(arn, ':') : NULL;
    snprintf(out, 128, "account %.20s%s%.90s", account, arn != NULL ? ", " : "",
             arn != NULL ? arn + 1 : "");
    return 0;
}

/* ---- where ---- */

static void names_free(const char **names)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        free((char *)(uintptr_t)names[i]);
    free(names);
}

static void names_add(const char ***names, size_t *count, const char *name)
{
    *names = gl_realloc(*names, (*count + 2) * sizeof **names);
    (*names)[(*count)++] = gl_strdup(name);
    (*names)[*count] = NULL;
}

bool gl_aws_is_wanted(const struct gl_aws *aws, const char *region)
{
    const char *list = aws->settings[GL_AWS_REGIONS];
    char item[128];

    if (!gl_aws_is_region(region))
        return false;
    if (list == NULL || *list == '\0')
        return true;
    for (unsigned i = 0; gl_aws_item(list, region, i, item); i++)
        if (strcmp(item, region) == 0)
            return true;
    return false;
}

static int read_regions(struct gl_aws *aws, const struct gl_xml *doc, struct gl_error *err)
{
    const struct gl_xml_node *item = gl_xml_child(gl_xml_root(doc), "regionInfo");
    const char **names = gl_alloc(sizeof *names);
    size_t count = 0;

    for (item = gl_xml_child(item, "item"); item != NULL; item = gl_xml_next(item, "item")) {
        const char *name = gl_xml_text(item, "regionName");
        const char *opted = gl_xml_text(item, "optInStatus");

        if (name == NULL || !gl_aws_is_wanted(aws, name))
            continue;
        if (opted == NULL || strcmp(opted, "not-opted-in") != 0)
            names_add(&names, &count, name);
    }
    if (count == 0) {
        names_free(names);
        return gl_fail(err, GL_E_BAD_REPLY, "aws: no region is enabled that the settings admit");
    }
    aws->regions = names;
    return 0;
}

static int regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;

    if (aws->regions == NULL) {
        gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
        gl_aws_query(aws, &call, "ec2", aws->home, "DescribeRegions");
        doc = gl_aws_ask(aws, &call, err);
        if (doc == NULL || read_regions(aws, doc, err) < 0)
            return -1;
    }
    *out = aws->regions;
    return 0;
}

int gl_aws_check_region(struct gl_aws *aws, const char *region, struct gl_error *err)
{
    const char *const *names;
    char shown[GL_TEXT_SHOWN];

    if (gl_aws_is_region(region)) {
        if (gl_data_region("aws", region) != NULL)
            return 0;
        if (regions(&aws->remote.cloud, &names, err) < 0)
            return -1;
        for (; *names != NULL; names++)
            if (strcmp(*names, region) == 0)
                return 0;
    }
    aws->remote.cloud.failure.reach = GL_REACH_REGION;
    return gl_fail(err, GL_E_UNKNOWN_NAME, "aws has no region %s", gl_text_show(region, shown));
}

/* ---- what ---- */

/* One page of offerings; its successor's token into `next`. */
static int read_types(const struct gl_xml *doc, const char ***names, size_t *count, char next[1024])
{
    const struct gl_xml_node *root = gl_xml_root(doc);
    const struct gl_xml_node *item = gl_xml_child(root, "instanceTypeOfferingSet");
    const char *token = gl_xml_text(root, "nextToken");

    if (item == NULL || (token != NULL && strlen(token) >= 1024))
        return -1;
    for (item = gl_xml_child(item, "item"); item != NULL; item = gl_xml_next(item, "item")) {
        const char *name = gl_xml_text(item, "instanceType");

        if (name != NULL && strlen(name) < 40)
            names_add(names, count, name);
    }
    snprintf(next, 1024, "%s", token != NULL ? token : "");
    return 0;
}

static int ask_types(struct gl_aws *aws, const char *region, const char ***names, size_t *count,
                     struct gl_error *err)
{
    char next[1024] = "";
    unsigned pages = 0;

    do {
        GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
        GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;

        gl_aws_query(aws, &call, "ec2", region, "DescribeInstanceTypeOfferings");
        gl_aws_add(&call, "region", "LocationType");
        gl_aws_add(&call, "1000", "MaxResults");
        gl_aws_add(&call, next[0] != '\0' ? next : NULL, "NextToken");
        doc = gl_aws_ask(aws, &call, err);
        if (doc == NULL)
            return -1;
        if (read_types(doc, names, count, next) < 0 || ++pages > GL_AWS_PAGES_MAX)
            return gl_fail(err, GL_E_BAD_REPLY, "aws in %s: the list of types makes no sense",
                           region);
    } while (next[0] != '\0');
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int types(struct gl_cloud *cloud, const char *region, const char *const **out,
                 struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    struct gl_aws_types *kept;
    const char **names;
    size_t count = 0;

    for (size_t i = 0; i < aws->type_count; i++)
        if (strcmp(aws->types[i].region, region) == 0) {
            *out = aws->types[i].names;
            return 0;
        }
    if (gl_aws_check_region(aws, region, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    names = gl_alloc(sizeof *names);
    if (ask_types(aws, region, &names, &count, err) < 0) {
        names_free(names);
        return -1;
    }
    qsort(names, count, sizeof *names, by_name);
    aws->types = gl_realloc(aws->types, (aws->type_count + 1) * sizeof *aws->types);
    kept = &aws->types[aws->type_count++];
    *kept = (struct gl_aws_types){.names = names};
    snprintf(kept->region, sizeof kept->region, "%s", region);
    *out = names;
    return 0;
}

/* ---- opening ---- */

static enum gl_errc classify(int status, const char *word)
{
    return gl_remote_code(gl_aws_rules, status, word, NULL, NULL);
}

static void shut(struct gl_cloud *cloud)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;

    gl_aws_chain_free(aws->chain);
    for (size_t i = 0; i < GL_AWS_SETTINGS; i++)
        free(aws->settings[i]);
    names_free(aws->regions);
    for (size_t i = 0; i < aws->type_count; i++)
        names_free(aws->types[i].names);
    for (size_t i = 0; i < aws->console_count; i++)
        gl_str_done(&aws->consoles[i].window);
    free(aws->types);
    free(aws->consoles);
    gl_remote_done(&aws->remote);
    free(aws);
}

struct gl_cloud *gl_aws_open(const struct gl_cloud_options *options, struct gl_error *err)
{
    struct gl_aws *aws = gl_alloc(sizeof *aws);
    struct gl_aws_chain_options chain = {.world = options->world};
    const char *region, *value;
    char endpoint[256];
    char shown[GL_TEXT_SHOWN];

    gl_remote_init(&aws->remote, &gl_aws_ops, &remote_ops, options);
    for (size_t i = 0; i < GL_AWS_SETTINGS; i++) {
        value = gl_cloud_setting(&gl_aws_ops, options, gl_aws_keys[i].name);
        aws->settings[i] = value != NULL ? gl_strdup(value) : NULL;
    }
    chain.profile = aws->settings[GL_AWS_PROFILE];
    chain.region = aws->settings[GL_AWS_REGION];
    chain.endpoint = aws->settings[GL_AWS_ENDPOINT];
    if (chain.endpoint != NULL && gl_remote_endpoint(&gl_aws_ops, options, "", endpoint, err) < 0) {
        shut(&aws->remote.cloud);
        return NULL;
    }
    aws->chain = gl_aws_chain_new(&chain, err);
    region = aws->chain != NULL ? gl_aws_chain_region(aws->chain) : NULL;
    if (aws->chain != NULL && region != NULL && !gl_aws_is_region(region))
        gl_fail(err, GL_E_CONFIG, "aws: %s is not the name of a region",
                gl_text_show(region, shown));
    if (err->code != GL_OK) {
        shut(&aws->remote.cloud);
        return NULL;
    }
    snprintf(aws->home, sizeof aws->home, "%s", region != NULL ? region : HOME_REGION);
    return &aws->remote.cloud;
}

const struct gl_cloud_ops gl_aws_ops = {
    .name = "aws",
    .title = "Amazon Web Services, EC2",
    .caps = GL_CLOUD_REMOTE | GL_CLOUD_HALTS | GL_CLOUD_IMAGES | GL_CLOUD_CHECKS |
            GL_CLOUD_CONSOLE | GL_CLOUD_SPOT | GL_CLOUD_IDENTITY,
    .keys = gl_aws_keys,
    .whoami = whoami,
    .regions = regions,
    .types = types,
    .price = gl_aws_price,
    .launch = gl_aws_launch,
    .describe = gl_aws_describe,
    .find_by_request = gl_aws_find,
    .list = gl_aws_list,
    .stop = gl_aws_stop,
    .terminate = gl_aws_terminate,
    .console = gl_aws_console_read,
    .check = gl_aws_check,
    .halt = gl_aws_halt,
    .start = gl_aws_start,
    .image_create = gl_aws_image_create,
    .image_copy = gl_aws_image_copy,
    .image_look = gl_aws_image_look,
    .image_delete = gl_aws_image_delete,
    .image_find = gl_aws_image_find,
    .statement = gl_aws_statement,
    .catalog = &gl_aws_catalog,
    .classify = classify,
    .close = shut,
};
