/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_bench.h"

#include "base/file.h"
#include "providers/cloud/local.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct gl_cloud *open_local(const struct gl_bench *bench)
{
    const struct gl_cloud_options options = {.world = &bench->world,
                                             .state_folder = bench->folder,
                                             .zone = "GB",
                                             .wants_process = bench->wants_process,
                                             .places = bench->places,
                                             .place_count = bench->place_count};
    struct gl_error err = {0};
    struct gl_cloud *cloud = gl_cloud_open("local", &options, &err);

    if (cloud == NULL)
        fail_msg("cannot open the local cloud: %s", err.text);
    return cloud;
}

void gl_bench_open(struct gl_bench *bench, const char *name, bool wants_process)
{
    const char *build = getenv("BUILD_DIR");
    struct gl_error err = {0};
    char part[128], *path = NULL;

    memset(bench, 0, sizeof *bench);
    gl_world_real(&bench->world);
    bench->wants_process = wants_process;
    snprintf(part, sizeof part, "%s/tmp/%s_%ld", build != NULL ? build : "build", name,
             (long)getpid());
    gl_dir_remove(part, &err);
    if (gl_dir_make(part, &err) < 0 || (path = realpath(part, NULL)) == NULL)
        fail_msg("cannot make %s: %s", part, err.text);
    snprintf(bench->folder, sizeof bench->folder, "%s", path);
    free(path);
    bench->cloud = open_local(bench);
}

void gl_bench_set_places(struct gl_bench *bench, const struct gl_cloud_place *places, size_t count)
{
    bench->places = places;
    bench->place_count = count;
    gl_cloud_close(bench->cloud);
    bench->cloud = open_local(bench);
}

struct gl_cloud *gl_bench_reopen(struct gl_bench *bench)
{
    return open_local(bench);
}

static bool find_process(const struct gl_bench *bench, const char *token, struct gl_process *out)
{
    GL_AUTO(gl_auto_free) char *state = gl_path_join(bench->folder, "local");
    char tag[GL_LOCAL_TAG];

    gl_local_tag(state, token, tag);
    return gl_local_find_process(tag, out);
}

bool gl_bench_has_process(const struct gl_bench *bench, const char *token)
{
    struct gl_process process;

    return find_process(bench, token, &process);
}

/* What no record speaks of any more. */
static unsigned kill_forgotten(const struct gl_bench *bench)
{
    unsigned left = 0;

    for (size_t i = 0; i < bench->token_count; i++) {
        struct gl_process process;

        while (find_process(bench, bench->tokens[i], &process)) {
            print_message("left: process %d\n", process.pid);
            gl_local_kill(&process);
            left++;
        }
    }
    return left;
}

unsigned gl_bench_left(struct gl_bench *bench)
{
    struct gl_instance *items = NULL;
    struct gl_error err = {0};
    unsigned left = 0;
    size_t count = 0;

    if (bench->cloud->ops->list(bench->cloud, &items, &count, &err) < 0)
        left++;
    for (size_t i = 0; i < count; i++) {
        if (items[i].state == GL_STATE_ENDED)
            continue;
        left++;
        print_message("left: %s %s\n", items[i].id, gl_instance_state_word(items[i].state));
        bench->cloud->ops->terminate(bench->cloud, items[i].id, &err);
    }
    free(items);
    return left + kill_forgotten(bench);
}

void gl_bench_close(struct gl_bench *bench)
{
    struct gl_error err = {0};

    if (bench->cloud == NULL)
        return;
    gl_bench_left(bench);
    gl_cloud_close(bench->cloud);
    bench->cloud = NULL;
    if (gl_dir_remove(bench->folder, &err) < 0)
        print_message("cannot remove %s: %s\n", bench->folder, err.text);
}

const char *gl_bench_no_vm(const struct gl_bench *bench)
{
    struct gl_local_host host;
    const char *missing = NULL;

    gl_local_host_look(&bench->world, &host);
    gl_local_host_has_vm(&host, &missing);
    gl_local_host_done(&host);
    return missing;
}

const char *gl_bench_no_process(const struct gl_bench *bench)
{
    static char why[256];
    struct gl_local_host host;
    struct gl_error err = {0};
    int got;

    gl_local_host_look(&bench->world, &host);
    got = gl_local_process_check(&host, NULL, &err);
    gl_local_host_done(&host);
    snprintf(why, sizeof why, "%.200s", err.text);
    return got < 0 ? why : NULL;
}

static void random_hex(struct gl_bench *bench, char out[GL_HASH_HEX])
{
    uint8_t bytes[32];

    bench->world.random(bench->world.cookie, bytes, sizeof bytes);
    gl_hex_text(bytes, sizeof bytes, out);
}

