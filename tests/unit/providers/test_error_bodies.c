/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the clouds as their users have reported them, and what each must be taken for: stock,
 * quota, throttle, rights, price and credentials are met differently. */
#include "providers/cloud/aws_part.h"
#include "providers/cloud/azure_wire.h"
#include "providers/cloud/digitalocean.h"
#include "providers/cloud/gcp.h"
#include "providers/cloud/hetzner.h"
#include "providers/cloud/kubernetes.h"
#include "providers/cloud/openstack.h"
#include "providers/cloud/scaleway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
    int status;
    const char *body;
    enum gl_errc code;
    enum gl_reach reach;
    const char *place; /* the first that is named as having stock; NULL = none */
};

struct cloud {
    const char *name, *type;
    const struct gl_remote_rule *rules;
    bool (*read)(const struct gl_http_reply *reply, struct gl_remote_word *out);
    const struct row *rows;
    size_t count;
};

#define EC2(code, text)                                                                \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>" code \
    "</Code><Message>" text "</Message></Error></Errors><RequestID>bdd1-41</RequestID></Response>"

static const struct row aws[] = {
    {500,
     EC2("InsufficientInstanceCapacity",
         "We currently do not have sufficient p3.8xlarge capacity in the Availability Zone you "
         "requested (us-east-1b). Our system will be working on provisioning additional capacity. "
         "You can currently get p3.8xlarge capacity by not specifying an Availability Zone in your "
         "request or choosing us-east-1a, us-east-1c, us-east-1d."),
     GL_E_CAPACITY, GL_REACH_ZONE, "us-east-1a"},
    {400,
     EC2("Unsupported",
         "Your requested instance type (g5.xlarge) is not supported in your requested Availability "
         "Zone (us-east-1e). Please retry your request by not specifying an Availability Zone or "
         "choosing us-east-1a, us-east-1b."),
     GL_E_CAPACITY, GL_REACH_ZONE, "us-east-1a"},
    {400,
     EC2("VcpuLimitExceeded",
         "You have requested more vCPU capacity than your current vCPU limit of 32 allows for the "
         "instance bucket that the specified instance type belongs to."),
     GL_E_QUOTA, GL_REACH_REGION, NULL},
    {500,
     EC2("InsufficientVolumeCapacity",
         "There is not enough capacity to fulfill your EBS volume provision request."),
     GL_E_CAPACITY, GL_REACH_ZONE, NULL},
    {500, EC2("InsufficientHostCapacity", "Insufficient capacity on your hosts."), GL_E_CAPACITY,
     GL_REACH_ZONE, NULL},
    {400, EC2("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded"), GL_E_QUOTA,
     GL_REACH_REGION, NULL},
    {400, EC2("SnapshotLimitExceeded", "You have reached your snapshot limit."), GL_E_QUOTA,
     GL_REACH_REGION, NULL},
    {503, EC2("RequestLimitExceeded", "Request limit exceeded."), GL_E_RATE_LIMIT, GL_REACH_REGION,
     NULL},
    {403,
     EC2("UnauthorizedOperation",
         "You are not authorized to perform this operation. Encoded authorization failure message: "
         "AbC"),
     GL_E_PERMISSION, GL_REACH_ACCOUNT, NULL},
    {403,
     EC2("UnauthorizedOperation",
         "You are not authorized to perform this operation. User: arn:aws:iam::1:user/a is not "
         "authorized to perform: ec2:RunInstances on resource: arn:aws:ec2:us-west-2:1:instance/* "
         "with an explicit deny in a service control policy."),
     GL_E_PERMISSION, GL_REACH_REGION, NULL},
    {401, EC2("AuthFailure", "AWS was not able to validate the provided access credentials"),
     GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT, NULL},
    {401,
     EC2("OptInRequired", "You are not subscribed to this service. Please go to "
                          "http://aws.amazon.com to subscribe."),
     GL_E_PERMISSION, GL_REACH_REGION, NULL},
    {400,
     EC2("IdempotentParameterMismatch",
         "Arguments on this idempotent request are inconsistent with arguments used in previous "
         "request(s)."),
     GL_E_TOKEN, GL_REACH_CALL, NULL},
    {400,
     EC2("IdempotentInstanceTerminated",
         "The client token you have provided is associated with a resource that is terminated."),
     GL_E_TOKEN, GL_REACH_CALL, NULL},
    {400, EC2("InvalidInstanceID.NotFound", "The instance ID 'i-0' does not exist"), GL_E_NOT_FOUND,
     GL_REACH_CALL, NULL},
    {503, EC2("Unavailable", "The service is unavailable. Please try again shortly."),
     GL_E_PROVIDER, GL_REACH_CALL, NULL},
    {500, "<html><body>oops</body></html>", GL_E_PROVIDER, GL_REACH_CALL, NULL},
};

