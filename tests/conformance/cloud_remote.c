/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_remote.h"

#include "base/http.h"
#include "tests/conformance/cloud_fake_aws.h"

#include <string.h>
#include <unistd.h>

#define SETTINGS_MAX 8

static const struct gl_remote_fixture *current;
static struct gl_setting settings[SETTINGS_MAX];
static pid_t owner; /* of the transport: connections are not shared with children */

static const char *getenv_of_fixture(void *cookie, const char *name)
{
    size_t length = strlen(name);

    (void)cookie;
    for (size_t i = 0; current->environment[i] != NULL; i++)
        if (strncmp(current->environment[i], name, length) == 0 &&
            current->environment[i][length] == '=')
            return current->environment[i] + length + 1;
    return NULL;
}

void gl_remote_fixture_set(const struct gl_remote_fixture *fixture, void *counterpart,
                           struct gl_world *world, struct gl_cloud_options *options)
{
    current = fixture;
    world->getenv = getenv_of_fixture;
    if (owner != getpid()) {
        world->http = gl_http_curl_new();
        owner = getpid();
    }
    settings[0] = (struct gl_setting){"endpoint", fixture->url(counterpart)};
    for (size_t i = 0; i < fixture->setting_count; i++)
        settings[1 + i] = fixture->settings[i];
    options->settings = settings;
    options->setting_count = 1 + fixture->setting_count;
}

void gl_remote_fixture_end(const struct gl_remote_fixture *fixture, void *counterpart,
                           struct gl_world *world)
{
    gl_http_close(world->http);
    world->http = NULL;
    owner = 0;
    fixture->stop(counterpart);
}

/* ---- aws ---- */

static void *aws_start(void)
{
    return gl_fake_aws_start();
}

static void aws_stop(void *counterpart)
{
    gl_fake_aws_stop(counterpart);
}

static const char *aws_url(const void *counterpart)
{
    return gl_fake_aws_url(counterpart);
}

static const char *const aws_environment[] = {"AWS_ACCESS_KEY_ID=" GL_FAKE_AWS_KEY,
                                              "AWS_SECRET_ACCESS_KEY=" GL_FAKE_AWS_SECRET,
                                              "AWS_EC2_METADATA_DISABLED=true", NULL};
static const struct gl_setting aws_settings[] = {{"region", "eu-north-1"}, {"settle", "0"}};

const struct gl_remote_fixture gl_remote_fixture_aws = {.start = aws_start,
                                                        .stop = aws_stop,
                                                        .url = aws_url,
                                                        .environment = aws_environment,
                                                        .settings = aws_settings,
                                                        .setting_count = 2};
