/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure.h"

#include "base/time.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEST_MAX 12 /* of codes in each other */

#define CAPACITY(word, reach)               \
    {                                       \
        0, word, NULL, GL_E_CAPACITY, reach \
    }
#define QUOTA(word, text)                          \
    {                                              \
        0, word, text, GL_E_QUOTA, GL_REACH_REGION \
    }
#define DENIED(word)                                     \
    {                                                    \
        0, word, NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT \
    }
#define REJECTED(word)                                      \
    {                                                       \
        0, word, NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT \
    }
#define WRONG(word, text)                               \
    {                                                   \
        0, word, text, GL_E_UNKNOWN_NAME, GL_REACH_CALL \
    }
#define NOT_THERE(word)                                   \
    {                                                     \
        0, word, NULL, GL_E_UNKNOWN_NAME, GL_REACH_REGION \
    }
#define MISSET(word)                              \
    {                                             \
        0, word, NULL, GL_E_CONFIG, GL_REACH_CALL \
    }
#define UNBORN(word)                              \
    {                                             \
        0, word, NULL, GL_E_LAUNCH, GL_REACH_CALL \
    }

/* https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
 * A subscription that is not found must not pass for a machine that is not found. */
const struct gl_remote_rule gl_azure_rules[] = {
    CAPACITY("ZonalAllocationFailed", GL_REACH_ZONE),
    CAPACITY("OverconstrainedZonalAllocationRequest", GL_REACH_ZONE),
    CAPACITY("AllocationFailed", GL_REACH_REGION),
    CAPACITY("OverconstrainedAllocationRequest", GL_REACH_REGION),
    CAPACITY("SkuNotAvailable", GL_REACH_REGION),
    {0, "SpotPriceGreaterThanProvidedMaxPrice", NULL, GL_E_PRICE, GL_REACH_REGION},
    {0, "OperationNotAllowed", "max price", GL_E_PRICE, GL_REACH_REGION},
    QUOTA("OperationNotAllowed", "quota"),
    QUOTA("OperationNotAllowed", "Quota"),
    QUOTA("OperationNotAllowed", "cores"),
    QUOTA("OperationNotAllowed", "Cores"),
    QUOTA("*QuotaExceeded", NULL),
    QUOTA("PublicIPCountLimitReached", NULL),
    QUOTA("SubnetIsFull", NULL),
    DENIED("AuthorizationFailed"),
    DENIED("LinkedAuthorizationFailed"),
    {0, "RequestDisallowedByPolicy", "llowed locations", GL_E_PERMISSION, GL_REACH_REGION},
    DENIED("RequestDisallowedByPolicy"),
    /* "a set of best available regions where your subscription can deploy resources" */
    {0, "RequestDisallowedByAzure", NULL, GL_E_PERMISSION, GL_REACH_REGION},
    DENIED("ReadOnlyDisabledSubscription"),
    DENIED("SubscriptionNotFound"),
    DENIED("MissingSubscriptionRegistration"),
    DENIED("SubscriptionNotRegistered"),
    DENIED("ScopeLocked"),
    REJECTED("InvalidAuthenticationToken*"),
    REJECTED("ExpiredAuthenticationToken"),
    REJECTED("AuthenticationFailed*"),
    REJECTED("invalid_client"),
    REJECTED("unauthorized_client"),
    REJECTED("invalid_grant"),
    REJECTED("invalid_request"),
    REJECTED("invalid_scope"),
    REJECTED("invalid_resource"),
    {0, "PreconditionFailed", NULL, GL_E_TOKEN, GL_REACH_CALL},
    {412, NULL, NULL, GL_E_TOKEN, GL_REACH_CALL},
    {0, "PropertyChangeNotAllowed", NULL, GL_E_TOKEN, GL_REACH_CALL},
    {0, "TooManyRequests", NULL, GL_E_RATE_LIMIT, GL_REACH_REGION},
    {0, "*RequestsThrottled*", NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
    {0, "RetryableError", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "AnotherOperationInProgress", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "OperationPreempted", NULL, GL_E_BUSY, GL_REACH_CALL},
    NOT_THERE("LocationNotAvailableForResourceType"),
    NOT_THERE("InvalidLocation"),
    NOT_THERE("NoRegisteredProviderFound"),
    WRONG("InvalidParameter", "VM size"),
    WRONG("InvalidParameter", "vmSize"),
    MISSET("InvalidResourceReference"),
    MISSET("InvalidSubscriptionId"),
    MISSET("PlatformImageNotFound"),
    MISSET("ImageNotFound"),
    UNBORN("OSProvisioning*"),
    UNBORN("Canceled"),
    {0, NULL, NULL, GL_OK, GL_REACH_CALL},
};

/* ---- errors ---- */

/* Named by a rule, whatever its text. */
static bool is_known(const char *word)
{
    for (const struct gl_remote_rule *rule = gl_azure_rules; rule->code != GL_OK; rule++)
        if (rule->word != NULL && gl_glob_match(rule->word, word))
            return true;
    return false;
}

static const char *word_of(const json_t *error)
{
    const char *word = json_string_value(json_object_get(error, "code"));

    return word != NULL && word[0] != '\0' ? word : NULL;
}

/* The next error inside this one; NULL when it is the innermost. */
static const json_t *inside(const json_t *error)
{
    const json_t *inner = json_object_get(error, "innererror"), *detail;
    size_t i;

    json_array_foreach(json_object_get(error, "details"), i,
                       detail) if (word_of(detail) != NULL) return detail;
    return word_of(inner) != NULL ? inner : NULL;
}

/* Which of an organization's policies it was. */
static void add_policy(const json_t *error, struct gl_remote_word *out)
{
    const json_t *info =
        json_object_get(json_array_get(json_object_get(error, "additionalInfo"), 0), "info");
    const char *name = json_string_value(json_object_get(info, "policyAssignmentDisplayName"));
    size_t used = strlen(out->text);

    if (name == NULL)
        name = json_string_value(json_object_get(info, "policyDefinitionDisplayName"));
    if (name != NULL && used + 16 < sizeof out->text)
        snprintf(out->text + used, sizeof out->text - used, " (policy: %.100s)", name);
}

bool gl_azure_error_of(const json_t *error, struct gl_remote_word *out)
{
    const json_t *chosen = NULL, *at = word_of(error) != NULL ? error : inside(error);
    bool is_chosen_known = false;
    const char *text, *word;

    for (unsigned i = 0; at != NULL && i < NEST_MAX; i++, at = inside(at)) {
        bool is_at_known = is_known(word_of(at));

        if (is_at_known || !is_chosen_known)
            chosen = at;
        is_chosen_known = is_chosen_known || is_at_known;
    }
    word = word_of(chosen);
    if (word == NULL)
        return false;
    text = json_string_value(json_object_get(chosen, "message"));
    if (text == NULL)
        text = json_string_value(json_object_get(error, "message"));
    snprintf(out->word, sizeof out->word, "%s", word);
    snprintf(out->text, sizeof out->text, "%s", text != NULL ? text : "");
    add_policy(chosen, out);
    return true;
}

/* {"error":{"code",...}}, the same without "error", or {"error":"invalid_client",...} of sign-in.
 */
bool gl_azure_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *root = reply->body != NULL
                       ? gl_json_parse(reply->body, reply->body_length, "answer", &ignored)
                       : NULL;
    const json_t *error = json_object_get(root, "error");
    const char *text = json_string_value(json_object_get(root, "error_description"));

    if (!json_is_string(error))
        return gl_azure_error_of(error != NULL ? error : root, out);
    snprintf(out->word, sizeof out->word, "%s", json_string_value(error));
    snprintf(out->text, sizeof out->text, "%.*s", text != NULL ? (int)strcspn(text, "\r\n") : 0,
             text != NULL ? text : "");
    return true;
}

