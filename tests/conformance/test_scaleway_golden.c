/* SPDX-License-Identifier: Apache-2.0 */
/* Our requests beside those of Scaleway's own library (tests/vectors/scaleway). */
#include "base/file.h"
#include "base/json.h"
#include "providers/cloud/scaleway.h"
#include "tests/conformance/cloud_vps_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN "tests/vectors/scaleway/requests.json"
#define TOKEN  "00000000aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"
#define GROUP  "99999999-2222-4333-8444-555555555555"

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

/* ---- bodies ---- */

static const struct gl_launch launch = {.token = TOKEN,
                                        .launch_id = "gl-4k2p9x",
                                        .region = "fr-par",
                                        .type = "DEV1-S",
                                        .attempt = 1,
                                        .expires = {1800000000},
                                        .lease = {3600}};

static void check_body(size_t at, json_t *ours)
{
    const json_t *theirs = json_object_get(json_array_get(golden, at), "body");
    char *left = json_dumps(ours, JSON_SORT_KEYS), *right = json_dumps(theirs, JSON_SORT_KEYS);

    assert_string_equal(left, right);
    free(left);
    free(right);
    json_decref(ours);
}

static void bodies_are_the_same(void **state)
{
    struct gl_instance made = {.id = "fr-par-1/aaaaaaaa-bbbb-4ccc-8ddd-000000004711"};

    (void)state;
    snprintf(made.token, sizeof made.token, "%s", TOKEN);
    check_body(0, gl_scaleway_create_body(&launch, "debian_bookworm", GL_FAKE_PROJECT, NULL));
    check_body(1, gl_scaleway_create_body(&launch, "debian_bookworm", GL_FAKE_PROJECT, GROUP));
    check_body(8, json_pack("{s:o}", "tags", gl_scaleway_tags(&launch, false)));
    check_body(10, json_pack("{s:o}", "tags", gl_scaleway_volume_tags(&made)));
}

/* ---- lines ---- */

/* Zones and ids are those of the moment: "Z" and "*". */
static void add_path(const char *path, size_t length, struct gl_str *out)
{
    for (size_t at = 0; at < length;) {
        size_t size = strcspn(path + at, "/?");
        bool is_zone = at >= 7 && strncmp(path + at - 7, "/zones/", 7) == 0;

        size = at + size > length ? length - at : size;
        if (is_zone)
            gl_str_add(out, "Z");
        else if (size == 36)
            gl_str_add(out, "*");
        else
            gl_str_add_bytes(out, path + at, size);
        at += size;
        if (at < length)
            gl_str_add_char(out, path[at++]);
    }
}

static void golden_lines(struct gl_str *out)
{
    json_t *request;
    size_t i;

    json_array_foreach(golden, i, request)
    {
        const char *path = json_string_value(json_object_get(request, "path"));

        gl_str_addf(out, "%s ", json_string_value(json_object_get(request, "method")));
        add_path(path, strlen(path), out);
        gl_str_add(out, "\n");
    }
}

/* The names of a query are all among those that their library sends for any list. */
static void check_query(const char *query, const char *line)
{
    static const char *const known[] = {"page", "page_size", "per_page", "tags"};

    for (const char *part = query; *part != '\0' && *part != '\n';
         part += strcspn(part, "&\n"), part += *part == '&') {
        bool is_known = false;

        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known |=
                strncmp(part, known[i], strlen(known[i])) == 0 && part[strlen(known[i])] == '=';
        if (!is_known)
            fail_msg("a query that their library does not send: %.200s", line);
    }
}

static void check_line(const char *line, const struct gl_str *theirs)
{
    GL_AUTO(gl_str_done) struct gl_str ours = {0};
    size_t method = strcspn(line, " ") + 1, path = strcspn(line + method, "?\n");

    gl_str_add_bytes(&ours, line, method);
    add_path(line + method, path, &ours);
    gl_str_add(&ours, "\n");
    if (strstr(gl_str_text(theirs), ours.text) == NULL)
        fail_msg("their library sends no %s# but\n%s", ours.text, gl_str_text(theirs));
    if (line[method + path] == '?')
        check_query(line + method + path + 1, line);
}

/* All that an adapter does with a machine. */
static void live(struct gl_vps_bench *bench)
{
    const struct gl_cloud_ops *ops = bench->cloud->ops;
    struct gl_instance seen, *rows;
    struct gl_error err = {0};
    size_t count;

    assert_int_equal(ops->check(bench->cloud, &bench->launch, &err), 0);
    gl_vps_bench_launch(bench);
    assert_int_equal(bench->got, 0);
    assert_int_equal(ops->describe(bench->cloud, bench->made.id, &seen, &err), 0);
    assert_int_equal(ops->list(bench->cloud, &rows, &count, &err), 0);
    free(rows);
    assert_int_equal(ops->terminate(bench->cloud, bench->made.id, &err), 0);
}

static void every_call_is_one_that_their_library_makes(void **state)
{
    static const char *const must[] = {"POST", "PATCH", "GET", "DELETE"};
    GL_AUTO(gl_str_done) struct gl_str theirs = {0};
    struct gl_vps_bench bench;
    const struct gl_vps_words *words = NULL;
    char *log;

    (void)state;
    GL_VPS_EACH(each) words = strcmp(each->name, "scaleway") == 0 ? each : words;
    gl_vps_bench_open(&bench, words);
    live(&bench);
    log = gl_test_server_log(bench.fake->server);
    golden_lines(&theirs);
    for (const char *line = log; *line != '\0'; line = strchr(line, '\n') + 1)
        check_line(line, &theirs);
    for (size_t i = 0; i < sizeof must / sizeof *must; i++)
        assert_non_null(strstr(log, must[i]));
    free(log);
    gl_vps_bench_close(&bench, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_the_same),
        cmocka_unit_test(every_call_is_one_that_their_library_makes),
    };

    return cmocka_run_group_tests(tests, read_golden, drop_golden);
}
