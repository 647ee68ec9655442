/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: AssumeRole and AssumeRoleWithWebIdentity of STS.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
#include "providers/cloud/aws_credential_part.h"

#include "base/file.h"
#include "base/time.h"
#include "base/xml.h"
#include "providers/cloud/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_FILE_MAX ((size_t)64 << 10)
#define STS_TIMEOUT_MS 10000
#define STS_CEILING    ((size_t)1 << 20)

/* What is asked of STS. */
struct role {
    const char *arn, *session, *external_id, *duration;
    const char *token; /* of a web identity; NULL = signed with `source` */
    const struct gl_aws_keys *source;
};

static void add_field(struct gl_str *body, const char *name, const char *value)
{
    if (value == NULL)
        return;
    gl_str_addf(body, "&%s=", name);
    gl_remote_encode(body, value);
}

static void make_body(const struct gl_aws_chain *chain, const struct role *role,
                      struct gl_str *body)
{
    char session[64];

    snprintf(session, sizeof session, "greenlaunch-%lld",
             (long long)gl_now(chain->options.world).unix_s);
    gl_str_addf(body, "Action=%s&Version=2011-06-15",
                role->token != NULL ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    add_field(body, "RoleArn", role->arn);
    add_field(body, "RoleSessionName", role->session != NULL ? role->session : session);
    add_field(body, "ExternalId", role->external_id);
    add_field(body, "DurationSeconds", role->duration);
    add_field(body, "WebIdentityToken", role->token);
}

static void wipe_text(const struct gl_xml_node *parent, const char *path)
{
    const char *text = gl_xml_text(parent, path);

    if (text != NULL)
        gl_wipe((char *)(uintptr_t)text, strlen(text));
}

static int read_keys(const struct gl_xml_node *node, struct gl_aws_credential *out,
                     struct gl_error *err)
{
    const char *id = gl_xml_text(node, "AccessKeyId");
    const char *secret = gl_xml_text(node, "SecretAccessKey");
    const char *expires = gl_xml_text(node, "Expiration");
    struct gl_instant at = {0};

    if (id == NULL || secret == NULL || expires == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "STS answers without credentials");
    if (gl_instant_parse(expires, &at, err) < 0 ||
        gl_aws_credential_set(out, id, secret, gl_xml_text(node, "SessionToken"), err) < 0)
        return -1;
    out->expires = at;
    return 0;
}

static int read_answer(const struct gl_http_reply *reply, const char *action,
                       struct gl_aws_credential *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;
    const struct gl_xml_node *node;
    char path[64], code[GL_TEXT_SHOWN];
    const char *word;
    int got;

    if (gl_xml_parse(reply->body, reply->body_length, &doc, err) < 0)
        return gl_wrap(err, "STS");
    if (reply->status / 100 != 2) {
        word = gl_xml_text(gl_xml_root(doc), "Error/Code");
        return gl_fail(err, GL_E_NO_CREDENTIAL, "STS refuses: %s (HTTP %d)",
                       gl_text_show(word != NULL ? word : "no code", code), reply->status);
    }
    snprintf(path, sizeof path, "%sResult", action);
    node = gl_xml_child(gl_xml_child(gl_xml_root(doc), path), "Credentials");
    got = node != NULL ? read_keys(node, out, err)
                       : gl_fail(err, GL_E_BAD_REPLY, "STS answers without credentials");
    wipe_text(node, "SecretAccessKey");
    wipe_text(node, "SessionToken");
    return got;
}

/* The lines of a request as an array; they point into *lines, which is cut up. */
static size_t split_lines(char *lines, const char **out, size_t most)
{
    size_t count = 0;

    for (char *next = NULL; *lines != '\0' && count + 1 < most; lines = next) {
        next = lines + strcspn(lines, "\n");
        if (*next == '\n')
            *next++ = '\0';
        out[count++] = lines;
    }
    out[count] = NULL;
    return count;
}

static void sign(const struct gl_aws_chain *chain, const struct role *role, const char *region,
                 const char *url, const struct gl_str *body, struct gl_str *lines)
{
    const struct gl_sigv4 how = {.keys = role->source,
                                 .region = region,
                                 .service = "sts",
                                 .at = gl_now(chain->options.world)};
    const char *host = strstr(url, "://");
    struct gl_str headers = {0};
    struct gl_sigv4_request request = {.method = "POST", .path = "/", .query = ""};

    host = host != NULL ? host + 3 : url;
    gl_str_addf(&headers, "Host: %.*s\n%s", (int)strcspn(host, "/"), host, gl_str_text(lines));
    request.headers = gl_str_text(&headers);
    request.body = (struct gl_view){gl_str_text(body), body->length};
    gl_sigv4_sign(&how, &request, lines, NULL);
    gl_str_done(&headers);
}

static int ask(struct gl_aws_chain *chain, const struct role *role, struct gl_aws_credential *out,
               struct gl_error *err)
{
    const char *region = gl_aws_chain_region(chain), *headers[8];
    struct gl_str url = {0}, body = {0}, lines = {0};
    struct gl_http_reply reply = {0};
    int got = -1;

