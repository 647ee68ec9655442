/* SPDX-License-Identifier: Apache-2.0 */
/* Our requests beside those of Google's own library (tests/vectors/gcp). */
#include "base/file.h"
#include "base/json.h"
#include "providers/cloud/drivers.h"
#include "providers/cloud/gcp.h"
#include "tests/support/fake_gcp.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN "tests/vectors/gcp/requests.json"
#define TOKEN  "00000000aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"

static json_t *golden;

static int read_golden(void **state)
{
    struct gl_error err = {0};
    char *text;
    size_t length;

    (void)state;
    if (gl_file_read(GOLDEN, 1 << 20, &text, &length, &err) != 0)
        fail_msg("%s", err.text);
    golden = gl_json_parse(text, length, GOLDEN, &err);
    free(text);
    return golden != NULL ? 0 : -1;
}

static int drop_golden(void **state)
{
    (void)state;
    json_decref(golden);
    return 0;
}

/* Protocol buffers write empty maps; nobody means anything by them. */
static json_t *without_empty(const json_t *value)
{
    json_t *copy = json_deep_copy(value), *member;
    const char *key;
    void *next;
    size_t i;

    if (json_is_array(copy))
        json_array_foreach(copy, i, member) json_array_set_new(copy, i, without_empty(member));
    if (json_is_object(copy))
        json_object_foreach_safe(copy, next, key, member)
        {
            if (json_is_object(member) && json_object_size(member) == 0)
                json_object_del(copy, key);
            else
                json_object_set_new(copy, key, without_empty(member));
        }
    return copy;
}

/* For tests/integration/google.sh, which lets another library of Google's read them. */
static void hand_out(const char *message, const json_t *body)
{
    const char *path = getenv("GREENLAUNCH_GCP_BODIES");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;

    if (file == NULL)
        return;
    fprintf(file, "%s ", message);
    json_dumpf(body, file, JSON_COMPACT);
    fputc('\n', file);
    fclose(file);
}

static void check_body(size_t at, bool is_spot)
{
    const struct gl_launch launch = {.token = TOKEN,
                                     .launch_id = "gl-4k2p9x",
                                     .region = "europe-north1",
                                     .type = "n2-standard-2",
                                     .attempt = 1,
                                     .expires = {1800000000},
                                     .lease = {3600},
                                     .is_spot = is_spot};
    const struct gl_gcp gcp = {.image = "projects/debian-cloud/global/images/family/debian-12",
                               .network = "global/networks/default",
                               .has_address = true};
    json_t *ours = gl_gcp_insert_body(&gcp, &launch, "europe-north1-a", "hello");
    json_t *theirs = without_empty(json_object_get(json_array_get(golden, at), "body"));
    char *left = json_dumps(ours, JSON_SORT_KEYS), *right = json_dumps(theirs, JSON_SORT_KEYS);

    assert_string_equal(left, right);
    hand_out("Instance", ours);
    free(left);
    free(right);
    json_decref(ours);
    json_decref(theirs);
}

static void bodies_are_the_same(void **state)
{
    (void)state;
    check_body(0, false);
    check_body(1, true);
}

