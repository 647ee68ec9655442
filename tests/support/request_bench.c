/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "tests/support/request_bench.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"

/* ---- the venue ---- */

static json_t *issue_json(const struct request_issue *issue)
{
    char url[80];

    snprintf(url, sizeof url, "https://github.com/o/r%d/issues/%" PRId64, issue->repo,
             issue->number);
    return json_pack("{s:I, s:s, s:s, s:s, s:i, s:[], s:{s:i}, s:s}", "number",
                     (json_int_t)issue->number, "html_url", url, "title", issue->title, "state",
                     issue->is_closed ? "closed" : "open", "comments", (int)issue->comments,
                     "labels", "reactions", "+1", 1, "updated_at", "2026-11-22T08:00:00Z");
}

static void answer_json(struct gl_test_answer *out, int status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);

    gl_test_answer_text(out, status, "application/json", text);
    free(text);
    json_decref(body);
}

static void list(const struct request_bench *bench, int repo, struct gl_test_answer *out)
{
    json_t *issues = json_array();

    for (size_t i = 0; i < bench->issue_count; i++)
        if (bench->issues[i].repo == repo &&
            bench->true_ms - bench->issues[i].at_ms >= REQUEST_LAG_MS)
            json_array_append_new(issues, issue_json(&bench->issues[i]));
    answer_json(out, 200, issues);
}

static const struct request_issue *make_issue(struct request_bench *bench, int repo,
                                              const char *body)
{
    struct request_issue *issue = &bench->issues[bench->issue_count];
    json_t *json = json_loads(body, 0, NULL);
    const char *title = json_string_value(json_object_get(json, "title"));

    if (bench->issue_count == REQUEST_ISSUES)
        abort();
    *issue = (struct request_issue){
        .repo = repo, .number = (int64_t)bench->issue_count + 1, .at_ms = bench->true_ms};
    snprintf(issue->title, sizeof issue->title, "%s", title != NULL ? title : "");
    json_decref(json);
    bench->issue_count++;
    return issue;
}

static enum request_fault take_fault(struct request_bench *bench)
{
    if (bench->faults_left == 0)
        return REQUEST_FINE;
    bench->faults_left--;
    return bench->fault;
}

static void create(struct request_bench *bench, int repo, const char *body,
                   struct gl_test_answer *out)
{
    enum request_fault fault = take_fault(bench);
    const struct request_issue *issue;

    bench->posts++;
    if (fault == REQUEST_KILL_BEFORE)
        kill(bench->victim, SIGKILL);
    if (fault == REQUEST_CUT_BEFORE || fault == REQUEST_KILL_BEFORE) {
        out->is_hung_up = true;
        return;
    }
    if (fault == REQUEST_FORBIDDEN || fault == REQUEST_LIMITED || fault == REQUEST_BROKEN) {
        answer_json(out,
                    fault == REQUEST_FORBIDDEN ? 403
                    : fault == REQUEST_LIMITED ? 429
                                               : 500,
                    json_pack("{s:s}", "message", REQUEST_WEIRD));
        return;
    }
    issue = make_issue(bench, repo, body);
    if (fault == REQUEST_KILL_AFTER)
        kill(bench->victim, SIGKILL);
    out->is_hung_up = fault == REQUEST_CUT_AFTER || fault == REQUEST_KILL_AFTER;
    if (!out->is_hung_up)
        answer_json(out, 201, issue_json(issue));
}

static void search(struct request_bench *bench, struct gl_test_answer *out)
{
    enum request_fault fault = take_fault(bench);

    bench->searches++;
    if (fault == REQUEST_FINE)
        answer_json(out, 200, json_pack("{s:i,s:[]}", "total_count", 0, "items"));
    else
        answer_json(out,
                    fault == REQUEST_FORBIDDEN ? 403
                    : fault == REQUEST_LIMITED ? 429
                                               : 500,
                    json_pack("{s:s}", "message", REQUEST_WEIRD));
}

static void one(struct request_bench *bench, const struct gl_test_request *asked, int64_t number,
                struct gl_test_answer *out)
{
    if (number < 1 || (size_t)number > bench->issue_count) {
        answer_json(out, 404, json_pack("{s:s}", "message", "Not Found"));
        return;
    }
    if (strcmp(asked->method, "PATCH") == 0)
        bench->issues[number - 1].is_closed = true;
    answer_json(out, 200, issue_json(&bench->issues[number - 1]));
    gl_str_addf(&out->headers, "ETag: W/\"%d-%u\"\r\n", bench->issues[number - 1].is_closed,
                bench->issues[number - 1].comments);
}

static void add_date(int64_t at_ms, struct gl_test_answer *out)
{
    time_t at = (time_t)(at_ms / 1000);
    char text[64];
    struct tm tm;

    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &tm));
    gl_str_addf(&out->headers, "Date: %s\r\n", text);
}

static void on_request(const struct gl_test_request *asked, struct gl_test_answer *out,
                       void *cookie)
{
    struct request_bench *bench = cookie;
    long long number = 0;
    int repo = -1;

    if (sscanf(asked->path, "/repos/o/r%1d/issues/%lld", &repo, &number) == 2)
        one(bench, asked, number, out);
    else if (repo >= 0 && strcmp(asked->method, "POST") == 0)
        create(bench, repo, asked->body, out);
    else if (repo >= 0)
        list(bench, repo, out);
    else if (strncmp(asked->path, "/search/issues", 14) == 0)
        search(bench, out);
    else
        answer_json(out, 404, json_pack("{s:s}", "message", "Not Found"));
    if (bench->tells_date)
        add_date(bench->true_ms, out);
}

/* ---- the machine ---- */

