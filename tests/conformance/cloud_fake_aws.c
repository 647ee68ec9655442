/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_fake_aws.h"

#include "base/json.h"
#include "base/sign.h"
#include "base/time.h"
#include "providers/cloud/aws_sigv4.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- fields ---- */

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static char *decode(const char *text, size_t length)
{
    char *out = gl_alloc(length + 1), *to = out;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%' && i + 2 < length && digit(text[i + 1]) >= 0 &&
            digit(text[i + 2]) >= 0) {
            *to++ = (char)(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else {
            *to++ = text[i];
        }
    }
    return out;
}

static void fields_read(const char *body, struct gl_fake_aws_fields *out)
{
    while (*body != '\0' && out->count < GL_FAKE_AWS_FIELDS) {
        size_t length = strcspn(body, "&"), name = strcspn(body, "=&");

        out->items[out->count].name = decode(body, name);
        out->items[out->count].value =
            name < length ? decode(body + name + 1, length - name - 1) : decode("", 0);
        out->count++;
        body += length + (body[length] == '&');
    }
}

static void fields_done(struct gl_fake_aws_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        free(fields->items[i].name);
        free(fields->items[i].value);
    }
}

const char *gl_fake_aws_field(const struct gl_fake_aws_fields *fields, const char *format, ...)
{
    char name[128];
    va_list args;

    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->items[i].name, name) == 0)
            return fields->items[i].value;
    return "";
}

/* ---- answers ---- */

void gl_fake_aws_error(struct gl_test_answer *out, int status, const char *code,
                       const char *message)
{
    gl_str_clear(&out->body);
    out->status = status;
    gl_str_addf(&out->headers, "Content-Type: text/xml;charset=UTF-8\r\n");
    gl_str_addf(
        &out->body,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>%s"
        "</Code><Message>%s</Message></Error></Errors><RequestID>r-1</RequestID></Response>",
        code, message);
}

static void json_error(struct gl_test_answer *out, int status, const char *type)
{
    out->status = status;
    gl_str_add(&out->headers, "Content-Type: application/x-amz-json-1.1\r\n");
    gl_str_addf(&out->body, "{\"__type\":\"com.amazonaws#%s\",\"message\":\"no\"}", type);
}

/* ---- signatures: over what arrived ---- */

struct authorization {
    char id[64], region[40], service[32], names[256], signature[72];
};

static bool read_authorization(const char *text, struct authorization *out)
{
    return sscanf(text,
                  "AWS4-HMAC-SHA256 Credential=%63[^/]/%*[0-9]/%39[^/]/%31[^/]/aws4_request, "
                  "SignedHeaders=%255[^,], Signature=%71[0-9a-f]",
                  out->id, out->region, out->service, out->names, out->signature) == 5;
}

/* The headers that are said to be signed, but for those that signing adds. */
static void signed_headers(const struct gl_test_request *request, const char *names,
                           struct gl_str *out)
{
    while (*names != '\0') {
        size_t length = strcspn(names, ";");
        char name[64], value[512];

        snprintf(name, sizeof name, "%.*s", (int)length, names);
        if (strcmp(name, "x-amz-date") != 0)
            gl_str_addf(out, "%s: %s\n", name,
                        gl_test_request_header(request, name, value, sizeof value));
        names += length + (names[length] == ';');
    }
}

static struct gl_instant read_date(const char *text)
{
    int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;

    sscanf(text, "%4d%2d%2dT%2d%2d%2dZ", &year, &month, &day, &hour, &minute, &second);
    return gl_instant_of_civil(year, month, day, hour, minute, second);
}

static bool is_signed(const struct gl_fake_aws *fake, const struct gl_test_request *request,
                      struct authorization *out)
{
    struct gl_aws_keys keys = {.id = GL_FAKE_AWS_KEY};
    struct gl_sigv4 how = {.keys = &keys};
    struct gl_sigv4_request asked = {.method = request->method, .path = request->path};
    struct gl_sigv4_steps steps = {0};
    struct gl_str headers = {0}, added = {0};
    char text[1024], date[32];
    bool is_good;

    gl_test_request_header(request, "authorization", text, sizeof text);
    if (!read_authorization(text, out) || strcmp(out->id, GL_FAKE_AWS_KEY) != 0)
        return false;
    gl_secret_init(&keys.secret, fake->secret, strlen(fake->secret));
    how.region = out->region;
    how.service = out->service;
    how.at = read_date(gl_test_request_header(request, "x-amz-date", date, sizeof date));
    signed_headers(request, out->names, &headers);
    asked.query = request->query;
    asked.headers = gl_str_text(&headers);
    asked.body = (struct gl_view){request->body, request->body_length};
    gl_sigv4_sign(&how, &asked, &added, &steps);
    is_good = strcmp(steps.signature, out->signature) == 0 && strstr(out->names, "host") != NULL;
    gl_sigv4_steps_done(&steps);
    gl_aws_keys_done(&keys);
    gl_str_done(&headers);
    gl_str_done(&added);
    return is_good;
}

