/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of the container or machine that this runs on.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html */
#include "providers/cloud/aws_credential_part.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONTAINER_HOST  "http://169.254.170.2"
#define INSTANCE_HOST   "http://169.254.169.254"
#define INSTANCE_HOST_6 "http://[fd00:ec2::254]"
#define ROLES_PATH      "/latest/meta-data/iam/security-credentials/"
#define TOKEN_CEILING   ((size_t)16 << 10)
#define ANSWER_CEILING  ((size_t)64 << 10)
#define TIMEOUT_MS      1000 /* as AWS's tools: nobody waits long for a machine that is none */

static int send(struct gl_aws_chain *chain, const char *method, const char *url,
                const char *const *headers, struct gl_http_reply *out, struct gl_error *err)
{
    const struct gl_world *world = chain->options.world;

    if (world->http == NULL)
        return gl_fail(err, GL_E_NETWORK, "this is offline");
    return gl_aws_walk_send(chain,
                            &(struct gl_http_request){.method = method,
                                                      .url = url,
                                                      .headers = headers,
                                                      .timeout_ms = TIMEOUT_MS,
                                                      .body_ceiling = ANSWER_CEILING,
                                                      .carries_secret = true,
                                                      .is_direct = true},
                            out, err);
}

/* ---- containers ---- */

bool gl_aws_is_container_url(const char *url)
{
    static const char *const hosts[] = {"localhost", "[::1]", "169.254.170.2", "169.254.170.23",
                                        "[fd00:ec2::23]"};
    const char *host;
    size_t length;

    if (strncmp(url, "https://", 8) == 0)
        return true;
    if (strncmp(url, "http://", 7) != 0)
        return false;
    host = url + 7;
    length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    if (memchr(host, '@', strcspn(host, "/?#")) != NULL)
        return false;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (strlen(hosts[i]) == length && strncasecmp(hosts[i], host, length) == 0)
            return true;
    /* 127.0.0.0/8, and no name that only begins so. */
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length;
}

/* What a header cannot hold. */
static bool has_control(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f)
            return true;
    return false;
}