#define GCE(code, reason, text)                                                               \
    "{\"error\":{\"code\":" code ",\"message\":\"" text "\",\"errors\":[{\"message\":\"" text \
    "\",\"domain\":\"usageLimits\",\"reason\":\"" reason "\"}]}}"

static const struct row gcp[] = {
    {403, GCE("403", "quotaExceeded", "Quota 'CPUS' exceeded.  Limit: 24.0 in region us-west1."),
     GL_E_QUOTA, GL_REACH_REGION, NULL},
    {403, GCE("403", "quotaExceeded", "Quota 'GPUS_ALL_REGIONS' exceeded.  Limit: 0.0 globally."),
     GL_E_QUOTA, GL_REACH_ACCOUNT, NULL},
    {403,
     GCE("403", "rateLimitExceeded",
         "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service "
         "'compute.googleapis.com' for consumer 'project_number:1'."),
     GL_E_RATE_LIMIT, GL_REACH_ACCOUNT, NULL},
    {403,
     GCE("403", "forbidden",
         "Required 'compute.instances.create' permission for 'projects/p/zones/z/instances/i'"),
     GL_E_PERMISSION, GL_REACH_ACCOUNT, NULL},
    {403,
     GCE("403", "accessNotConfigured",
         "Compute Engine API has not been used in project 1 before or it is disabled."),
     GL_E_PERMISSION, GL_REACH_ACCOUNT, NULL},
    {412,
     GCE("412", "conditionNotMet",
         "Constraint constraints/compute.vmExternalIpAccess violated for project 1."),
     GL_E_PERMISSION, GL_REACH_ACCOUNT, NULL},
    {412,
     GCE("412", "conditionNotMet",
         "Location us-west1 violates constraint constraints/gcp.resourceLocations on the resource "
         "projects/p/zones/us-west1-a/instances/i."),
     GL_E_PERMISSION, GL_REACH_REGION, NULL},
    {403, GCE("403", "forbidden", "Location us-east9-b is not found or access is unauthorized."),
     GL_E_UNKNOWN_NAME, GL_REACH_ZONE, NULL},
    {409,
     GCE("409", "alreadyExists", "The resource 'projects/p/zones/z/instances/i' already exists"),
     GL_E_TOKEN, GL_REACH_CALL, NULL},
    {503, GCE("503", "backendError", "Internal error. Please try again or contact Google Support."),
     GL_E_PROVIDER, GL_REACH_CALL, NULL},
    {429,
     "{\"error\":{\"code\":429,\"message\":\"Quota exceeded for quota metric 'Requests'.\","
     "\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"reason\":\"RATE_LIMIT_EXCEEDED\"}]}}",
     GL_E_RATE_LIMIT, GL_REACH_CALL, NULL},
    {400, "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}",
     GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT, NULL},
};

#define ARM(code, text) "{\"error\":{\"code\":\"" code "\",\"message\":\"" text "\"}}"