/* ---- other services ---- */

static void product(struct gl_str *out, const char *region, const char *type, const char *usd)
{
    gl_str_addf(
        out,
        "\"{\\\"product\\\":{\\\"attributes\\\":{\\\"instanceType\\\":\\\"%s\\\",\\\"vcpu\\\":"
        "\\\"2\\\",\\\"memory\\\":\\\"1 GiB\\\",\\\"regionCode\\\":\\\"%s\\\"}},\\\"terms\\\":{"
        "\\\"OnDemand\\\":{\\\"A.B\\\":{\\\"priceDimensions\\\":{\\\"A.B.C\\\":{\\\"unit\\\":"
        "\\\"Hrs\\\",\\\"pricePerUnit\\\":{\\\"USD\\\":\\\"%s\\\"}}}}}}}\"",
        type, region, usd);
}

static const char *filter_of(const json_t *asked, const char *field)
{
    json_t *filter;
    size_t i;

    json_array_foreach(
        json_object_get(asked, "Filters"), i,
        filter) if (strcmp(json_string_value(json_object_get(filter, "Field")), field) ==
                    0) return json_string_value(json_object_get(filter, "Value"));
    return "";
}

static void get_products(const struct gl_fake_aws *fake, const json_t *asked,
                         struct gl_test_answer *out)
{
    static const char *const prices[][2] = {
        {"t3.micro", "0.0104000000"}, {"t4g.nano", "0.0042000000"}, {"t9.nostock", "1.0000005"}};
    const char *type = filter_of(asked, "instanceType"), *region = filter_of(asked, "regionCode");
    bool is_first = true;

    if (fake->has_no_prices) {
        json_error(out, 400, "AccessDeniedException");
        return;
    }
    gl_str_add(&out->headers, "Content-Type: application/x-amz-json-1.1\r\n");
    gl_str_add(&out->body, "{\"FormatVersion\":\"aws_v1\",\"PriceList\":[");
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        if (*type != '\0' && strcmp(prices[i][0], type) != 0)
            continue;
        gl_str_add(&out->body, is_first ? "" : ",");
        product(&out->body, region, prices[i][0], prices[i][1]);
        is_first = false;
    }
    gl_str_add(&out->body, "]}");
}

static void answer_json(struct gl_fake_aws *fake, const char *target,
                        const struct gl_test_request *request, struct gl_test_answer *out)
{
    struct gl_error err = {0};
    json_t *asked = gl_json_parse(request->body, request->body_length, "request", &err);

    if (asked == NULL)
        json_error(out, 400, "SerializationException");
    else if (strcmp(target, "AWSPriceListService.GetProducts") == 0)
        get_products(fake, asked, out);
    else
        json_error(out, 400, "UnknownOperationException");
    json_decref(asked);
}

/* Two pages of one month; nothing is published of any other. Strict about what is asked. */
static void estimate(struct gl_fake_aws *fake, const struct gl_test_request *request,
                     const struct authorization *who, struct gl_test_answer *out)
{
    struct gl_error err = {0};
    json_t *asked = gl_json_parse(request->body, request->body_length, "request", &err);
    const char *start =
        json_string_value(json_object_get(json_object_get(asked, "TimePeriod"), "Start"));
    const char *next = json_string_value(json_object_get(asked, "NextToken"));
    bool is_good = start != NULL && strcmp(who->service, "sustainability") == 0 &&
                   strcmp(who->region, "us-east-1") == 0 &&
                   json_array_size(json_object_get(asked, "GroupBy")) == 3;

    fake->estimates++;
    gl_str_add(&out->headers, "Content-Type: application/json\r\n");
    if (!is_good || fake->has_no_estimates) {
        out->status = is_good ? 403 : 400;
        gl_str_addf(&out->headers, "x-amzn-ErrorType: %s\r\n",
                    is_good ? "AccessDeniedException" : "ValidationException");
        gl_str_add(&out->body, "{\"message\":\"no\"}");
    } else if (strcmp(start, "2026-10-01T00:00:00Z") != 0)
        gl_str_add(&out->body, "{\"Results\":[]}");
    else
        gl_str_addf(&out->body,
                    "{\"Results\":[{\"TimePeriod\":{\"Start\":\"2026-10-01T00:00:00.000Z\",\"End\":"
                    "\"2026-11-01T00:00:00.000Z\"},\"DimensionsValues\":{\"REGION\":\"%s\","
                    "\"SERVICE\":\"AmazonEC2\"},\"ModelVersion\":\"v3.0.1\",\"EmissionsValues\":{"
                    "\"TOTAL_LBM_CARBON_EMISSIONS\":{\"Value\":0.002,\"Unit\":\"MTCO2e\"}}}]%s}",
                    next != NULL ? "us-east-1" : "eu-north-1",
                    next != NULL ? "" : ",\"NextToken\":\"page/2+\"");
    json_decref(asked);
}