/* "Authorization: ..." of the token that the container was given, into *out; 0 also without. */
static int authorization(struct gl_aws_chain *chain, struct gl_str *out, struct gl_error *err)
{
    const char *path = gl_aws_env(chain, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = gl_aws_env(chain, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    char *bytes = NULL;
    size_t length = token != NULL ? strlen(token) : 0;
    int got = 0;

    if (path != NULL) {
        if (gl_file_read(path, TOKEN_CEILING, &bytes, &length, err) < 0)
            return gl_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        token = bytes;
    }
    if (has_control(token, length)) {
        got = gl_fail(err, GL_E_NO_CREDENTIAL,
                      "the container's token holds a line break or another control character");
    } else if (length > 0) {
        gl_str_add(out, "Authorization: ");
        gl_str_add_bytes(out, token, length);
    }
    if (bytes != NULL)
        gl_wipe(bytes, length);
    free(bytes);
    return got;
}

static int fetch_container(struct gl_aws_chain *chain, const char *url,
                           struct gl_aws_credential *out, struct gl_error *err)
{
    struct gl_str header = {.ceiling = 2 * TOKEN_CEILING};
    struct gl_http_reply reply = {0};
    const char *headers[3] = {"Accept: application/json"};
    int got = authorization(chain, &header, err);

    if (header.length > 0)
        headers[1] = gl_str_text(&header);
    if (got == 0)
        got = send(chain, "GET", url, headers, &reply, err);
    if (got == 0 && reply.status != 200)
        got = gl_fail(err, GL_E_NO_CREDENTIAL, "the container's endpoint answers HTTP %d",
                      reply.status);
    if (got == 0)
        got = gl_aws_credential_read(reply.body, reply.body_length, "Token", 0, out, err);
    gl_http_reply_done(&reply);
    if (header.text != NULL)
        gl_wipe(header.text, header.capacity);
    gl_str_done(&header);
    return got;
}

int gl_aws_from_container(struct gl_aws_chain *chain, struct gl_aws_credential *out,
                          struct gl_error *err)
{
    const char *relative = gl_aws_env(chain, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = gl_aws_env(chain, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    struct gl_str url = {0};
    int got;

    if (relative == NULL && full == NULL)
        return 0;
    if (relative != NULL && *relative != '/')
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with a slash");
    if (relative == NULL && !gl_aws_is_container_url(full))
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of "
                       "this machine or its container service");
    gl_str_addf(&url, "%s%s", relative != NULL ? CONTAINER_HOST : "",
                relative != NULL ? relative : full);
    got = fetch_container(chain, gl_str_text(&url), out, err);
    gl_str_done(&url);
    if (got < 0) {
        err->code = err->code == GL_E_BAD_REPLY ? GL_E_NO_CREDENTIAL : err->code;
        return gl_wrap(err, "container credentials");
    }
    gl_aws_credential_says(out, "the container's role");
    return 1;
}

/* ---- instances ---- */

static void instance_url(const struct gl_aws_chain *chain, const char *path, struct gl_str *out)
{
    const char *given = gl_aws_env(chain, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = gl_aws_env(chain, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    size_t length;

    if (given == NULL)
        given =
            gl_aws_profile_config(&chain->files, chain->profile, "ec2_metadata_service_endpoint");
    if (given == NULL || *given == '\0')
        given = mode != NULL && strcasecmp(mode, "IPv6") == 0 ? INSTANCE_HOST_6 : INSTANCE_HOST;
    for (length = strlen(given); length > 0 && given[length - 1] == '/'; length--)
        ;
    gl_str_add_bytes(out, given, length);
    gl_str_add(out, path);
}

/* Nobody is there, or nobody who says so. */
static int no_instance(struct gl_aws_chain *chain)
{
    struct gl_str url = {0};

    instance_url(chain, "", &url);
    snprintf(chain->unanswered, sizeof chain->unanswered, "%s", gl_str_text(&url));
    gl_str_done(&url);
    return 0;
}

/* A session token as a header. 0 when no metadata service answers: this machine is no instance. */
static int open_session(struct gl_aws_chain *chain, struct gl_str *out, struct gl_error *err)
{
    static const char *const headers[] = {"X-aws-ec2-metadata-token-ttl-seconds: 21600", NULL};
    struct gl_http_reply reply = {0};
    struct gl_error why = {0};
    struct gl_str url = {0};
    int got = 1;

    instance_url(chain, "/latest/api/token", &url);
    if (send(chain, "PUT", gl_str_text(&url), headers, &reply, &why) < 0)
        got = chain->is_waiting ? gl_fail(err, why.code, "%s", why.text) : no_instance(chain);
    else if (reply.status != 200 || reply.body_length == 0 || reply.body_length > TOKEN_CEILING ||
             strchr(reply.body, ' ') != NULL || has_control(reply.body, reply.body_length))
        got = gl_fail(err, GL_E_NO_CREDENTIAL,
                      "the metadata service gives no session token (HTTP %d); its version 1 is not "
                      "used",
                      reply.status);
    else
        gl_str_addf(out, "X-aws-ec2-metadata-token: %s", reply.body);
    gl_http_reply_done(&reply);
    gl_str_done(&url);
    return got;
}

/* GET below the metadata service: 200 or -1. */
static int get(struct gl_aws_chain *chain, const char *path, const char *session,
               struct gl_http_reply *out, struct gl_error *err)
{
    const char *const headers[] = {session, NULL};
    struct gl_str url = {0};
    int got;

    instance_url(chain, path, &url);
    got = send(chain, "GET", gl_str_text(&url), headers, out, err);
    gl_str_done(&url);
    if (got == 0 && out->status != 200)
        got = gl_fail(err, GL_E_NO_CREDENTIAL, "the metadata service answers HTTP %d%s",
                      out->status, out->status == 404 ? ": this machine has no role" : "");
    return got;
}

static int fetch_instance(struct gl_aws_chain *chain, const char *session,
                          struct gl_aws_credential *out, struct gl_error *err)
{
    struct gl_http_reply roles = {0}, reply = {0};
    char path[256];
    size_t length;
    int got = get(chain, ROLES_PATH, session, &roles, err);

    length = got == 0 ? strcspn(roles.body, "\r\n") : 0;
    if (got == 0 && (length == 0 || length > 128 || strcspn(roles.body, " /?#%") < length))
        got = gl_fail(err, GL_E_NO_CREDENTIAL, "the metadata service names no role");
    if (got == 0) {
        snprintf(path, sizeof path, ROLES_PATH "%.*s", (int)length, roles.body);
        got = get(chain, path, session, &reply, err);
    }
    if (got == 0)
        got = gl_aws_credential_read(reply.body, reply.body_length, "Token", 0, out, err);
    gl_http_reply_done(&roles);
    gl_http_reply_done(&reply);
    return got;
}

int gl_aws_from_instance(struct gl_aws_chain *chain, struct gl_aws_credential *out,
                         struct gl_error *err)
{
    const char *disabled = gl_aws_env(chain, "AWS_EC2_METADATA_DISABLED");
    struct gl_str session = {.ceiling = 2 * TOKEN_CEILING};
    int got;

    if (disabled != NULL && strcasecmp(disabled, "true") == 0)
        return 0;
    got = open_session(chain, &session, err);
    if (got == 1 && fetch_instance(chain, gl_str_text(&session), out, err) < 0)
        got = -1;
    if (session.text != NULL)
        gl_wipe(session.text, session.capacity);
    gl_str_done(&session);
    if (got < 0) {
        err->code = err->code == GL_E_BAD_REPLY ? GL_E_NO_CREDENTIAL : err->code;
        return gl_wrap(err, "instance metadata");
    }
    if (got == 1)
        gl_aws_credential_says(out, "this machine's role");
    return got;
}
