/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes against a counterpart of our own: a Job that is made in three steps, its pod, its log,
 * and whatever happens between two of the steps. */
#include "providers/cloud/userdata.h"
#include "tests/support/kubernetes_bench.h"

/* The launch fails with this code; so many Jobs and pods are there. */
static void fails_with(enum gl_errc code, size_t jobs, size_t running)
{
    const struct gl_launch launch = launch_of("m5.large", TOKEN);
    struct gl_instance out;

    gl_error_clear(&err);
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    if (err.code != code)
        fail_msg("%d: %s", (int)err.code, err.text);
    assert_null(strstr(err.text, FAKE_KUBERNETES_TOKEN));
    assert_int_equal(json_object_size(fake.jobs), jobs);
    assert_int_equal(json_object_size(fake.secrets), jobs > 0 ? json_object_size(fake.secrets) : 0);
    assert_int_equal(fake_kubernetes_running(&fake), running);
}

/* ---- a life ---- */

static void one_life(void **state)
{
    struct gl_instance made = started("m5.large"), seen, *rows;
    uint64_t next;
    size_t count;
    struct gl_str text = {0};

    (void)state;
    assert_string_equal(made.id, "eu-north-1/gl-4k2p9x-1");
    assert_string_equal(made.token, TOKEN);
    assert_string_equal(made.region, "eu-north-1");
    assert_string_equal(made.zone, "eu-north-1a");
    assert_string_equal(made.type, "m5.large");
    assert_int_equal(made.state, GL_STATE_RUNNING);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &seen, &err), 1);
    assert_string_equal(seen.id, made.id);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, OTHER, &seen, &err), 0);
    assert_int_equal(cloud->ops->list(cloud, &rows, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].state, GL_STATE_RUNNING);
    free(rows);
    assert_int_equal(cloud->ops->console(cloud, made.id, 0, &text, &next, &err), 0);
    assert_int_equal(next, 7);
    fake.log = "booted\nmore\n";
    assert_int_equal(cloud->ops->console(cloud, made.id, next, &text, &next, &err), 0);
    assert_string_equal(gl_str_text(&text), "booted\nmore\n");
    assert_int_equal(cloud->ops->stop(cloud, made.id, (struct gl_span){5}, &err), 0);
    assert_int_equal(cloud->ops->stop(cloud, made.id, (struct gl_span){5}, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(seen.state, GL_STATE_ENDED);
    assert_true(seen.has_exit);
    assert_int_equal(seen.exit_status, 143);
    assert_string_equal(seen.why, "DeadlineExceeded");
    gl_str_clear(&text);
    assert_int_equal(cloud->ops->console(cloud, made.id, 0, &text, &next, &err), 0);
    assert_string_equal(gl_str_text(&text), "booted\nmore\n"); /* after the stop, too */
    gl_str_done(&text);
    assert_int_equal(cloud->ops->terminate(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->terminate(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->stop(cloud, made.id, (struct gl_span){5}, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    assert_int_equal(json_object_size(fake.secrets), 0);
}

static void a_command_that_ends_tells_its_status(void **state)
{
    struct gl_instance made;

    (void)state;
    fake.exit_status = 3;
    made = started("m5.large");
    assert_int_equal(made.state, GL_STATE_ENDED);
    assert_true(made.has_exit);
    assert_int_equal(made.exit_status, 3);
    assert_string_equal(made.why, "Error");
}

static void the_same_token_is_the_same_job(void **state)
{
    struct gl_instance first = started("m5.large"), again = started("m5.large"), seen;
    struct gl_launch other = launch_of("m5.large", OTHER);

    (void)state;
    assert_string_equal(first.id, again.id);
    assert_int_equal(fake.made, 1);
    assert_int_equal(cloud->ops->launch(cloud, &other, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_TOKEN); /* the name, another launch */
    assert_int_equal(fake.made, 1);
}

/* ---- between the steps ---- */

/* At each step: the answer is lost, nothing is done, the right is missing. Afterwards the token is
 * looked for, and launched again: one pod in all, or none. */
static void a_step_that_fails(const char *method, const char *path, bool runs_when_lost)
{
    const enum fake_kubernetes_trouble what[] = {FAKE_KUBERNETES_LOST, FAKE_KUBERNETES_SILENT,
                                                 FAKE_KUBERNETES_FORBIDDEN};
    struct gl_launch launch = launch_of("m5.large", TOKEN);
    struct gl_instance out;

    for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
        bool runs = runs_when_lost && what[i] != FAKE_KUBERNETES_FORBIDDEN;
        int rc, found;

        gl_error_clear(&err);
        trouble(what[i], method, path);
        rc = cloud->ops->launch(cloud, &launch, &out, &err);
        assert_int_equal(rc, runs ? 0 : -1);
        if (!runs)
            assert_int_equal(err.code,
                             what[i] == FAKE_KUBERNETES_FORBIDDEN ? GL_E_PERMISSION : GL_E_OUTCOME);
        found = cloud->ops->find_by_request(cloud, "eu-north-1", TOKEN, &out, &err);
        assert_int_equal(found, runs ? 1 : 0);
        assert_int_equal(json_object_size(fake.jobs), runs ? 1 : 0);
        assert_int_equal(fake_kubernetes_running(&fake), runs ? 1 : 0);
        assert_int_equal(json_object_size(fake.secrets), runs ? 1 : 0);
        fake.trouble = FAKE_KUBERNETES_FINE;
        out = started("m5.large");
        assert_int_equal(fake_kubernetes_running(&fake), 1);
        assert_int_equal(cloud->ops->terminate(cloud, out.id, &err), 0);
    }
    assert_int_equal(fake.made, 3);
}

static void the_job_may_fail(void **state)
{
    (void)state;
    a_step_that_fails("POST", "/jobs", false);
}

static void the_secret_may_fail(void **state)
{
    (void)state;
    a_step_that_fails("POST", "/secrets", false);
}

static void letting_go_may_fail(void **state)
{
    (void)state;
    a_step_that_fails("PATCH", "/jobs/", true); /* a patch may be sent twice, and is */
}

/* A launcher killed after the Job, or after the Secret, leaves what runs nothing. */
static void what_was_never_let_go_is_finished_or_removed(void **state)
{
    struct gl_launch launch = launch_of("m5.large", TOKEN);
    struct gl_instance out;

    (void)state;
    trouble(FAKE_KUBERNETES_LOST, "POST", "/jobs");
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    assert_int_equal(json_object_size(fake.jobs), 1);
    assert_int_equal(fake_kubernetes_running(&fake), 0);
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->describe(cloud, "eu-north-1/gl-4k2p9x-1", &out, &err), 0);
    assert_int_equal(out.state, GL_STATE_LAUNCHING);
    out = started("m5.large"); /* finished */
    assert_int_equal(fake.made, 1);
    assert_int_equal(cloud->ops->terminate(cloud, out.id, &err), 0);
    trouble(FAKE_KUBERNETES_LOST, "POST", "/jobs");
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &out, &err), 0); /* removed */
    assert_int_equal(json_object_size(fake.jobs), 0);
    assert_int_equal(fake.made, 1);
}

/* Somebody lets it go between our look and our removal: it stays. */
static void what_is_let_go_meanwhile_is_not_removed(void **state)
{
    struct gl_launch launch = launch_of("m5.large", TOKEN);
    struct gl_instance out;

    (void)state;
    trouble(FAKE_KUBERNETES_LOST, "POST", "/jobs");
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    gl_error_clear(&err);
    trouble(FAKE_KUBERNETES_RACE, "DELETE", "/jobs/");
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &out, &err), 1);
    assert_int_equal(out.state, GL_STATE_RUNNING);
    assert_int_equal(fake.gone, 0);
    assert_int_equal(cloud->ops->terminate(cloud, out.id, &err), 0);
}