static void look(struct request_bench *bench)
{
    if (bench->die_at != 0 && ++bench->looks == bench->die_at)
        _exit(9);
}

static int64_t look_at_clock(void *cookie)
{
    struct request_bench *bench = cookie;

    look(bench);
    return bench->now_ms;
}

static const char *look_at_environment(void *cookie, const char *name)
{
    look(cookie);
    return strcmp(name, "GITHUB_TOKEN") == 0 ? REQUEST_SECRET : NULL;
}

static void wait_on_clock(void *cookie, int64_t ms)
{
    struct request_bench *bench = cookie;

    bench->now_ms += ms;
}

static void draw(void *cookie, void *out, size_t length)
{
    struct request_bench *bench = cookie;

    bench->inner->random(bench->inner->cookie, out, length);
}

void request_bench_up(struct request_bench *bench, const char *name)
{
    memset(bench, 0, sizeof *bench);
    bench->folder = scratch_make(name);
    bench->path = gl_path_join(bench->folder, "ledger.db");
    bench->now_ms = bench->true_ms = INT64_C(1795334400000);
    bench->inner = gl_world_fixed_new(bench->now_ms, 3, NULL);
    bench->world = (struct gl_world){.cookie = bench,
                                     .now_ms = look_at_clock,
                                     .monotonic_ms = look_at_clock,
                                     .sleep_ms = wait_on_clock,
                                     .random = draw,
                                     .getenv = look_at_environment};
    bench->server = gl_test_server_start(on_request, bench);
    snprintf(bench->endpoint, sizeof bench->endpoint, "%s", gl_test_server_url(bench->server));
    request_bench_reopen(bench);
}

void request_bench_reopen(struct request_bench *bench)
{
    struct gl_error err = {0};

    gl_ledger_close(bench->ledger);
    bench->ledger = gl_ledger_open(bench->path, &bench->world, 0, &err);
    if (bench->ledger == NULL)
        fail_msg("%s", err.text);
    bench->desk = (struct gl_request_desk){bench->ledger, &bench->world, bench->folder};
}

void request_bench_down(struct request_bench *bench)
{
    gl_ledger_close(bench->ledger);
    gl_test_server_stop(bench->server);
    gl_world_fixed_free(bench->inner);
    free(bench->path);
    scratch_remove(bench->folder);
}

/* ---- demand ---- */

struct gl_clustering *request_bench_demand(const char *region, int launches, int64_t now_ms,
                                           const struct gl_cluster **out)
{
    struct gl_clustering *clustering = gl_clustering_new();
    struct gl_demand demand = {.kind = GL_DEMAND_REFUSE,
                               .capability = GL_CAPABILITY_GREEN,
                               .provider = "aws",
                               .family = "m5",
                               .rule = "renewable-share>=95%;location;hourly;grade>=C;"
                                       "data-age<=10800s",
                               .limit_u = 950000,
                               .found_u = 610000,
                               .key = GL_KEYS,
                               .wanted_ms = 3600000,
                               .grade = GL_GRADE_B,
                               .lost_ms = GL_UNKNOWN,
                               .extra_ug = GL_UNKNOWN};
    struct gl_error err = {0};
    size_t count;

    demand.key = GL_KEY_MIN_RENEWABLE;
    snprintf(demand.region, sizeof demand.region, "%s", region);
    for (int i = 0; i < launches; i++) {
        snprintf(demand.launch_key, sizeof demand.launch_key, "%012x", (unsigned)i);
        demand.at_ms = now_ms - (i % 3) * INT64_C(86400000);
        if (gl_clustering_add(clustering, &demand, &err) != 0)
            fail_msg("%s", err.text);
    }
    *out = gl_clustering_end(clustering, &count);
    assert_int_equal(count, 1);
    return clustering;
}

int request_bench_preview(struct request_bench *bench, const char *region, int repo,
                          char out[GL_HASH_HEX], struct gl_error *err)
{
    const struct gl_cluster *cluster;
    struct gl_clustering *clustering = request_bench_demand(region, 7, bench->true_ms, &cluster);
    struct gl_request_text text;
    struct gl_venue_preview preview;
    char repository[16];
    json_t *settings;
    int result;

    snprintf(repository, sizeof repository, "o/r%d", repo);
    settings = json_pack("{s:s,s:s}", "repository", repository, "endpoint", bench->endpoint);
    assert_int_equal(gl_request_text_write(cluster, NULL, GL_REQUEST_WHOLE, &text, err), 0);
    result = gl_request_preview(&bench->desk,
                                &(struct gl_request_plan){.action = GL_VENUE_FILING,
                                                          .fingerprint = cluster->fingerprint,
                                                          .text = &text,
                                                          .venue = "github",
                                                          .settings = settings},
                                &preview, err);
    if (result == 0) {
        memcpy(out, preview.digest, GL_HASH_HEX);
        gl_venue_preview_done(&preview);
    }
    json_decref(settings);
    gl_request_text_done(&text);
    gl_clustering_free(clustering);
    return result;
}

void request_bench_fingerprint(const char *region, char out[GL_HASH_HEX])
{
    const struct gl_cluster *cluster;
    struct gl_clustering *clustering = request_bench_demand(region, 1, 86400000, &cluster);

    memcpy(out, cluster->fingerprint, GL_HASH_HEX);
    gl_clustering_free(clustering);
}

unsigned request_bench_filed(const struct request_bench *bench, const char *fingerprint)
{
    char tag[GL_DEMAND_ID];
    unsigned filed = 0;

    gl_demand_id(fingerprint, tag);
    for (size_t i = 0; i < bench->issue_count; i++)
        filed += strstr(bench->issues[i].title, tag) != NULL;
    return filed;
}