    if (region == NULL || !gl_aws_is_region(region))
        region = "us-east-1";
    gl_aws_chain_endpoint(chain, "sts", region, &url);
    gl_str_add_char(&url, '/');
    make_body(chain, role, &body);
    gl_str_add(&lines, "Content-Type: application/x-www-form-urlencoded; charset=utf-8\n");
    if (role->source != NULL)
        sign(chain, role, region, gl_str_text(&url), &body, &lines);
    split_lines(lines.text, headers, 8);
    if (chain->options.world->http == NULL)
        gl_fail(err, GL_E_NETWORK, "a role needs STS, and this is offline");
    else if (gl_aws_walk_send(chain,
                              &(struct gl_http_request){.method = "POST",
                                                        .url = gl_str_text(&url),
                                                        .headers = headers,
                                                        .body = gl_str_text(&body),
                                                        .body_length = body.length,
                                                        .timeout_ms = STS_TIMEOUT_MS,
                                                        .body_ceiling = STS_CEILING,
                                                        .carries_secret = true},
                              &reply, err) == 0)
        got = read_answer(&reply, role->token != NULL ? "AssumeRoleWithWebIdentity" : "AssumeRole",
                          out, err);
    gl_http_reply_done(&reply);
    gl_wipe(body.text, body.capacity);
    gl_wipe(lines.text, lines.capacity);
    gl_str_done(&url);
    gl_str_done(&body);
    gl_str_done(&lines);
    return got;
}

/* ---- web identity ---- */

static int with_token_file(struct gl_aws_chain *chain, struct role *role, const char *path,
                           struct gl_aws_credential *out, struct gl_error *err)
{
    char *token = NULL;
    size_t length = 0;
    int got = -1;

    if (gl_file_read(path, TOKEN_FILE_MAX, &token, &length, err) < 0)
        return gl_wrap(err, "web identity token");
    while (length > 0 && strchr(" \t\r\n", token[length - 1]) != NULL)
        token[--length] = '\0';
    role->token = token;
    if (length == 0)
        gl_fail(err, GL_E_NO_CREDENTIAL, "%s is empty", path);
    else
        got = ask(chain, role, out, err);
    gl_wipe(token, length);
    free(token);
    return got < 0 ? gl_wrap(err, "web identity") : 1;
}

int gl_aws_from_web_identity(struct gl_aws_chain *chain, struct gl_aws_credential *out,
                             struct gl_error *err)
{
    const char *path = gl_aws_env(chain, "AWS_WEB_IDENTITY_TOKEN_FILE");
    struct role role = {.arn = gl_aws_env(chain, "AWS_ROLE_ARN"),
                        .session = gl_aws_env(chain, "AWS_ROLE_SESSION_NAME")};