/* As after a launcher that was killed before it looked: a fresh one meets the Job, and `node` is
 * where its pod went; NULL = a webhook took its affinity away. */
static void let_go_to(const char *node)
{
    json_t *spec;

    started("m5.large");
    spec = json_object_get(json_object_get(fake.pods, "gl-4k2p9x-1"), "spec");
    if (node != NULL)
        json_object_set_new(spec, "nodeName", json_string(node));
    else
        json_object_del(spec, "affinity");
    open_again();
}

static void finding_fails(void)
{
    struct gl_instance out;

    gl_error_clear(&err);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &out, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_REPLY);
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &out, &err), 0);
    assert_int_equal(json_object_size(fake.jobs), 0);
}

static void what_is_taken_up_again_stands_where_it_was_sent(void **state)
{
    struct gl_instance out;

    (void)state;
    let_go_to("n2"); /* of the region */
    started("m5.large");
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &out, &err), 1);
    assert_string_equal(out.zone, "eu-north-1b");
    assert_int_equal(fake.made, 1);
    let_go_to("n3");
    fails_with(GL_E_BAD_REPLY, 0, 0);
    let_go_to(NULL);
    fails_with(GL_E_BAD_REPLY, 0, 0);
    let_go_to("n3");
    finding_fails();
    let_go_to(NULL);
    fake.hides_nodes = true; /* then the pod alone tells */
    finding_fails();
}