static const struct row azure[] = {
    {409,
     ARM("SkuNotAvailable",
         "The requested VM size for resource 'Following SKUs have failed for Capacity "
         "Restrictions: Standard_B1s' is currently not available in location 'westus'."),
     GL_E_CAPACITY, GL_REACH_REGION, NULL},
    {409,
     ARM("ZonalAllocationFailed",
         "Allocation failed. We do not have sufficient capacity for the requested VM size in this "
         "zone."),
     GL_E_CAPACITY, GL_REACH_ZONE, NULL},
    {200,
     ARM("AllocationFailed",
         "Allocation failed. We do not have sufficient capacity for the requested VM size in this "
         "region."),
     GL_E_CAPACITY, GL_REACH_REGION, NULL},
    {409,
     ARM("OperationNotAllowed",
         "Operation could not be completed as it results in exceeding approved Total Regional "
         "Cores quota. Additional details - Deployment Model: Resource Manager, Location: westus, "
         "Current Limit: 10, Current Usage: 10, Additional Required: 2"),
     GL_E_QUOTA, GL_REACH_REGION, NULL},
    {400,
     "{\"error\":{\"code\":\"InvalidTemplateDeployment\",\"message\":\"not valid\",\"details\":[{"
     "\"code\":\"QuotaExceeded\",\"message\":\"Operation could not be completed\"}]}}",
     GL_E_QUOTA, GL_REACH_REGION, NULL},
    {403,
     ARM("AuthorizationFailed",
         "The client 'x' with object id 'x' does not have authorization to perform action "
         "'Microsoft.Compute/virtualMachines/write' over scope '/subscriptions/x'"),
     GL_E_PERMISSION, GL_REACH_ACCOUNT, NULL},
    {409,
     ARM("MissingSubscriptionRegistration",
         "The subscription is not registered to use namespace 'Microsoft.Compute'."),
     GL_E_PERMISSION, GL_REACH_ACCOUNT, NULL},
    {403,
     ARM("RequestDisallowedByAzure",
         "Resource 'gl-1' was disallowed by Azure: This policy maintains a set of best available "
         "regions where your subscription can deploy resources."),
     GL_E_PERMISSION, GL_REACH_REGION, NULL},
    {403,
     "{\"error\":{\"code\":\"RequestDisallowedByPolicy\",\"message\":\"Resource 'gl-1' was "
     "disallowed "
     "by policy.\",\"additionalInfo\":[{\"type\":\"PolicyViolation\",\"info\":{"
     "\"policyDefinitionDisplayName\":\"Allowed locations\"}}]}}",
     GL_E_PERMISSION, GL_REACH_REGION, NULL},
    {403, ARM("RequestDisallowedByPolicy", "Resource 'gl-1' was disallowed by policy."),
     GL_E_PERMISSION, GL_REACH_ACCOUNT, NULL},
    {400,
     ARM("LocationNotAvailableForResourceType",
         "The provided location 'qatarcentral' is not available for resource type "
         "'Microsoft.Compute/virtualMachines'."),
     GL_E_UNKNOWN_NAME, GL_REACH_REGION, NULL},
    {401,
     ARM("ExpiredAuthenticationToken",
         "The access token expiry UTC time '1' is earlier than current UTC time '2'."),
     GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT, NULL},
    {429,
     ARM("OperationNotAllowed",
         "The server rejected the request because too many requests have been received for this "
         "subscription."),
     GL_E_RATE_LIMIT, GL_REACH_CALL, NULL},
    {429, ARM("SubscriptionRequestsThrottled", "Number of requests for subscription exceeded"),
     GL_E_RATE_LIMIT, GL_REACH_ACCOUNT, NULL},
    {412, ARM("PreconditionFailed", "The condition set by the client is not met"), GL_E_TOKEN,
     GL_REACH_CALL, NULL},
    {409,
     ARM("OperationNotAllowed",
         "Unable to perform operation 'Create' since the provided max price '0.01 USD' is lower "
         "than the current spot price"),
     GL_E_PRICE, GL_REACH_REGION, NULL},
};

#define NOVA(key, code, text) "{\"" key "\":{\"code\":" code ",\"message\":\"" text "\"}}"