static void answer_sts(const char *action, struct gl_test_answer *out)
{
    if (strcmp(action, "GetCallerIdentity") != 0) {
        out->status = 400;
        gl_str_add(&out->body, "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code>"
                               "<Message>no</Message></Error></ErrorResponse>");
        return;
    }
    gl_str_add(&out->body,
               "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
               "<GetCallerIdentityResult><Arn>arn:aws:iam::" GL_FAKE_AWS_ACCOUNT ":user/tester"
               "</Arn><UserId>AIDA</UserId><Account>" GL_FAKE_AWS_ACCOUNT
               "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>");
}

/* ---- the server ---- */

static bool breaks(struct gl_fake_aws *fake, const char *action, const char *region)
{
    const struct gl_fake_aws_fault *fault = &fake->fault;

    if (fault->times == 0 || (fault->action != NULL && strcmp(fault->action, action) != 0) ||
        (fault->region != NULL && strcmp(fault->region, region) != 0))
        return false;
    fake->fault.times--;
    return true;
}

static void break_answer(const struct gl_fake_aws *fake, struct gl_test_answer *out)
{
    if (fake->fault.status == 0)
        out->is_hung_up = true;
    else
        gl_fake_aws_error(out, fake->fault.status, fake->fault.code, fake->fault.message);
}

static void answer_query(struct gl_fake_aws *fake, struct gl_fake_aws_fields *fields,
                         const char *service, struct gl_test_answer *out)
{
    const char *action = gl_fake_aws_field(fields, "Action");
    bool is_broken = breaks(fake, action, fields->region);

    if (is_broken && !fake->fault.acts_first) {
        break_answer(fake, out);
        return;
    }
    if (strcmp(service, "sts") == 0)
        answer_sts(action, out);
    else if (strcmp(gl_fake_aws_field(fields, "Version"), "2016-11-15") != 0)
        gl_fake_aws_error(out, 400, "MissingParameter", "Version");
    else if (!gl_fake_aws_ec2(fake, action, fields, out))
        gl_fake_aws_error(out, 400, "InvalidAction", action);
    gl_str_add(&out->headers, out->headers.length == 0 ? "Content-Type: text/xml\r\n" : "");
    if (is_broken)
        break_answer(fake, out);
}

static void answer(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    struct gl_fake_aws *fake = cookie;
    struct authorization who;
    struct gl_fake_aws_fields *fields;
    char target[128];

    if (strcmp(request->path, "/container") == 0) {
        fake->handed_out++;
        gl_str_add(&out->headers, "Content-Type: application/json\r\n");
        gl_str_addf(&out->body,
                    "{\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"%s\",\"Token\":\"t\"}",
                    GL_FAKE_AWS_KEY, fake->secret);
        return;
    }
    if (!is_signed(fake, request, &who)) {
        gl_fake_aws_error(out, 401, "AuthFailure",
                          "AWS was not able to validate the provided access credentials");
        return;
    }
    if (strcmp(request->path, "/v1/estimated-carbon-emissions") == 0) {
        estimate(fake, request, &who, out);
        return;
    }
    gl_test_request_header(request, "x-amz-target", target, sizeof target);
    if (target[0] != '\0') {
        answer_json(fake, target, request, out);
        return;
    }
    fields = gl_alloc(sizeof *fields);
    fields_read(request->body, fields);
    snprintf(fields->region, sizeof fields->region, "%s", who.region);
    answer_query(fake, fields, who.service, out);
    fields_done(fields);
    free(fields);
}

struct gl_fake_aws *gl_fake_aws_start(void)
{
    struct gl_fake_aws *fake = gl_alloc(sizeof *fake);

    snprintf(fake->secret, sizeof fake->secret, "%s", GL_FAKE_AWS_SECRET);
    fake->server = gl_test_server_start(answer, fake);
    return fake;
}

void gl_fake_aws_stop(struct gl_fake_aws *fake)
{
    if (fake == NULL)
        return;
    gl_test_server_stop(fake->server);
    for (size_t i = 0; i < fake->count; i++)
        free(fake->instances[i].user_data);
    free(fake);
}

const char *gl_fake_aws_url(const struct gl_fake_aws *fake)
{
    return gl_test_server_url(fake->server);
}

size_t gl_fake_aws_alive(const struct gl_fake_aws *fake)
{
    size_t alive = 0;

    for (size_t i = 0; i < fake->count; i++)
        alive += strcmp(fake->instances[i].state, "terminated") != 0 &&
                 strcmp(fake->instances[i].state, "shutting-down") != 0;
    return alive;
}