/* Met before its pod was there, which then goes to `node`. */
static void adopted_before_its_pod(const char *node)
{
    struct gl_instance out;
    json_t *pod;

    started("m5.large");
    pod = json_incref(json_object_get(fake.pods, "gl-4k2p9x-1"));
    json_object_del(fake.pods, "gl-4k2p9x-1");
    open_again();
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &out, &err), 1);
    json_object_set_new(json_object_get(pod, "spec"), "nodeName", json_string(node));
    json_object_set_new(fake.pods, "gl-4k2p9x-1", pod);
    open_again();
}

static void what_was_adopted_early_is_looked_at_later(void **state)
{
    struct gl_instance out;

    (void)state;
    adopted_before_its_pod("n3"); /* of another region */
    assert_int_equal(cloud->ops->describe(cloud, "eu-north-1/gl-4k2p9x-1", &out, &err), -1);
    assert_int_equal(err.code, GL_E_LAUNCH);
    assert_non_null(strstr(err.text, "it is not held in eu-north-1: it was removed"));
    assert_int_equal(json_object_size(fake.jobs), 0);
    gl_error_clear(&err);
    adopted_before_its_pod("n2");
    assert_int_equal(cloud->ops->describe(cloud, "eu-north-1/gl-4k2p9x-1", &out, &err), 0);
    fake.hides_nodes = true; /* seen once: nodes are not asked for again */
    open_again();
    trouble(FAKE_KUBERNETES_BROKEN, "GET", "/nodes");
    assert_int_equal(cloud->ops->describe(cloud, "eu-north-1/gl-4k2p9x-1", &out, &err), 0);
    assert_int_equal(fake.trouble, FAKE_KUBERNETES_BROKEN); /* it met nothing */
    fake.trouble = FAKE_KUBERNETES_FINE;
}

/* What it did it has done: its log and its end are wanted. */
static void what_is_over_is_not_removed_when_it_is_met(void **state)
{
    struct gl_instance out;

    (void)state;
    fake.exit_status = 0;
    let_go_to("n3");
    out = started("m5.large");
    assert_int_equal(out.state, GL_STATE_ENDED);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &out, &err), 1);
    assert_int_equal(out.state, GL_STATE_ENDED);
    assert_int_equal(fake.made, 1);
}

/* ---- refusals ---- */

static void stock_quota_and_rights_are_three_things(void **state)
{
    struct gl_launch launch = launch_of("c5.large", TOKEN);
    struct gl_instance out;

    (void)state;
    launch.region = "us-east-1"; /* its only node of that type is not ready */
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    assert_int_equal(err.code, GL_E_CAPACITY);
    assert_string_equal(cloud->failure.word, "Unschedulable");
    assert_int_equal(cloud->failure.reach, GL_REACH_REGION);
    assert_int_equal(json_object_size(fake.jobs), 0);
    trouble(FAKE_KUBERNETES_QUOTA, "POST", "/jobs");
    fails_with(GL_E_QUOTA, 0, 0);
    trouble(FAKE_KUBERNETES_FORBIDDEN, "POST", "/jobs");
    fails_with(GL_E_PERMISSION, 0, 0);
    fake.has_no_pods = true;
    fails_with(GL_E_LAUNCH, 0, 0);
    fake.pod_refused = "pods \"x\" is forbidden: exceeded quota: all, requested: pods=1";
    fails_with(GL_E_QUOTA, 0, 0);
    assert_int_equal(cloud->failure.reach, GL_REACH_ACCOUNT);
    fake.pod_refused = NULL;
    fake.has_no_pods = false;
    fake.strays = true;
    fails_with(GL_E_BAD_REPLY, 0, 0);
    fake.drops_affinity = true;
    fails_with(GL_E_BAD_REPLY, 0, 0);
}

static void a_throttle_is_waited_out(void **state)
{
    (void)state;
    trouble(FAKE_KUBERNETES_SLOW, "POST", "/jobs");
    started("m5.large");
    assert_int_equal(fake.made, 1);
    trouble(FAKE_KUBERNETES_BROKEN, "GET", "/pods"); /* a safe call is sent again */
    started("m5.large");
    assert_int_equal(fake.trouble, FAKE_KUBERNETES_FINE);
    trouble(FAKE_KUBERNETES_BROKEN, "POST", "/jobs"); /* a create is not */
    assert_int_equal(cloud->ops->terminate(cloud, "eu-north-1/gl-4k2p9x-1", &err), 0);
    fails_with(GL_E_OUTCOME, 0, 0);
}

