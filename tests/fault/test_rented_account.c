/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that have become those of another account, while something of ours is launched in
 * the first: what that account does not show is neither gone nor sent again. */
#include "tests/support/rented_bench.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/no_sync.h"

#define OTHER      "someone-elses"
#define WHO        "/compute/v1/projects/" FAKE_GCP_PROJECT
#define OTHER_WHO  "/compute/v1/projects/" OTHER
#define SETTLED_MS 100000
#define LAST_LOOKS 90000 /* after the lease */

static struct rented_bench bench;
static struct gl_error err;
static unsigned asked_who;
static bool may_not_tell;

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The other account has nothing; both have somebody who asks. */
static bool before(void *cookie, const struct gl_test_request *request, struct gl_test_answer *out)
{
    (void)cookie;
    asked_who += strcmp(request->path, WHO) == 0 || strcmp(request->path, OTHER_WHO) == 0;
    if (may_not_tell && strcmp(request->path, WHO) == 0) {
        gl_test_answer_text(out, 403, "application/json",
                            "{\"error\":{\"code\":403,\"message\":\"Required "
                            "'compute.projects.get' permission\",\"errors\":[{\"reason\":"
                            "\"forbidden\"}]}}");
        return true;
    }
    if (!starts_with(request->path, OTHER_WHO))
        return false;
    if (strcmp(request->path, OTHER_WHO) == 0)
        gl_test_answer_text(out, 200, "application/json", "{\"name\":\"" OTHER "\"}");
    else if (strstr(request->path, "/aggregated/") != NULL)
        gl_test_answer_text(out, 200, "application/json", "{\"items\":{}}");
    else
        gl_test_answer_text(out, 404, "application/json",
                            "{\"error\":{\"code\":404,\"message\":\"not found\",\"errors\":["
                            "{\"reason\":\"notFound\"}]}}");
    return true;
}

static int set_up(void **state)
{
    (void)state;
    rented_bench_open(&bench, "test_rented_account");
    bench.fake.before = before;
    gl_error_clear(&err);
    asked_who = 0;
    may_not_tell = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rented_bench_close(&bench);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The credentials are of another project from now on. */
static void become(const char *from, const char *to)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_str out = {0};
    char name[64];
    const char *at;
    size_t length;

    assert_int_equal(gl_file_read(bench.fake.key_path, 1 << 16, &text, &length, &err), 0);
    snprintf(name, sizeof name, "\"project_id\": \"%s\"", from);
    at = strstr(text, name);
    assert_non_null(at);
    gl_str_addf(&out, "%.*s\"project_id\": \"%s\"%s", (int)(at - text), text, to,
                at + strlen(name));
    assert_int_equal(gl_file_write(bench.fake.key_path, out.text, out.length, 0600, &err), 0);
    gl_str_done(&out);
}

static struct gl_instance started(void)
{
    struct gl_instance instance;

    if (rented_bench_start(&bench, RENTED_TYPE, &instance, &err) != 0)
        fail_msg("%s", err.text);
    bench.clock->slept_ms += SETTLED_MS;
    return instance;
}

static struct gl_reconciled reconciled(void)
{
    struct gl_reconciled counts;

    if (gl_launch_reconcile(&bench.launcher, &counts, &err) != 0)
        fail_msg("%s", err.text);
    return counts;
}

static void assert_names_both(const struct gl_error *told)
{
    assert_int_equal(told->code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(told->text, FAKE_GCP_PROJECT));
    assert_non_null(strstr(told->text, OTHER));
}

static void assert_state(const char *state)
{
    struct gl_launch_rows rows = {0};

    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.rows[0].state, state);
    gl_launch_rows_free(&rows);
}

static void end_somebody_elses_way(const char *id)
{
    struct gl_cloud *cloud = bench.launcher.open(&bench, "gcp", NULL, &err);

    assert_int_equal(cloud->ops->terminate(cloud, id, &err), 0);
    gl_cloud_close(cloud);
}

