/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_counterparts.h"

#include "tests/conformance/cloud_fake_aws.h"
#include "tests/conformance/cloud_fake_vps.h"
#include "tests/support/fake_azure.h"
#include "tests/support/fake_gcp.h"
#include "tests/support/fake_kubernetes.h"
#include "tests/support/fake_openstack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLENTY 1000000

static const char *label_of(const json_t *labels)
{
    const char *launch = json_string_value(json_object_get(labels, "greenlaunch-request"));

    return launch != NULL ? launch : "";
}

/* ---- aws ---- */

static void *aws_start(const char *folder)
{
    struct gl_fake_aws *fake = gl_fake_aws_start();

    (void)folder;
    if (getenv("FAKE_AWS_CLOSED") != NULL) /* a region where nobody may look */
        fake->fault = (struct gl_fake_aws_fault){.action = "DescribeInstances",
                                                 .region = getenv("FAKE_AWS_CLOSED"),
                                                 .status = 403,
                                                 .code = "UnauthorizedOperation",
                                                 .message = "closed by the organization",
                                                 .times = PLENTY};
    return fake;
}

static void aws_stop(void *fake)
{
    gl_fake_aws_stop(fake);
}

static const char *aws_url(const void *fake)
{
    return gl_fake_aws_url(fake);
}

static const char *aws_complaints(const void *fake)
{
    return ((const struct gl_fake_aws *)fake)->problem;
}

static size_t aws_left(const void *fake)
{
    return gl_fake_aws_alive(fake);
}

static const char *aws_launch_of(const void *cookie, size_t at)
{
    const struct gl_fake_aws *fake = cookie;
    const struct gl_fake_aws_instance *machine = &fake->instances[at];

    if (at >= fake->count)
        return NULL;
    if (strcmp(machine->state, "running") != 0 && strcmp(machine->state, "pending") != 0)
        return "";
    for (unsigned i = 0; i < machine->tag_count; i++)
        if (strcmp(machine->tags[i].key, "greenlaunch-request") == 0)
            return machine->tags[i].value;
    return "";
}

static void aws_say(void *fake, const char *text)
{
    ((struct gl_fake_aws *)fake)->console = text;
}

/* ---- gcp ---- */

static void *gcp_start(const char *folder)
{
    struct fake_gcp *fake = gl_alloc(sizeof *fake);

    fake_gcp_start(fake, folder);
    fake->cpus_left = PLENTY;
    return fake;
}

static void gcp_stop(void *fake)
{
    fake_gcp_stop(fake);
    free(fake);
}

static const char *gcp_url(const void *fake)
{
    return gl_test_server_url(((const struct fake_gcp *)fake)->server);
}

static const char *gcp_complaints(const void *fake)
{
    return gl_str_text(&((const struct fake_gcp *)fake)->complaints);
}

static size_t gcp_left(const void *fake)
{
    return fake_gcp_running(fake);
}

static const char *gcp_launch_of(const void *cookie, size_t at)
{
    const struct fake_gcp *fake = cookie;
    const char *status;

    if (at >= fake->count)
        return NULL;
    status = json_string_value(json_object_get(fake->instances[at], "status"));
    return status != NULL && strcmp(status, "RUNNING") == 0
               ? label_of(json_object_get(fake->instances[at], "labels"))
               : "";
}

static void gcp_show(void *cookie, const json_t *instance, struct gl_str *out)
{
    (void)instance;
    gl_str_add(out, cookie);
}

static void gcp_say(void *cookie, const char *text)
{
    struct fake_gcp *fake = cookie;

    fake->console_cookie = (void *)(uintptr_t)text;
    fake->console = gcp_show;
}

/* ---- azure ---- */

static void *azure_start(const char *folder)
{
    struct fake_azure *fake = gl_alloc(sizeof *fake);

    (void)folder;
    fake_azure_start(fake);
    fake->cores_left = PLENTY;
    return fake;
}

static void azure_stop(void *fake)
{
    fake_azure_stop(fake);
    free(fake);
}

static const char *azure_url(const void *fake)
{
    return gl_test_server_url(((const struct fake_azure *)fake)->server);
}

static const char *azure_complaints(const void *fake)
{
    return gl_str_text(&((const struct fake_azure *)fake)->complaints);
}

static size_t azure_left(const void *cookie)
{
    const struct fake_azure *fake = cookie;

    return fake_azure_running(fake) + json_object_size(fake->disks);
}

/* The value of member `at` of an object; NULL after the last. */
static json_t *member(json_t *object, size_t at)
{
    void *next = json_object_iter(object);

    while (next != NULL && at-- > 0)
        next = json_object_iter_next(object, next);
    return next != NULL ? json_object_iter_value(next) : NULL;
}