struct gl_launch gl_bench_launch(struct gl_bench *bench, struct gl_bench_names *out_names,
                                 const char *const *command)
{
    const char *const *regions;
    struct gl_error err = {0};

    random_hex(bench, out_names->token);
    random_hex(bench, out_names->enrol);
    assert_true(bench->token_count < GL_BENCH_TOKENS);
    memcpy(bench->tokens[bench->token_count++], out_names->token, GL_HASH_HEX);
    snprintf(out_names->id, sizeof out_names->id, "gl-%.10s", out_names->token);
    bench->cloud->ops->regions(bench->cloud, &regions, &err);
    return (struct gl_launch){.token = out_names->token,
                              .launch_id = out_names->id,
                              .region = regions[0],
                              .type = "small",
                              .attempt = 1,
                              .expires = {gl_now(&bench->world).unix_s + 600},
                              .lease = {600},
                              .enrol_token = out_names->enrol,
                              .command = command,
                              .interval_s = 1};
}

static void on_stdout(void *cookie, const char *bytes, size_t length)
{
    gl_str_add_bytes(&((struct gl_bench_run *)cookie)->out, bytes, length);
}

static void on_stderr(void *cookie, const char *bytes, size_t length)
{
    gl_str_add_bytes(&((struct gl_bench_run *)cookie)->err_text, bytes, length);
}

int gl_bench_attach(struct gl_bench *bench, struct gl_bench_run *run, struct gl_error *err)
{
    struct gl_attach attach = {
        .cookie = run, .on_stdout = on_stdout, .on_stderr = on_stderr, .stdin_fd = -1};
    int ends[2] = {-1, -1}, got;

    if (run->input != NULL) {
        size_t length = strlen(run->input);

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], run->input, length), length);
        close(ends[1]);
        attach.stdin_fd = ends[0];
    }
    got = bench->cloud->ops->attach(bench->cloud, run->instance.id, &attach, &run->status, err);
    if (ends[0] >= 0)
        close(ends[0]);
    return got;
}

int gl_bench_run(struct gl_bench *bench, const struct gl_launch *launch, struct gl_bench_run *run,
                 struct gl_error *err)
{
    memset(run, 0, sizeof *run);
    run->status = -1;
    if (bench->cloud->ops->launch(bench->cloud, launch, &run->instance, err) < 0)
        return -1;
    return gl_bench_attach(bench, run, err);
}

void gl_bench_run_done(struct gl_bench_run *run)
{
    gl_str_done(&run->out);
    gl_str_done(&run->err_text);
}

void gl_bench_stop(struct gl_bench *bench, const char *id)
{
    struct gl_error err = {0};

    if (bench->cloud->ops->stop(bench->cloud, id, (struct gl_span){15}, &err) < 0)
        fail_msg("cannot stop %s: %s", id, err.text);
}

char *gl_bench_console(struct gl_bench *bench, const char *id)
{
    struct gl_str text = {0};
    struct gl_error err = {0};
    uint64_t next = 0, before;

    do {
        before = next;
        if (bench->cloud->ops->console(bench->cloud, id, before, &text, &next, &err) < 0)
            fail_msg("cannot read the console of %s: %s", id, err.text);
    } while (next > before);
    return gl_str_take(&text);
}

void gl_bench_write(struct gl_bench *bench, const char *name, const char *text, unsigned mode,
                    char out[600])
{
    struct gl_error err = {0};

    snprintf(out, 600, "%s/%s", bench->folder, name);
    if (gl_file_write(out, text, strlen(text), mode, &err) < 0)
        fail_msg("cannot write %s: %s", out, err.text);
}

void gl_bench_expect(struct gl_bench *bench, const struct gl_launch *launch, int status,
                     struct gl_bench_run *run)
{
    struct gl_error err = {0};

    if (gl_bench_run(bench, launch, run, &err) < 0)
        fail_msg("%s: %s", err.text, gl_str_text(&run->err_text));
    gl_bench_stop(bench, run->instance.id);
    if (run->status != status)
        fail_msg("status %d, stderr: %s", run->status, gl_str_text(&run->err_text));
}

void gl_bench_expect_text(struct gl_bench *bench, const struct gl_launch *launch, const char *text)
{
    struct gl_bench_run run;

    gl_bench_expect(bench, launch, 0, &run);
    if (strstr(gl_str_text(&run.out), text) == NULL)
        fail_msg("not in the output: %s; it is: %s", text, gl_str_text(&run.out));
    gl_bench_run_done(&run);
}
