/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/venue.h"

#include <stdlib.h>
#include <string.h>

/* An answer of a venue. The first byte names the venue, the second the status; the rest is the
 * body, which holds whatever a stranger wrote. */

#define FINGERPRINT "7f3a91c2aa40c8a1e4b2c3d4e5f60718293a4b5c6d7e8f901122334455667788"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct echo {
    struct gl_http http; /* first */
    const uint8_t *bytes;
    size_t size;
    int status;
};

static int send(struct gl_http *http, const struct gl_http_request *request,
                struct gl_http_reply *out, struct gl_error *err)
{
    struct echo *echo = (struct echo *)http;

    (void)request, (void)err;
    *out = (struct gl_http_reply){.status = echo->status, .retry_after_s = -1};
    out->body = gl_alloc(echo->size + 1);
    memcpy(out->body, echo->bytes, echo->size);
    out->body_length = echo->size;
    return 0;
}

static const struct gl_http_ops ops = {.name = "echo", .send = send};

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_printable(const char *text)
{
    for (; *text != '\0'; text++)
        demand((unsigned char)*text >= ' ' && *text != 127);
}

static void look(struct gl_venue *venue)
{
    struct gl_venue_candidate found[GL_VENUE_CANDIDATES];
    struct gl_venue_status status;
    struct gl_error err = {0};
    size_t count = 0;

    if (gl_venue_search(venue, "words", found, &count, &err) == 0)
        for (size_t i = 0; i < count; i++)
            check_printable(found[i].title);
    gl_error_clear(&err);
    if (gl_venue_status(venue, "181", NULL, &status, &err) == 0 && !status.is_same) {
        check_printable(status.title);
        check_printable(status.reason);
    }
    demand(strstr(err.text, "fuzz-secret") == NULL);
}

static void file(struct gl_venue *venue)
{
    const struct gl_venue_request request = {
        .fingerprint = FINGERPRINT, .title = "Title", .markdown = "Text", .drafted = {1795132800}};
    struct gl_venue_preview preview = {0};
    struct gl_venue_receipt receipt;
    struct gl_error err = {0};
    struct gl_venue_approval approval = {0};

    demand(gl_venue_preview(venue, GL_VENUE_FILING, &request, NULL, &preview, &err) == 0);
    approval.digest = preview.digest;
    gl_venue_send(venue, &preview, &approval, &receipt, &err);
    demand(strstr(err.text, "fuzz-secret") == NULL);
    gl_venue_preview_done(&preview);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct {
        const char *name;
        struct gl_setting settings[3];
        size_t count;
    } venues[] = {
        {"github", {{"repository", "o/r"}}, 1},
        {"gitlab", {{"project", "g/p"}}, 1},
        {"ovh", {{NULL, NULL}}, 0},
        {"jira", {{"endpoint", "https://x"}, {"project", "G"}, {"email", "a@b.org"}}, 3},
        {"zendesk", {{"endpoint", "https://x"}, {"name", "n"}, {"email", "a@b.org"}}, 3},
    };
    static const int statuses[] = {200, 201, 204, 304, 302, 400, 403, 404, 410, 422, 429, 500};
    static const char *const environment[] = {
        "GITHUB_TOKEN=fuzz-secret",           "GITLAB_TOKEN=fuzz-secret",
        "OVH_APPLICATION_KEY=fuzz-secret",    "OVH_CONSUMER_KEY=fuzz-secret",
        "OVH_APPLICATION_SECRET=fuzz-secret", "JIRA_API_TOKEN=fuzz-secret",
        "ZENDESK_API_TOKEN=fuzz-secret",      NULL};
    struct echo echo = {.http = {.ops = &ops}};
    struct gl_venue_options options = {0};
    struct gl_world *world;
    struct gl_venue *venue;
    struct gl_error err = {0};
    unsigned which;

    if (size < 2)
        return 0;
    which = bytes[0] % 5;
    echo.status = statuses[bytes[1] % 12];
    echo.bytes = bytes + 2;
    echo.size = size - 2;
    world = gl_world_fixed_new(1795334400000, 1, environment);
    world->http = &echo.http;
    options.world = world;
    options.settings = venues[which].settings;
    options.setting_count = venues[which].count;
    venue = gl_venue_open(venues[which].name, &options, &err);
    demand(venue != NULL);
    look(venue);
    file(venue);
    gl_venue_close(venue);
    gl_world_fixed_free(world);
    return 0;
}