static void what_runs_in_another_account_is_not_lost(void **state)
{
    struct gl_instance instance = started();
    struct gl_reconciled counts;
    char *text = NULL;

    (void)state;
    become(FAKE_GCP_PROJECT, OTHER);
    counts = reconciled();
    assert_int_equal(counts.lost + counts.finished + counts.absent, 0);
    assert_int_equal(counts.failed, 1);
    assert_names_both(&counts.first);
    assert_int_equal(bench.launcher.silent.count, 0); /* others of this cloud can be asked */
    assert_state("running");
    assert_int_equal(rented_bench_finish(&bench, instance.launch_id, NULL, &err), -1);
    assert_names_both(&err);
    bench.clock->slept_ms += RENTED_LEASE_S * 1000 + LAST_LOOKS;
    counts = reconciled(); /* nor is its lease's end a proof */
    assert_int_equal(counts.failed, 1);
    assert_int_equal(fake_gcp_running(&bench.fake), 1);

    become(OTHER, FAKE_GCP_PROJECT);
    gl_error_clear(&err);
    assert_int_equal(rented_bench_finish(&bench, instance.launch_id, &text, &err), 0);
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
    assert_null(strstr(text, FAKE_GCP_PROJECT)); /* whose account it is, is in no receipt */
    free(text);
}

/* A broker that is killed at a step of its launch. */
static void die(void *cookie, const char *step)
{
    (void)cookie;
    if (strcmp(step, "sent") == 0)
        _exit(99);
}

static void killed_after_sending(void)
{
    pid_t pid;
    int status = -1;

    rented_bench_detach(&bench);
    pid = fork();
    if (pid == 0) {
        struct gl_instance instance;

        rented_bench_attach(&bench);
        bench.launcher.checkpoint = die;
        rented_bench_start(&bench, RENTED_TYPE, &instance, &err);
        _exit(1);
    }
    while (waitpid(pid, &status, 0) < 0) {
    }
    assert_int_equal(WEXITSTATUS(status), 99);
    rented_bench_attach(&bench);
    bench.clock->slept_ms += SETTLED_MS;
}

static void an_intent_is_not_absent_in_another_account(void **state)
{
    struct gl_reconciled counts;

    (void)state;
    killed_after_sending();
    become(FAKE_GCP_PROJECT, OTHER);
    counts = reconciled();
    assert_int_equal(counts.absent, 0);
    assert_int_equal(counts.failed, 1);
    assert_names_both(&counts.first);
    assert_state("intended");
    become(OTHER, FAKE_GCP_PROJECT);
    assert_int_equal(reconciled().adopted, 1);
    assert_int_equal(fake_gcp_running(&bench.fake), 1);
}

/* Nobody knows then where it stands: its lease must be over. */
static void credentials_that_may_not_tell_prove_nothing(void **state)
{
    struct gl_instance instance;
    struct gl_reconciled counts;

    (void)state;
    may_not_tell = true;
    instance = started();
    end_somebody_elses_way(instance.id);
    counts = reconciled();
    assert_int_equal(counts.lost, 0);
    assert_int_equal(counts.failed, 1);
    assert_int_equal(counts.first.code, GL_E_OUTCOME);
    assert_non_null(strstr(counts.first.text, "only after its lease"));
    assert_state("running");
    bench.clock->slept_ms += RENTED_LEASE_S * 1000 + LAST_LOOKS;
    assert_int_equal(reconciled().lost, 1);
    assert_state("lost");
}

/* Once at the launch; then only where something is missing, and once a handle. */
static void it_is_asked_no_more_than_needed(void **state)
{
    struct gl_instance instance = started();

    (void)state;
    assert_int_equal(asked_who, 1);
    reconciled();
    assert_int_equal(asked_who, 1);
    assert_int_equal(rented_bench_finish(&bench, instance.launch_id, NULL, &err), 0);
    assert_int_equal(asked_who, 1);
    instance = started();
    assert_int_equal(asked_who, 2);
    end_somebody_elses_way(instance.id);
    assert_int_equal(reconciled().lost, 1);
    assert_int_equal(asked_who, 3);
}

/* What cannot be bound is not begun. */
static bool no_answer(void *cookie, const struct gl_test_request *request,
                      struct gl_test_answer *out)
{
    (void)cookie;
    out->is_hung_up = strcmp(request->path, WHO) == 0;
    return out->is_hung_up;
}

static void without_an_answer_nothing_is_started(void **state)
{
    struct gl_launch_rows rows = {0};
    struct gl_instance instance;

    (void)state;
    bench.fake.before = no_answer;
    assert_int_equal(rented_bench_start(&bench, RENTED_TYPE, &instance, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    assert_int_equal(rows.count, 0);
    gl_launch_rows_free(&rows);
    assert_int_equal(bench.fake.made, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_runs_in_another_account_is_not_lost),
        CASE(an_intent_is_not_absent_in_another_account),
        CASE(credentials_that_may_not_tell_prove_nothing),
        CASE(it_is_asked_no_more_than_needed),
        CASE(without_an_answer_nothing_is_started),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