/* Without a setting the image is one that the processor can run. */
static void the_image_is_of_the_processor(void **state)
{
    static const struct {
        const char *type, *setting, *image;
    } rows[] = {
        {"n2d-standard-2", NULL, "projects/debian-cloud/global/images/family/debian-12"},
        {"a2-highgpu-1g", NULL, "projects/debian-cloud/global/images/family/debian-12"},
        {"t2a-standard-1", NULL, "projects/debian-cloud/global/images/family/debian-12-arm64"},
        {"c4a-highmem-1", NULL, "projects/debian-cloud/global/images/family/debian-12-arm64"},
        {"n4a-standard-1", NULL, "projects/debian-cloud/global/images/family/debian-12-arm64"},
        {"c4a-standard-1", "projects/p/global/images/own", "projects/p/global/images/own"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct gl_launch launch = {.token = TOKEN,
                                         .launch_id = "gl-4k2p9x",
                                         .region = "europe-north1",
                                         .type = rows[i].type,
                                         .lease = {3600}};
        const struct gl_gcp gcp = {.image = rows[i].setting, .network = "global/networks/default"};
        json_t *body = gl_gcp_insert_body(&gcp, &launch, "europe-north1-a", "hello");
        const char *image = NULL;

        assert_int_equal(json_unpack(body, "{s:[{s:{s:s}}]}", "disks", "initializeParams",
                                     "sourceImage", &image),
                         0);
        assert_string_equal(image, rows[i].image);
        json_decref(body);
    }
}

/* All that settings and a launch can add. */
static void a_full_body_is_handed_out(void **state)
{
    const struct gl_launch launch = {.token = TOKEN,
                                     .launch_id = "gl-4k2p9x",
                                     .region = "europe-north1",
                                     .type = "a2-highgpu-1g",
                                     .attempt = 2,
                                     .expires = {1800000000},
                                     .lease = {3600},
                                     .is_spot = true};
    const struct gl_gcp gcp = {.image = "projects/p/global/images/i",
                               .network = "global/networks/default",
                               .service_account = "someone@p.iam.gserviceaccount.com"};
    json_t *body = gl_gcp_insert_body(&gcp, &launch, "europe-north1-a", "hello");

    (void)state;
    assert_non_null(json_object_get(body, "serviceAccounts"));
    hand_out("Instance", body);
    json_decref(body);
}

/* ---- lines ---- */

/* "METHOD path", then each query parameter but the page size, which is ours to choose. */
static void add_golden_line(const json_t *request, struct gl_str *out)
{
    const char *key;
    json_t *value;

    gl_str_addf(out, "%s %s", json_string_value(json_object_get(request, "method")),
                json_string_value(json_object_get(request, "path")));
    json_object_foreach(json_object_get(request, "query"), key,
                        value) if (strcmp(key, "requestId") != 0) gl_str_addf(out, " %s", key);
}

/* A line of the log in the same form. */
static void add_our_line(const char *line, size_t length, struct gl_str *out)
{
    char copy[2048], *query, *rest;

    snprintf(copy, sizeof copy, "%.*s", (int)length, line);
    query = strchr(copy, '?');
    if (query != NULL)
        *query++ = '\0';
    gl_str_add(out, copy);
    for (char *part = query != NULL ? strtok_r(query, "&", &rest) : NULL; part != NULL;
         part = strtok_r(NULL, "&", &rest)) {
        part[strcspn(part, "=")] = '\0';
        if (strcmp(part, "requestId") != 0)
            gl_str_addf(out, " %s", part);
    }
    gl_str_add(out, "\n");
}

static void live(struct gl_cloud *cloud)
{
    const struct gl_launch launch = {.token = TOKEN,
                                     .launch_id = "gl-4k2p9x",
                                     .region = "europe-north1",
                                     .type = "n2-standard-2",
                                     .attempt = 1,
                                     .expires = {1800000000},
                                     .lease = {3600}};
    struct gl_error err = {0};
    struct gl_instance made, *rows;
    struct gl_cloud_image image;
    struct gl_str text = {0};
    uint64_t next;
    size_t count;

    if (cloud->ops->launch(cloud, &launch, &made, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(cloud->ops->halt(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->start(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->console(cloud, made.id, 7, &text, &next, &err), 0);
    assert_int_equal(cloud->ops->list(cloud, &rows, &count, &err), 0);
    free(rows);
    assert_int_equal(cloud->ops->image_create(cloud, made.id, "gl-move-1", &image, &err), 0);
    assert_int_equal(cloud->ops->image_delete(cloud, image.id, &err), 0);
    assert_int_equal(cloud->ops->terminate(cloud, made.id, &err), 0);
    gl_str_done(&text);
}

static void every_call_is_one_that_their_library_makes(void **state)
{
    char *folder = scratch_make("gcp_golden"), *log;
    GL_AUTO(gl_str_done) struct gl_str ours = {0};
    struct fake_gcp *fake = gl_alloc(sizeof *fake);
    struct gl_world world;
    struct gl_error err = {0};
    struct gl_cloud *cloud;
    size_t i;
    const json_t *request;

    (void)state;
    fake_gcp_start(fake, folder);
    gl_world_real(&world);
    world.http = gl_http_curl_new();
    const char *url = gl_test_server_url(fake->server);
    const struct gl_setting settings[] = {{"credentials", fake->key_path},
                                          {"endpoint", url},
                                          {"billing-endpoint", url},
                                          {"projects-endpoint", url},
                                          {"zone", "europe-north1-a"}};
    cloud = gl_gcp_open(
        &(struct gl_cloud_options){.world = &world, .settings = settings, .setting_count = 5},
        &err);
    assert_non_null(cloud);
    live(cloud);
    log = gl_test_server_log(fake->server);
    for (const char *line = log; *line != '\0'; line = strchr(line, '\n') + 1)
        add_our_line(line, strcspn(line, "\n"), &ours);
    json_array_foreach(golden, i, request)
    {
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        add_golden_line(request, &line);
        gl_str_add(&line, "\n");
        if (strstr(gl_str_text(&ours), gl_str_text(&line)) == NULL)
            fail_msg("never sent as their library does: %s# ours:\n%s", line.text, ours.text);
    }
    free(log);
    gl_cloud_close(cloud);
    gl_http_close(world.http);
    fake_gcp_stop(fake);
    free(fake);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_the_same),
        cmocka_unit_test(the_image_is_of_the_processor),
        cmocka_unit_test(a_full_body_is_handed_out),
        cmocka_unit_test(every_call_is_one_that_their_library_makes),
    };

    return cmocka_run_group_tests(tests, read_golden, drop_golden);
}