static const struct row openstack[] = {
    {403,
     NOVA("forbidden", "403",
          "Quota exceeded for cores, instances: Requested 2, 1, but already used 20, 10 of 20, 10 "
          "cores, instances"),
     GL_E_QUOTA, GL_REACH_REGION, NULL},
    {403,
     NOVA("forbidden", "403",
          "Policy doesn't allow os_compute_api:servers:create to be performed."),
     GL_E_PERMISSION, GL_REACH_ACCOUNT, NULL},
    {409,
     NOVA("conflictingRequest", "409", "Cannot 'stop' instance x while it is in vm_state stopped"),
     GL_E_BUSY, GL_REACH_CALL, NULL},
    {409,
     NOVA("conflictingRequest", "409",
          "Multiple possible networks found, use a Network ID to be more specific."),
     GL_E_BAD_VALUE, GL_REACH_CALL, NULL},
    {404, NOVA("itemNotFound", "404", "Instance x could not be found."), GL_E_NOT_FOUND,
     GL_REACH_CALL, NULL},
    {413, NOVA("overLimit", "413", "This request was rate-limited."), GL_E_RATE_LIMIT,
     GL_REACH_ACCOUNT, NULL},
    {413,
     NOVA("overLimit", "413",
          "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"),
     GL_E_QUOTA, GL_REACH_REGION, NULL},
    {413, NOVA("overLimit", "413", "VolumeSizeExceedsAvailableQuota: quota of gigabytes"),
     GL_E_QUOTA, GL_REACH_REGION, NULL},
    {500, NOVA("computeFault", "500", "Unexpected API Error. Please report this at http://bugs"),
     GL_E_PROVIDER, GL_REACH_CALL, NULL},
    {401,
     "{\"error\":{\"code\":401,\"message\":\"The request you have made requires authentication.\","
     "\"title\":\"Unauthorized\"}}",
     GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT, NULL},
};

static const struct row hetzner[] = {
    {412, ARM("resource_unavailable", "error during placement"), GL_E_CAPACITY, GL_REACH_REGION,
     NULL},
    {412, ARM("placement_error", "error during placement"), GL_E_CAPACITY, GL_REACH_REGION, NULL},
    {422, ARM("invalid_input", "unsupported location for server type"), GL_E_CAPACITY,
     GL_REACH_REGION, NULL},
    {422, ARM("invalid_input", "invalid input in field 'name'"), GL_E_BAD_VALUE, GL_REACH_CALL,
     NULL},
    {403, ARM("resource_limit_exceeded", "server limit exceeded"), GL_E_QUOTA, GL_REACH_ACCOUNT,
     NULL},
    {409, ARM("uniqueness_error", "server name is already used"), GL_E_TOKEN, GL_REACH_CALL, NULL},
    {429, ARM("rate_limit_exceeded", "limit of 3600 requests per hour reached"), GL_E_RATE_LIMIT,
     GL_REACH_ACCOUNT, NULL},
    {403, ARM("token_readonly", "This token is readonly"), GL_E_PERMISSION, GL_REACH_ACCOUNT, NULL},
    {401, ARM("unauthorized", "unable to authenticate"), GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT,
     NULL},
    {423, ARM("locked", "server is locked"), GL_E_BUSY, GL_REACH_CALL, NULL},
    {503, ARM("unavailable", "the resource is currently not available"), GL_E_PROVIDER,
     GL_REACH_CALL, NULL},
    {504, ARM("timeout", "the request could not be answered in time"), GL_E_PROVIDER, GL_REACH_CALL,
     NULL},
    {502, "<html>502 Bad Gateway</html>", GL_E_PROVIDER, GL_REACH_CALL, NULL},
};

#define DROPLET(id, text) "{\"id\":\"" id "\",\"message\":\"" text "\",\"request_id\":\"1-2\"}"