static void an_image_that_cannot_be_pulled_is_told(void **state)
{
    struct gl_instance made;

    (void)state;
    fake.keeps_pending = true;
    made = started("m5.large");
    assert_int_equal(made.state, GL_STATE_LAUNCHING);
    assert_string_equal(made.why, "ImagePullBackOff");
}

static bool never(void *cookie)
{
    (void)cookie;
    return true;
}

static void one_that_is_given_up_leaves_nothing(void **state)
{
    struct gl_launch launch = launch_of("c5.large", TOKEN);
    struct gl_instance out;

    (void)state;
    launch.region = "us-east-1";
    launch.is_cancelled = never;
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    assert_int_equal(err.code, GL_E_INTERRUPTED);
    assert_int_equal(json_object_size(fake.jobs), 0);
}

static void what_the_api_would_refuse_is_not_sent(void **state)
{
    const struct gl_launch good = launch_of("m5.large", TOKEN);
    struct gl_launch bad[6] = {good, good, good, good, good, good};
    struct gl_instance out;

    (void)state;
    bad[0].image = "debian:12; rm -rf /";
    bad[1].type = "m5/large";
    bad[2].region = "eu north";
    bad[3].lease.s = 0;
    bad[4].is_spot = true;
    bad[5].user_data = "#cloud-config\n";
    for (size_t i = 0; i < 6; i++) {
        gl_error_clear(&err);
        assert_int_equal(cloud->ops->launch(cloud, &bad[i], &out, &err), -1);
    }
    assert_int_equal(gl_test_server_requests(fake.server), 0);
}

/* ---- secrets ---- */

static void no_secret_is_where_it_should_not_be(void **state)
{
    static const char *const command[] = {"echo", "planted'command", NULL};
    struct gl_launch launch = launch_of("m5.large", TOKEN);
    const struct gl_carried_meter meter = {
        .url = "https://example.org/meter",
        .sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
    struct gl_instance out;
    char *jobs, *log;
    const json_t *data;

    (void)state;
    launch.command = command;
    launch.meter = &meter;
    launch.enrol_token = ENROL;
    if (cloud->ops->launch(cloud, &launch, &out, &err) != 0)
        fail_msg("%s", err.text);
    jobs = json_dumps(fake.jobs, 0);
    log = gl_test_server_log(fake.server);
    assert_null(strstr(jobs, ENROL));
    assert_null(strstr(jobs, "planted"));
    assert_null(strstr(log, "planted"));
    assert_null(strstr(log, ENROL));
    free(jobs);
    free(log);
    data = json_object_get(json_object_get(fake.secrets, "gl-4k2p9x-1"), "data");
    for (const char *const *name =
             (const char *const[]){"run", "command", "token", "meter-url", "meter-sha256", NULL};
         *name != NULL; name++)
        assert_non_null(json_object_get(data, *name));
    assert_int_equal(json_object_size(data), 5);
}

static void a_meter_that_does_not_fit_is_told(void **state)
{
    char *path = gl_path_join(folder, "meter"), *bytes = gl_alloc(1200000);
    struct gl_launch launch = launch_of("m5.large", TOKEN);
    struct gl_carried_meter meter = {.path = path};
    struct gl_instance out;
    uint32_t seed = 1;

    (void)state;
    launch.meter = &meter;
    launch.enrol_token = ENROL;
    for (size_t i = 0; i < 1200000; i++) /* nothing in it repeats, so that it stays as large */
        bytes[i] = (char)((seed = seed * 1664525U + 1013904223U) >> 24);
    assert_int_equal(gl_file_write(path, bytes, 1200000, 0600, &err), 0);
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    assert_non_null(strstr(err.text, "--meter-url"));
    assert_int_equal(json_object_size(fake.jobs), 0);
    gl_error_clear(&err);
    memset(bytes, 'x', 1200000); /* it is sent compressed */
    assert_int_equal(gl_file_write(path, bytes, 1200000, 0600, &err), 0);
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), 0);
    assert_non_null(json_object_get(
        json_object_get(json_object_get(fake.secrets, "gl-4k2p9x-1"), "data"), "meter.gz"));
    free(bytes);
    free(path);
}

/* ---- beside the official client ---- */