static const char *azure_launch_of(const void *cookie, size_t at)
{
    const json_t *vm = member(((const struct fake_azure *)cookie)->vms, at);
    const char *state =
        json_string_value(json_object_get(json_object_get(vm, "properties"), "provisioningState"));

    if (vm == NULL)
        return NULL;
    return state != NULL && strcmp(state, "Failed") == 0 ? ""
                                                         : label_of(json_object_get(vm, "tags"));
}

static void azure_say(void *fake, const char *text)
{
    ((struct fake_azure *)fake)->log = text;
}

/* ---- openstack ---- */

static void *openstack_start(const char *folder)
{
    struct fake_openstack *fake = gl_alloc(sizeof *fake);

    (void)folder;
    fake_openstack_start(fake);
    fake->cores_left = PLENTY;
    return fake;
}

static void openstack_stop(void *fake)
{
    fake_openstack_stop(fake);
    free(fake);
}

static const char *openstack_url(const void *fake)
{
    return gl_test_server_url(((const struct fake_openstack *)fake)->server);
}

static const char *openstack_complaints(const void *fake)
{
    return gl_str_text(&((const struct fake_openstack *)fake)->complaints);
}

static size_t openstack_left(const void *fake)
{
    return fake_openstack_existing(fake);
}

static const char *openstack_launch_of(const void *cookie, size_t at)
{
    const struct fake_openstack *fake = cookie;
    size_t in = at / FAKE_OPENSTACK_MAX;
    const json_t *server;
    const char *status;

    if (in > 1)
        return NULL;
    at %= FAKE_OPENSTACK_MAX;
    server = at < fake->regions[in].count ? fake->regions[in].servers[at] : NULL;
    status = json_string_value(json_object_get(server, "status"));
    return status != NULL && (strcmp(status, "ACTIVE") == 0 || strcmp(status, "BUILD") == 0)
               ? label_of(json_object_get(server, "metadata"))
               : "";
}

static void openstack_say(void *fake, const char *text)
{
    ((struct fake_openstack *)fake)->console = text;
}

/* ---- hetzner, digitalocean, scaleway ---- */

static void *hetzner_start(const char *folder)
{
    struct gl_fake *fake = gl_fake_start(&gl_fake_hetzner);

    (void)folder;
    fake->bills_in_usd = getenv("FAKE_HETZNER_BILLS_IN_USD") != NULL;
    return fake;
}

static void *digitalocean_start(const char *folder)
{
    (void)folder;
    return gl_fake_start(&gl_fake_digitalocean);
}

static void *scaleway_start(const char *folder)
{
    (void)folder;
    return gl_fake_start(&gl_fake_scaleway);
}

static void vps_stop(void *fake)
{
    gl_fake_stop(fake);
}

static const char *vps_url(const void *fake)
{
    return gl_fake_url(fake);
}

static const char *vps_complaints(const void *fake)
{
    return ((const struct gl_fake *)fake)->complaint;
}

static size_t vps_left(const void *cookie)
{
    const struct gl_fake *fake = cookie;

    return gl_fake_running(fake) + fake->volumes_left;
}

/* Its name is LAUNCH-ATTEMPT: two attempts are two launches here, and two of one are seen. */
static const char *vps_launch_of(const void *cookie, size_t at)
{
    const struct gl_fake *fake = cookie;

    if (at >= fake->count)
        return NULL;
    return fake->servers[at].is_there ? fake->servers[at].name : "";
}

/* ---- kubernetes ---- */

static void *kubernetes_start(const char *folder)
{
    struct fake_kubernetes *fake = gl_alloc(sizeof *fake);

    fake_kubernetes_init(fake);
    fake_kubernetes_start(fake);
    free(fake_kubernetes_config(fake, folder, "    token: " FAKE_KUBERNETES_TOKEN));
    return fake;
}

static void kubernetes_stop(void *fake)
{
    fake_kubernetes_stop(fake);
    free(fake);
}

static const char *kubernetes_url(const void *fake)
{
    return gl_test_server_url(((const struct fake_kubernetes *)fake)->server);
}

static const char *kubernetes_complaints(const void *fake)
{
    return gl_str_text(&((const struct fake_kubernetes *)fake)->complaints);
}

/* Jobs that are not over, whatever they run, and Secrets of nobody. One that is over stays a day
 * with its pod, which costs nothing. */
static size_t kubernetes_left(const void *cookie)
{
    const struct fake_kubernetes *fake = cookie;
    size_t count = 0;
    const char *name;
    json_t *one;

    json_object_foreach(fake->jobs, name, one) count +=
        json_object_get(json_object_get(one, "status"), "conditions") == NULL;
    json_object_foreach(fake->secrets, name, one) count +=
        json_object_get(fake->jobs, name) == NULL;
    return count;
}

