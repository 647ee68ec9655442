/* SPDX-License-Identifier: Apache-2.0 */
#include "base/identity_source.h"

#include <string.h>

#define LETTERS_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define MAX_ENDPOINT   256

/* https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html
 * https://cloud.google.com/compute/docs/instances/verifying-instance-identity
 * https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service (attested data) */
static const struct gl_identity_source sources[] = {
    {.provider = "aws",
     .endpoint = "http://169.254.169.254",
     .variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT",
     .path = "/latest/dynamic/instance-identity/rsa2048",
     .session = "/latest/api/token",
     .session_header = "X-aws-ec2-metadata-token-ttl-seconds: 60",
     .token_header = "X-aws-ec2-metadata-token",
     .is_base64 = true},
    {.provider = "gcp",
     .endpoint = "http://metadata.google.internal",
     .variable = "GCE_METADATA_HOST",
     .path = "/computeMetadata/v1/instance/service-accounts/default/identity"
             "?audience=%s&format=full",
     .header = "Metadata-Flavor: Google",
     .answer = "Metadata-Flavor: Google",
     .has_challenge = true},
    {.provider = "azure",
     .endpoint = "http://169.254.169.254",
     .variable = "GREENLAUNCH_AZURE_METADATA_ENDPOINT",
     .path = "/metadata/attested/document?api-version=2025-04-07&nonce=%s",
     .header = "Metadata: true",
     .has_challenge = true},
};

const struct gl_identity_source *gl_identity_sources(size_t *out_count)
{
    *out_count = sizeof sources / sizeof sources[0];
    return sources;
}

const struct gl_identity_source *gl_identity_source(const char *provider)
{
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (strcmp(sources[i].provider, provider) == 0)
            return &sources[i];
    return NULL;
}

bool gl_identity_challenge_ok(const char *challenge)
{
    size_t length = strlen(challenge);

    return length == GL_IDENTITY_CHALLENGE - 1 && strspn(challenge, LETTERS_DIGITS) == length;
}

int gl_identity_audience(const char *broker, const char *challenge, char out[GL_IDENTITY_AUDIENCE],
                         struct gl_error *err)
{
    char prefix[] = "greenlaunch/";
    size_t length = strlen(broker), start = sizeof prefix - 1;

    if (length == 0 || strspn(broker, LETTERS_DIGITS ".-_") != length ||
        start + length + 1 + GL_IDENTITY_CHALLENGE > GL_IDENTITY_AUDIENCE)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "the broker's name must be letters, digits, dots, dashes and underscores");
    if (!gl_identity_challenge_ok(challenge))
        return gl_fail(err, GL_E_BAD_VALUE, "the challenge must be %d letters and digits",
                       GL_IDENTITY_CHALLENGE - 1);
    memcpy(out, prefix, start);
    memcpy(out + start, broker, length);
    out[start + length] = '/';
    memcpy(out + start + length + 1, challenge, GL_IDENTITY_CHALLENGE);
    return 0;
}

/* "host", "host:port", "[v6]:port", or one of them after http:// or https://. */
static bool is_endpoint(const char *text)
{
    const char *host = strstr(text, "://");
    size_t length;

    if (host != NULL && strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
        return false;
    host = host != NULL ? host + 3 : text;
    length = strlen(host);
    return length > 0 && length <= MAX_ENDPOINT && strspn(host, LETTERS_DIGITS ".-:[]") == length;
}

int gl_identity_url(const struct gl_identity_source *source, const char *endpoint,
                    const char *challenge, struct gl_str *out, struct gl_error *err)
{
    const char *hole = strstr(source->path, "%s");
    size_t length = challenge != NULL ? strlen(challenge) : 0;

    if (endpoint == NULL || endpoint[0] == '\0')
        endpoint = source->endpoint;
    if (!is_endpoint(endpoint))
        return gl_fail(err, GL_E_BAD_VALUE, "%s is neither a host nor http(s)://host",
                       source->variable);
    if (hole != NULL && (length == 0 || length >= GL_IDENTITY_AUDIENCE ||
                         strspn(challenge, LETTERS_DIGITS ".-_/") != length))
        return gl_fail(err, GL_E_BAD_VALUE, "the challenge for %s cannot stand in a URL",
                       source->provider);
    gl_str_addf(out, "%s%s", strstr(endpoint, "://") != NULL ? "" : "http://", endpoint);
    if (hole == NULL)
        gl_str_add(out, source->path);
    else
        gl_str_addf(out, "%.*s%s%s", (int)(hole - source->path), source->path, challenge, hole + 2);
    return 0;
}