/* "a=b%3Dc&d=e" -> {"a": "b=c", "d": "e"} */
static json_t *query_of(char *text)
{
    json_t *out = json_object();
    char *save = NULL;

    for (char *one = strtok_r(text, "&", &save); one != NULL; one = strtok_r(NULL, "&", &save)) {
        char *value = strchr(one, '='), *to;

        assert_non_null(value);
        *value++ = '\0';
        to = value;
        for (const char *from = value; *from != '\0'; from++) {
            bool is_coded = strncmp(from, "%3D", 3) == 0;

            *to++ = is_coded ? '=' : *from;
            from += is_coded ? 2 : 0;
        }
        *to = '\0';
        json_object_set_new(out, one, json_string(value));
    }
    return out;
}

/* Does a line "METHOD path?query" of the log say the same? */
static bool says(const char *line, const json_t *recorded)
{
    char method[16], target[1024], *query;
    json_t *asked;
    bool does;

    if (sscanf(line, "%15s %1023s", method, target) != 2)
        return false;
    query = strchr(target, '?');
    if (query != NULL)
        *query++ = '\0';
    asked = query_of(query != NULL ? query : target + strlen(target));
    does = strcmp(method, json_string_value(json_object_get(recorded, "method"))) == 0 &&
           strcmp(target, json_string_value(json_object_get(recorded, "path"))) == 0 &&
           json_equal(asked, json_object_get(recorded, "query"));
    json_decref(asked);
    return does;
}

static void is_among(const char *log, const char *name)
{
    char path[128];
    json_t *recorded;
    bool is_there = false;

    snprintf(path, sizeof path, "tests/vectors/kubernetes/%s.json", name);
    recorded = json_load_file(path, 0, NULL);
    assert_non_null(recorded);
    for (const char *line = log; line != NULL && *line != '\0' && !is_there;
         line = strchr(line, '\n') != NULL ? strchr(line, '\n') + 1 : NULL)
        is_there = says(line, recorded);
    if (!is_there)
        fail_msg("%s was not asked so:\n%s", name, log);
    json_decref(recorded);
}

static void requests_are_those_of_the_official_client(void **state)
{
    static const char *const names[] = {"create_job",   "check_job",  "create_secret", "put_secret",
                                        "let_go",       "stop_pod",   "get_job",       "list_jobs",
                                        "list_pods",    "read_log",   "list_nodes",    "delete_job",
                                        "review_right", "review_self"};
    const struct gl_launch launch = launch_of("m5.large", TOKEN);
    struct gl_instance made, *rows;
    char text[128], *log;
    struct gl_str console = {0};
    uint64_t next;
    size_t count;

    (void)state;
    assert_int_equal(cloud->ops->whoami(cloud, text, &err), 0);
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0);
    trouble(FAKE_KUBERNETES_LOST, "POST", "/jobs"); /* then its Secret may be there already */
    assert_int_equal(cloud->ops->launch(cloud, &launch, &made, &err), -1);
    gl_error_clear(&err);
    json_object_set_new(fake.secrets, "gl-4k2p9x-1", json_object());
    made = started("m5.large");
    assert_int_equal(cloud->ops->list(cloud, &rows, &count, &err), 0);
    free(rows);
    assert_int_equal(cloud->ops->console(cloud, made.id, 0, &console, &next, &err), 0);
    gl_str_done(&console);
    assert_int_equal(cloud->ops->stop(cloud, made.id, (struct gl_span){5}, &err), 0);
    assert_int_equal(cloud->ops->terminate(cloud, made.id, &err), 0);
    log = gl_test_server_log(fake.server);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        is_among(log, names[i]);
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_life),
        TEST(a_command_that_ends_tells_its_status),
        TEST(the_same_token_is_the_same_job),
        TEST(the_job_may_fail),
        TEST(the_secret_may_fail),
        TEST(letting_go_may_fail),
        TEST(what_was_never_let_go_is_finished_or_removed),
        TEST(what_is_let_go_meanwhile_is_not_removed),
        TEST(what_is_taken_up_again_stands_where_it_was_sent),
        TEST(what_was_adopted_early_is_looked_at_later),
        TEST(what_is_over_is_not_removed_when_it_is_met),
        TEST(stock_quota_and_rights_are_three_things),
        TEST(a_throttle_is_waited_out),
        TEST(an_image_that_cannot_be_pulled_is_told),
        TEST(one_that_is_given_up_leaves_nothing),
        TEST(what_the_api_would_refuse_is_not_sent),
        TEST(no_secret_is_where_it_should_not_be),
        TEST(a_meter_that_does_not_fit_is_told),
        TEST(requests_are_those_of_the_official_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