/* ---- names ---- */

bool gl_azure_is_plain(const char *text)
{
    return text[0] != '\0' &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] ==
               '\0';
}

void gl_azure_location(const char *text, char out[40])
{
    size_t used = 0;

    for (; *text != '\0' && used + 1 < 40; text++)
        if (*text != ' ')
            out[used++] = (char)tolower((unsigned char)*text);
    out[used] = '\0';
}

bool gl_azure_path_part(const char *id, const char *name, char *out, size_t size)
{
    size_t length = strlen(name), part;

    for (const char *at = strchr(id, '/'); at != NULL; at = strchr(at + 1, '/')) {
        if (strncasecmp(at + 1, name, length) != 0 || at[1 + length] != '/')
            continue;
        at += length + 2;
        part = strcspn(at, "/");
        if (part == 0 || part >= size)
            return false;
        for (size_t i = 0; i < part; i++)
            out[i] = (char)tolower((unsigned char)at[i]);
        out[part] = '\0';
        return true;
    }
    return false;
}

/* ---- machines ---- */

static const char *member(const json_t *object, const char *first, const char *second)
{
    return json_string_value(json_object_get(json_object_get(object, first), second));
}

const char *gl_azure_provisioning(const json_t *resource)
{
    const char *state = member(resource, "properties", "provisioningState");

    return state != NULL ? state : "";
}