    if (path == NULL)
        return 0;
    if (role.arn == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
    if (with_token_file(chain, &role, path, out, err) < 0)
        return -1;
    gl_aws_credential_says(out, "web identity as %.100s", role.arn);
    return 1;
}

/* ---- roles of profiles ---- */

static int from_named_source(struct gl_aws_chain *chain, const char *source,
                             struct gl_aws_credential *out, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    int got;

    if (strcmp(source, "Environment") == 0)
        got = gl_aws_from_environment(chain, out, err);
    else if (strcmp(source, "Ec2InstanceMetadata") == 0)
        got = gl_aws_from_instance(chain, out, err);
    else if (strcmp(source, "EcsContainer") == 0)
        got = gl_aws_from_container(chain, out, err);
    else
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "credential_source %s is none of Environment, Ec2InstanceMetadata and "
                       "EcsContainer",
                       gl_text_show(source, shown));
    return got != 0
               ? got
               : gl_fail(err, GL_E_NO_CREDENTIAL, "credential_source %s has none here", source);
}

/* Static keys first, as a profile may name itself; then its own role or process. */
static int from_source_profile(struct gl_aws_chain *chain, const char *source, unsigned depth,
                               struct gl_aws_credential *out, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    int got;

    if (!gl_aws_profile_exists(&chain->files, source))
        return gl_fail(err, GL_E_NO_CREDENTIAL, "there is no source_profile %s",
                       gl_text_show(source, shown));
    got = gl_aws_from_static(chain, source, false, out, err);
    if (got == 0)
        got = gl_aws_from_static(chain, source, true, out, err);
    if (got == 0)
        got = gl_aws_from_role(chain, source, depth + 1, out, err);
    if (got == 0)
        got = gl_aws_from_process(chain, source, out, err);
    if (got == 0)
        got = gl_aws_refuse_session(chain, source, err);
    return got != 0 ? got
                    : gl_fail(err, GL_E_NO_CREDENTIAL, "source_profile %s has no credentials",
                              gl_text_show(source, shown));
}

static int assume(struct gl_aws_chain *chain, const char *profile, unsigned depth,
                  struct role *role, struct gl_aws_credential *out, struct gl_error *err)
{
    const char *source = gl_aws_profile_get(&chain->files, profile, "source_profile");
    const char *named = gl_aws_profile_get(&chain->files, profile, "credential_source");
    struct gl_aws_credential base = {0};
    int got;

    if ((source == NULL) == (named == NULL))
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "role_arn needs one of source_profile and credential_source");
    got = source != NULL ? from_source_profile(chain, source, depth, &base, err)
                         : from_named_source(chain, named, &base, err);
    if (got < 0)
        return -1;
    role->source = &base.keys;
    got = ask(chain, role, out, err);
    gl_aws_credential_done(&base);
    return got;
}

int gl_aws_from_role(struct gl_aws_chain *chain, const char *profile, unsigned depth,
                     struct gl_aws_credential *out, struct gl_error *err)
{
    const struct gl_aws_files *files = &chain->files;
    const char *path = gl_aws_profile_get(files, profile, "web_identity_token_file");
    struct role role = {.arn = gl_aws_profile_get(files, profile, "role_arn"),
                        .session = gl_aws_profile_get(files, profile, "role_session_name"),
                        .external_id = gl_aws_profile_get(files, profile, "external_id"),
                        .duration = gl_aws_profile_get(files, profile, "duration_seconds")};
    int got;

    if (role.arn == NULL)
        return 0;
    if (depth >= GL_AWS_ROLE_DEPTH)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "the roles of profile %s lead on more than %d times, or in a circle",
                       chain->profile, GL_AWS_ROLE_DEPTH);
    if (gl_aws_profile_get(files, profile, "mfa_serial") != NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "the role of profile %s wants an MFA code, and nobody is asked for one "
                       "here: use credential_process = aws configure export-credentials --format "
                       "process --profile %s in another profile",
                       profile, profile);
    got = path != NULL ? with_token_file(chain, &role, path, out, err)
                       : assume(chain, profile, depth, &role, out, err);
    if (got < 0)
        return gl_wrap(err, "role of profile %s", profile);
    gl_aws_credential_says(out, "profile %.60s (role %.80s)", profile, role.arn);
    return 1;
}