static const char *kubernetes_launch_of(const void *cookie, size_t at)
{
    const json_t *pod = member(((const struct fake_kubernetes *)cookie)->pods, at);
    const char *phase = json_string_value(json_object_get(json_object_get(pod, "status"), "phase"));

    if (pod == NULL)
        return NULL;
    return phase != NULL && strcmp(phase, "Running") == 0
               ? label_of(json_object_get(json_object_get(pod, "metadata"), "labels"))
               : "";
}

static void kubernetes_say(void *fake, const char *text)
{
    ((struct fake_kubernetes *)fake)->log = text;
}

/* ---- all of them ---- */

#define FAKE(name)                                                 \
    .start = name##_start, .stop = name##_stop, .url = name##_url, \
    .complaints = name##_complaints, .left = name##_left, .launch_of = name##_launch_of
#define VPS(name)                                                                          \
    .start = name##_start, .stop = vps_stop, .url = vps_url, .complaints = vps_complaints, \
    .left = vps_left, .launch_of = vps_launch_of
#define JSON_WORD(status, body)          \
    {                                    \
        status, "application/json", body \
    }

const struct gl_counterpart gl_counterparts[GL_COUNTERPARTS] = {
    {.cloud = "aws",
     .region = "eu-north-1",
     .types = {"t3.micro", GL_FAKE_AWS_NO_STOCK, GL_FAKE_AWS_NO_QUOTA},
     .environment = {"AWS_ACCESS_KEY_ID=" GL_FAKE_AWS_KEY,
                     "AWS_SECRET_ACCESS_KEY=" GL_FAKE_AWS_SECRET, "AWS_ENDPOINT_URL=@",
                     "AWS_EC2_METADATA_DISABLED=true"},
     .settings = {{"region", "eu-north-1"}, {"regions", "eu-north-1"}},
     .create = {"POST", "/", "Action=RunInstances"},
     .throttled = {503, "text/xml",
                   "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>storm"
                   "</Message></Error></Errors><RequestID>r</RequestID></Response>"},
     .broken = {500, "text/xml",
                "<Response><Errors><Error><Code>InternalError</Code><Message>storm</Message>"
                "</Error></Errors><RequestID>r</RequestID></Response>"},
     FAKE(aws),
     .say = aws_say},
    {.cloud = "gcp",
     .region = "europe-north1",
     .types = {"n2-standard-2", "m-stockout", "m-quota", "m-leftover", "m-lost"},
     .settings = {{"credentials", "%/account.json"},
                  {"endpoint", "@"},
                  {"billing-endpoint", "@"},
                  {"projects-endpoint", "@"}},
     .create = {"POST", "*/instances", ""},
     .throttled = JSON_WORD(403, "{\"error\":{\"code\":403,\"message\":\"storm\",\"errors\":[{"
                                 "\"reason\":\"rateLimitExceeded\"}]}}"),
     .broken = JSON_WORD(500, "{\"error\":{\"code\":500,\"message\":\"storm\",\"errors\":[{"
                              "\"reason\":\"backendError\"}]}}"),
     FAKE(gcp),
     .say = gcp_say},
    {.cloud = "azure",
     .region = "swedencentral",
     .types = {"Standard_B1s", "Standard_Stockout", "Standard_Quota", "Standard_Refused",
               "Standard_Lost"},
     .environment = {"AZURE_SUBSCRIPTION_ID=" FAKE_AZURE_SUBSCRIPTION, "AZURE_AUTHORITY_HOST=#",
                     "AZURE_TENANT_ID=" FAKE_AZURE_TENANT, "AZURE_CLIENT_ID=" FAKE_AZURE_CLIENT,
                     "AZURE_CLIENT_SECRET=" FAKE_AZURE_SECRET},
     .settings = {{"endpoint", "@"},
                  {"prices-endpoint", "@"},
                  {"resource-group", FAKE_AZURE_GROUP},
                  {"ssh-key", "ssh-ed25519 AAAA test"},
                  {"admin", "green-1"}},
     .create = {"PUT", "*/virtualMachines/*", ""},
     .throttled =
         JSON_WORD(429, "{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"storm\"}}"),
     .broken =
         JSON_WORD(500, "{\"error\":{\"code\":\"InternalServerError\",\"message\":\"storm\"}}"),
     FAKE(azure),
     .say = azure_say},
    {.cloud = "openstack",
     .region = "north",
     .types = {"small", "m-stockout", "m-quota", "m-lost", "m-vague", "m-broken"},
     .environment = {"OS_AUTH_URL=@/identity", "OS_USERNAME=tester",
                     "OS_PASSWORD=" FAKE_OPENSTACK_PASSWORD, "OS_PROJECT_NAME=green",
                     "OS_USER_DOMAIN_NAME=Default", "OS_REGION_NAME=north"},
     .settings = {{"image", "debian"}, {"grid-zone", "north=SE-SE3"}, {"price", "0.02"}},
     .create = {"POST", "*/servers", ""},
     .throttled = JSON_WORD(413, "{\"overLimit\":{\"code\":413,\"message\":\"storm\"}}"),
     .broken = JSON_WORD(500, "{\"computeFault\":{\"code\":500,\"message\":\"storm\"}}"),
     FAKE(openstack),
     .say = openstack_say},
    {.cloud = "hetzner",
     .region = "fsn1",
     .types = {"cax11"},
     .environment = {"HCLOUD_TOKEN=" GL_FAKE_TOKEN},
     .settings = {{"endpoint", "@"}, {"usd_per_eur", "1.10"}},
     .create = {"POST", "/servers", ""},
     .throttled = JSON_WORD(429, "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"\"}}"),
     .broken = JSON_WORD(500, "{\"error\":{\"code\":\"service_error\",\"message\":\"storm\"}}"),
     VPS(hetzner)},
    {.cloud = "digitalocean",
     .region = "ams3",
     .types = {"g-2vcpu-8gb"},
     .environment = {"DIGITALOCEAN_ACCESS_TOKEN=" GL_FAKE_TOKEN},
     .settings = {{"endpoint", "@"}},
     .create = {"POST", "/v2/droplets", ""},
     .throttled = JSON_WORD(429, "{\"id\":\"too_many_requests\",\"message\":\"storm\"}"),
     .broken = JSON_WORD(500, "{\"id\":\"server_error\",\"message\":\"storm\"}"),
     VPS(digitalocean)},
    {.cloud = "scaleway",
     .region = "fr-par",
     .types = {"DEV1-S"},
     .environment = {"SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX", "SCW_SECRET_KEY=" GL_FAKE_TOKEN,
                     "SCW_DEFAULT_PROJECT_ID=" GL_FAKE_PROJECT},
     .settings = {{"endpoint", "@"}, {"usd_per_eur", "1.10"}},
     .create = {"POST", "*/servers", ""},
     .throttled = JSON_WORD(429, "{\"type\":\"too_many_requests\",\"message\":\"storm\"}"),
     .broken = JSON_WORD(500, "{\"type\":\"internal_error\",\"message\":\"storm\"}"),
     VPS(scaleway)},
    {.cloud = "kubernetes",
     .region = "eu-north-1",
     .types = {"m5.large"},
     .settings =
         {{"kubeconfig", "%/config"}, {"endpoint", "@"}, {"schedule-wait", "1"}, {"price", "0.01"}},
     .create = {"POST", "*/jobs", ""},
     .throttled = JSON_WORD(429, "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":"
                                 "\"TooManyRequests\",\"code\":429}"),
     .broken = JSON_WORD(500, "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":"
                              "\"InternalError\",\"code\":500}"),
     FAKE(kubernetes),
     .say = kubernetes_say},
};