static const struct row digitalocean[] = {
    {422, DROPLET("unprocessable_entity", "Size is not available in this region."), GL_E_CAPACITY,
     GL_REACH_REGION, NULL},
    {422, DROPLET("unprocessable_entity", "Region is not available"), GL_E_CAPACITY,
     GL_REACH_REGION, NULL},
    {422,
     DROPLET("unprocessable_entity",
             "The image you specified is not available in the selected region, you can transfer it "
             "to this region from the images pages."),
     GL_E_BAD_VALUE, GL_REACH_CALL, NULL},
    {422,
     DROPLET("unprocessable_entity", "This size is currently restricted, please open a ticket"),
     GL_E_QUOTA, GL_REACH_ACCOUNT, NULL},
    {422,
     DROPLET("unprocessable_entity",
             "creating this/these droplet(s) will exceed your droplet limit"),
     GL_E_QUOTA, GL_REACH_ACCOUNT, NULL},
    {422, DROPLET("unprocessable_entity", "Droplet already has a pending event."), GL_E_BUSY,
     GL_REACH_CALL, NULL},
    {422, DROPLET("unprocessable_entity", "Name Only valid hostname characters are allowed."),
     GL_E_BAD_VALUE, GL_REACH_CALL, NULL},
    {401, DROPLET("unauthorized", "Unable to authenticate you"), GL_E_NO_CREDENTIAL,
     GL_REACH_ACCOUNT, NULL},
    {403, DROPLET("forbidden", "You are not authorized to perform this operation"), GL_E_PERMISSION,
     GL_REACH_ACCOUNT, NULL},
    {429, DROPLET("too_many_requests", "API Rate limit exceeded."), GL_E_RATE_LIMIT,
     GL_REACH_ACCOUNT, NULL},
    {404, DROPLET("not_found", "The resource you were accessing could not be found."),
     GL_E_NOT_FOUND, GL_REACH_CALL, NULL},
};

static const struct row scaleway[] = {
    {403,
     "{\"type\":\"quotas_exceeded\",\"details\":[{\"resource\":\"cp_servers_type_DEV1_S\","
     "\"quota\":"
     "0,\"current\":0}],\"message\":\"quotas exceeded\"}",
     GL_E_QUOTA, GL_REACH_ACCOUNT, NULL},
    {503,
     "{\"type\":\"out_of_stock\",\"resource\":\"GP1-XS\",\"message\":\"resource is out of stock\"}",
     GL_E_CAPACITY, GL_REACH_ZONE, NULL},
    {403,
     "{\"type\":\"permissions_denied\",\"details\":[{\"resource\":\"compute_servers\",\"action\":"
     "\"write\"}],\"message\":\"insufficient permissions\"}",
     GL_E_PERMISSION, GL_REACH_ACCOUNT, NULL},
    {401,
     "{\"type\":\"denied_authentication\",\"method\":\"api_key\",\"reason\":\"expired\","
     "\"message\":"
     "\"authentication is denied\"}",
     GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT, NULL},
    {409,
     "{\"type\":\"transient_state\",\"resource\":\"server\",\"resource_id\":\"x\",\"current_"
     "state\":"
     "\"stopping\",\"message\":\"resource is in a transient state\"}",
     GL_E_BUSY, GL_REACH_CALL, NULL},
    {404,
     "{\"type\":\"not_found\",\"resource\":\"server\",\"resource_id\":\"x\",\"message\":\"resource "
     "is not found\"}",
     GL_E_NOT_FOUND, GL_REACH_CALL, NULL},
    {400,
     "{\"type\":\"invalid_arguments\",\"details\":[{\"argument_name\":\"commercial_type\","
     "\"reason\":"
     "\"constraint\"}],\"message\":\"invalid argument(s)\"}",
     GL_E_BAD_VALUE, GL_REACH_CALL, NULL},
};

#define STATUS(code, reason, text)                                                       \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\"," \
    "\"message\":\"" text "\",\"reason\":\"" reason "\",\"code\":" code "}"

static const struct row kubernetes[] = {
    {403,
     STATUS("403", "Forbidden",
            "jobs.batch gl-1 is forbidden: exceeded quota: compute, requested: cpu=2, used: cpu=4, "
            "limited: cpu=4"),
     GL_E_QUOTA, GL_REACH_ACCOUNT, NULL},
    {403,
     STATUS("403", "Forbidden",
            "jobs.batch is forbidden: User x cannot create resource jobs in API group batch"),
     GL_E_PERMISSION, GL_REACH_ACCOUNT, NULL},
    {409, STATUS("409", "AlreadyExists", "jobs.batch gl-1 already exists"), GL_E_TOKEN,
     GL_REACH_CALL, NULL},
    {422, STATUS("422", "Invalid", "Job.batch gl-1 is invalid"), GL_E_BAD_VALUE, GL_REACH_CALL,
     NULL},
    {401, STATUS("401", "Unauthorized", "Unauthorized"), GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT,
     NULL},
    {429, STATUS("429", "TooManyRequests", "too many requests"), GL_E_RATE_LIMIT, GL_REACH_ACCOUNT,
     NULL},
    {410, STATUS("410", "Expired", "The provided continue parameter is too old"), GL_E_NOT_FOUND,
     GL_REACH_CALL, NULL},
    {504, STATUS("504", "Timeout", "request did not complete within requested timeout"),
     GL_E_PROVIDER, GL_REACH_CALL, NULL},
};