/* "running" of the status "PowerState/running"; NULL when there is none of that kind. */
static const char *status_of(const json_t *vm, const char *kind)
{
    const json_t *view = json_object_get(json_object_get(vm, "properties"), "instanceView");
    size_t length = strlen(kind), i;
    const json_t *status;

    json_array_foreach(json_object_get(view, "statuses"), i, status)
    {
        const char *code = json_string_value(json_object_get(status, "code"));

        if (code != NULL && strncasecmp(code, kind, length) == 0 && code[length] == '/')
            return code + length + 1;
    }
    return NULL;
}

/* A machine without power whose making failed is still there with its disk: halted. What is not
 * known ("PowerState/unknown") may run, and is billed. */
static enum gl_instance_state state_of(const json_t *vm)
{
    static const struct {
        const char *word;
        enum gl_instance_state state;
    } powers[] = {
        {"running", GL_STATE_RUNNING},       {"starting", GL_STATE_LAUNCHING},
        {"stopping", GL_STATE_STOPPING},     {"stopped", GL_STATE_HALTED},
        {"deallocating", GL_STATE_STOPPING}, {"deallocated", GL_STATE_HALTED},
    };
    const char *power = status_of(vm, "PowerState"), *made = gl_azure_provisioning(vm);

    if (strcasecmp(made, "Deleting") == 0)
        return GL_STATE_STOPPING;
    for (size_t i = 0; power != NULL && i < sizeof powers / sizeof *powers; i++)
        if (strcasecmp(power, powers[i].word) == 0)
            return powers[i].state;
    if (power != NULL || made[0] == '\0')
        return GL_STATE_RUNNING;
    return strcasecmp(made, "Failed") == 0 || strcasecmp(made, "Canceled") == 0
               ? GL_STATE_HALTED
               : GL_STATE_LAUNCHING;
}

/* "failed/AllocationFailed" */
static void read_why(const json_t *vm, struct gl_instance *out)
{
    const char *status = status_of(vm, "ProvisioningState");

    if (status != NULL && strncasecmp(status, "failed/", 7) == 0)
        snprintf(out->why, sizeof out->why, "%.90s", status + 7);
}

static const char *tag(void *cookie, const char *name)
{
    return json_string_value(json_object_get(cookie, name));
}

static bool read_place(const json_t *vm, struct gl_instance *out)
{
    const char *id = json_string_value(json_object_get(vm, "id"));
    const char *location = json_string_value(json_object_get(vm, "location"));
    const char *zone = json_string_value(json_array_get(json_object_get(vm, "zones"), 0));
    char group[GL_AZURE_GROUP], name[GL_CLOUD_ID];
    int length;

    if (id == NULL || location == NULL ||
        !gl_azure_path_part(id, "resourceGroups", group, sizeof group) ||
        !gl_azure_path_part(id, "virtualMachines", name, sizeof name))
        return false;
    gl_azure_location(location, out->region);
    length = snprintf(out->id, sizeof out->id, "%s/%s/%s", out->region, group, name);
    if (zone != NULL && strlen(zone) < 4)
        snprintf(out->zone, sizeof out->zone, "%.34s-%s", out->region, zone);
    return gl_azure_is_plain(out->region) && length < (int)sizeof out->id;
}

bool gl_azure_read_vm(const json_t *from, struct gl_instance *out)
{
    const json_t *properties = json_object_get(from, "properties");
    const char *type = member(properties, "hardwareProfile", "vmSize");
    const char *created = json_string_value(json_object_get(properties, "timeCreated"));
    struct gl_error ignored = {0};

    *out = (struct gl_instance){.host_cpu_ms = -1};
    if (!gl_labels_read(tag, json_object_get(from, "tags"), out) || !read_place(from, out))
        return false;
    snprintf(out->type, sizeof out->type, "%.39s", type != NULL ? type : "");
    snprintf(out->how, sizeof out->how, "azure");
    out->state = state_of(from);
    read_why(from, out);
    if (created != NULL && gl_instant_parse(created, &out->started, &ignored) != 0)
        out->started = (struct gl_instant){0};
    return true;
}