const struct gl_counterpart *gl_counterpart_of(const char *cloud)
{
    for (size_t i = 0; i < GL_COUNTERPARTS; i++)
        if (strcmp(gl_counterparts[i].cloud, cloud) == 0)
            return &gl_counterparts[i];
    return NULL;
}

bool gl_counterpart_is_create(const struct gl_counterpart *kind,
                              const struct gl_test_request *request)
{
    return strcmp(request->method, kind->create[0]) == 0 &&
           gl_glob_match(kind->create[1], request->path) &&
           strstr(request->body, kind->create[2]) != NULL &&
           strstr(request->query, "dryRun=All") == NULL &&
           strstr(request->body, "DryRun=true") == NULL;
}

unsigned gl_counterpart_most(const struct gl_counterpart *kind, const void *fake)
{
    unsigned most = 0;
    const char *one, *other;

    for (size_t i = 0; (one = kind->launch_of(fake, i)) != NULL; i++) {
        unsigned same = one[0] != '\0';

        for (size_t j = 0; same > 0 && j < i; j++) {
            other = kind->launch_of(fake, j);
            same += strcmp(one, other) == 0;
        }
        most = same > most ? same : most;
    }
    return most;
}

char *gl_counterpart_fill(const char *line, const struct gl_counterpart_way *way)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};

    for (; *line != '\0'; line++)
        if (*line == '@')
            gl_str_add(&out, way->url);
        else if (*line == '#')
            gl_str_add(&out, way->own_url);
        else if (*line == '%')
            gl_str_add(&out, way->folder);
        else
            gl_str_add_char(&out, *line);
    return gl_strdup(gl_str_text(&out));
}