#define ROWS(rows) rows, sizeof(rows) / sizeof *(rows)
static const struct cloud clouds[] = {
    {"aws", "text/xml;charset=UTF-8", gl_aws_rules, gl_aws_read_error, ROWS(aws)},
    {"gcp", "application/json; charset=UTF-8", gl_gcp_rules, gl_gcp_read_error, ROWS(gcp)},
    {"azure", "application/json", gl_azure_rules, gl_azure_read_error, ROWS(azure)},
    {"openstack", "application/json", gl_openstack_rules, gl_openstack_read_error, ROWS(openstack)},
    {"hetzner", "application/json", gl_hetzner_rules, gl_hetzner_read_error, ROWS(hetzner)},
    {"digitalocean", "application/json", gl_digitalocean_rules, gl_digitalocean_read_error,
     ROWS(digitalocean)},
    {"scaleway", "application/json", gl_scaleway_rules, gl_scaleway_read_error, ROWS(scaleway)},
    {"kubernetes", "application/json", gl_kubernetes_rules, gl_kubernetes_read_error,
     ROWS(kubernetes)},
};

static void check(const struct cloud *cloud, const struct row *row)
{
    struct gl_http_reply reply = {.status = row->status,
                                  .retry_after_s = -1,
                                  .body = gl_strdup(row->body),
                                  .body_length = strlen(row->body)};
    struct gl_remote_word word = {0};
    enum gl_reach reach = GL_REACH_CALL;
    enum gl_errc code;

    snprintf(reply.content_type, sizeof reply.content_type, "%s", cloud->type);
    if (!cloud->read(&reply, &word))
        word = (struct gl_remote_word){0};
    code = gl_remote_code(cloud->rules, row->status, word.word, word.text, &reach);
    if (code != row->code || reach != row->reach)
        fail_msg("%s: %d instead of %d, reach %d instead of %d: %s", cloud->name, (int)code,
                 (int)row->code, (int)reach, (int)row->reach, row->body);
    if (row->place != NULL)
        assert_string_equal(word.places[0], row->place);
    gl_http_reply_done(&reply);
}

static void answers_are_taken_for_what_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clouds / sizeof *clouds; i++)
        for (size_t k = 0; k < clouds[i].count; k++)
            check(&clouds[i], &clouds[i].rows[k]);
}

/* The first `length` bytes, with nothing behind them that a reader could run into. */
static void check_cut(const struct cloud *cloud, const struct row *row, size_t length)
{
    struct gl_http_reply reply = {.status = row->status,
                                  .retry_after_s = -1,
                                  .body = gl_alloc(length + 1),
                                  .body_length = length};
    struct gl_remote_word word = {0};

    memcpy(reply.body, row->body, length);
    snprintf(reply.content_type, sizeof reply.content_type, "%s", cloud->type);
    if (cloud->read(&reply, &word) && word.word[0] != '\0')
        fail_msg("%s: \"%s\" is read from half an answer: %s", cloud->name, word.word, reply.body);
    gl_http_reply_done(&reply);
}

/* Cut anywhere, it names nothing: its status alone is judged then. */
static void half_an_answer_has_no_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clouds / sizeof *clouds; i++)
        for (size_t k = 0; k < clouds[i].count; k++)
            for (size_t length = 0; length < strlen(clouds[i].rows[k].body); length++)
                check_cut(&clouds[i], &clouds[i].rows[k], length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_taken_for_what_they_are),
        cmocka_unit_test(half_an_answer_has_no_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
