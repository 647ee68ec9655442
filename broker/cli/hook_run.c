/* SPDX-License-Identifier: Apache-2.0 */
/* hook terraform --run -- terraform apply: the plan is made into a private folder, judged, agreed
 * to, judged again by what is known then, and that very file is applied. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sign.h"
#include "broker/cli/hook_run.h"
#include "broker/interrupt.h"

#define LOCK_MS 10000

struct running {
    struct gl_context *context;
    struct gl_hook_values values;
    const char *reader; /* "terraform" */
    struct gl_hook_wrapped wrapped;
    char *folder, *plan_path;
    int lock_fd; /* held while the folder is in use; -1 */
    struct gl_hash digest;
    struct gl_hook_plans plans;
};

/* ---- the private folder: a plan holds secrets ---- */

#define FOLDER_PREFIX "run-"

/* What a killed run left: nobody holds its lock. */
static void sweep(const char *parent)
{
    DIR *list = opendir(parent);
    struct dirent *entry;

    while (list != NULL && (entry = readdir(list)) != NULL) {
        GL_AUTO(gl_auto_free) char *folder = gl_path_join(parent, entry->d_name);
        GL_AUTO(gl_auto_free) char *lock = gl_path_join(folder, "lock");
        struct gl_error ignored = {0};
        int fd;

        if (strncmp(entry->d_name, FOLDER_PREFIX, strlen(FOLDER_PREFIX)) != 0)
            continue;
        fd = gl_file_lock(lock, 0, &ignored);
        if (fd >= 0) {
            gl_dir_remove(folder, &ignored);
            close(fd);
        }
    }
    if (list != NULL)
        closedir(list);
}

/* `parent` is locked: nobody sweeps between making the folder and locking it. */
static int make_in(struct running *running, const char *parent, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(parent, FOLDER_PREFIX "XXXXXX");
    GL_AUTO(gl_auto_free) char *lock = NULL;

    sweep(parent);
    if (mkdtemp(folder) == NULL)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot make a folder in %s", parent);
    lock = gl_path_join(folder, "lock");
    running->lock_fd = gl_file_lock(lock, 0, err);
    running->plan_path = gl_path_join(folder, "plan");
    running->folder = gl_strdup(folder);
    return running->lock_fd >= 0 ? 0 : -1;
}

static int make_folder(struct running *running, struct gl_error *err)
{
    const char *state = gl_context_state(running->context, err);
    GL_AUTO(gl_auto_free) char *named = state != NULL ? gl_path_join(state, "hook") : NULL;
    GL_AUTO(gl_auto_free) char *parent = NULL;
    GL_AUTO(gl_auto_free) char *lock = NULL;
    int fd, result;

    if (named == NULL || gl_dir_make(named, err) != 0)
        return -1;
    parent = realpath(named, NULL); /* absolute: -chdir moves the tool */
    if (parent == NULL)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot find %s", named);
    lock = gl_path_join(parent, "lock");
    fd = gl_file_lock(lock, LOCK_MS, err);
    if (fd < 0)
        return -1;
    result = make_in(running, parent, err);
    close(fd);
    return result;
}

static void drop_folder(struct running *running)
{
    struct gl_error err = {0};

    if (running->folder != NULL && gl_dir_remove(running->folder, &err) != 0)
        gl_warn(running->context, "GL1002",
                "the plan is still in %s (%s); it holds what the plan holds, remove it",
                running->folder, err.text);
    if (running->lock_fd >= 0)
        close(running->lock_fd);
    free(running->folder);
    free(running->plan_path);
}

/* ---- the tool ---- */

/* Run `TOOL [-chdir] VERB options LAST`; its words go to our standard output, which is its own
 * unless one envelope is asked for. */
static int run_tool(struct running *running, const char *verb, const char *const *options,
                    const char *last, int *out_signal, struct gl_error *err)
{
    const char *argv[GL_HOOK_WORDS_MAX + 8];
    size_t count = 0;
    int status;
    struct gl_spawn spawn = {.argv = argv,
                             .stdin_fd = STDIN_FILENO,
                             .stdout_fd =
                                 running->context->globals.is_json ? STDERR_FILENO : STDOUT_FILENO,
                             .stderr_fd = STDERR_FILENO,
                             .uid = -1,
                             .gid = -1};

    argv[count++] = running->wrapped.tool.program;
    if (running->wrapped.tool.chdir != NULL)
        argv[count++] = running->wrapped.tool.chdir;
    argv[count++] = verb;
    for (size_t i = 0; options[i] != NULL; i++)
        argv[count++] = options[i];
    argv[count++] = last;
    argv[count] = NULL;
    gl_progress_end(running->context);
    if (gl_hook_await(&spawn, &status, out_signal, err) == 0)
        return status;
    err->code = GL_E_USAGE; /* a program that the user named */
    return -1;
}

static int fail_signal(int number, struct gl_error *err)
{
    return gl_fail(err,
                   number == SIGTERM || number == SIGHUP ? GL_E_TERMINATED
                   : number == SIGALRM                   ? GL_E_TIMEOUT
                                                         : GL_E_INTERRUPTED,
                   "nothing was applied");
}

/* ---- the plan ---- */

static int copy_bytes(int from, int to, struct gl_error *err)
{
    char buffer[65536];
    uint64_t total = 0;
    ssize_t got;

    while ((got = read(from, buffer, sizeof buffer)) > 0) {
        total += (uint64_t)got;
        if (total > GL_FEED_MAX_BYTES)
            return gl_fail(err, GL_E_TOO_LARGE, "the plan is larger than 1 GiB");
        if (gl_fd_write(to, buffer, (size_t)got, err) != 0)
            return -1;
    }
    return got == 0 ? 0 : gl_fail_sys(err, GL_E_USAGE, errno, "cannot read the plan");
}

/* The user's own plan file, copied so that nobody changes it between judging and applying. Its path
 * is relative to where the tool works. */
static int copy_plan(struct running *running, struct gl_error *err)
{
    const char *named = running->wrapped.plan_file, *chdir = running->wrapped.tool.chdir;
    GL_AUTO(gl_auto_free)
    char *path = chdir != NULL && named[0] != '/' ? gl_path_join(chdir + strlen("-chdir="), named)
                                                  : gl_strdup(named);
    GL_AUTO(gl_auto_close) int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    GL_AUTO(gl_auto_close) int to = -1;
    struct stat status;

    if (from < 0 || fstat(from, &status) != 0)
        return gl_fail_sys(err, GL_E_USAGE, errno, "cannot open the plan %s", path);
    if (!S_ISREG(status.st_mode))
        return gl_fail(err, GL_E_USAGE, "the plan %s is no file", path);
    to = open(running->plan_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot write %s", running->plan_path);
    return copy_bytes(from, to, err);
}

/* 0 made, the tool's own status when it made none, or -1. */
static int make_plan(struct running *running, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};
    int status, number = 0;

    if (running->wrapped.plan_file != NULL)
        return copy_plan(running, err);
    gl_str_addf(&out, "-out=%s", running->plan_path);
    status = run_tool(running, "plan", running->wrapped.plan, gl_str_text(&out), &number, err);
    if (status >= 0 && (number != 0 || gl_interrupted()))
        return fail_signal(number != 0 ? number : SIGINT, err);
    if (status == 0 && !gl_file_exists(running->plan_path))
        return gl_fail(err, GL_E_USAGE, "%s plan wrote no plan", running->wrapped.tool.program);
    return status;
}

static int read_plan(struct running *running, struct gl_error *err)
{
    const struct gl_operands operands = {.words = {running->plan_path}, .count = 1};

    if (gl_hash_of_file(running->plan_path, &running->digest, err) != 0 ||
        gl_hook_plans_read(running->context, &running->values, running->reader, &operands, 0,
                           &running->plans, err) != 0)
        return -1;
    running->plans.items[0]->file = running->wrapped.tool.plan;
    return 0;
}

static int check_unchanged(const struct running *running, struct gl_error *err)
{
    struct gl_hash now;

    if (gl_hash_of_file(running->plan_path, &now, err) != 0)
        return -1;
    if (gl_hash_equal(&now, &running->digest))
        return 0;
    return gl_fail(err, GL_E_NOT_VERIFIED,
                   "the plan is not the one that was judged any more; nothing was applied");
}

/* ---- judging and asking ---- */

static void forget_reply(struct gl_context *context)
{
    json_decref(context->reply.data);
    json_decref(context->reply.next);
    json_decref(context->reply.warnings);
    context->reply.data = context->reply.next = context->reply.warnings = NULL;
    gl_str_clear(&context->reply.text);
}

/* May the run go on with this status of a judgement? */
static bool may_go_on(const struct gl_context *context, int status)
{
    return status == GL_EXIT_OK || (status > 0 && context->globals.is_advisory);
}

static int judge(struct running *running, struct gl_error *err)
{
    return gl_hook_plans_judge(running->context, &running->values, &running->plans, err);
}

/* The report as talk, while the command goes on. */
static void show_report(struct gl_context *context)
{
    if (!context->globals.is_json && !context->globals.is_quiet)
        fputs(gl_str_text(&context->reply.text), stderr);
}

static int ask(const struct running *running, struct gl_error *err)
{
    struct gl_context *context = running->context;
    char line[16] = "";

    if (running->wrapped.is_approved || context->globals.is_yes)
        return GL_EXIT_OK;
    if (context->globals.has_no_input || context->globals.is_json || isatty(STDIN_FILENO) != 1)
        return gl_fail(err, GL_E_USAGE,
                       "nobody to ask whether this is to be applied: say --yes, or apply "
                       "-auto-approve");
    gl_progress_end(context);
    fputs("Apply this plan? y or n: ", stderr);
    if (fgets(line, sizeof line, stdin) == NULL && gl_interrupted())
        return gl_interrupt_fail(err, "nothing was applied");
    return line[0] == 'y' || line[0] == 'Y' ? GL_EXIT_OK : GL_EXIT_DECLINED;
}

/* The grid may have changed while the person read: what counts is the moment before the launch. */
static int judge_again(struct running *running, int first, struct gl_error *err)
{
    struct gl_context *context = running->context;
    int status;

    forget_reply(context);
    status = judge(running, err);
    if (status == first || status < 0)
        gl_str_clear(&context->reply.text); /* it was shown */
    if (may_go_on(context, status) && status != first)
        show_report(context);
    if (status > 0 && status != first)
        gl_say(context, "it was allowed when it was shown, and is not any more");
    return status;
}

/* ---- the whole ---- */

static int apply(struct running *running, struct gl_error *err)
{
    struct gl_context *context = running->context;
    char hex[GL_HASH_HEX];
    int number = 0, status;

    if (gl_interrupted())
        return gl_interrupt_fail(err, "nothing was applied");
    if (check_unchanged(running, err) != 0)
        return -1;
    context->reply.is_command_status = true;
    status = run_tool(running, "apply", running->wrapped.apply, running->plan_path, &number, err);
    gl_str_clear(&context->reply.text);
    if (status >= 0 && context->reply.data != NULL)
        json_object_set_new(context->reply.data, "run",
                            json_pack("{s:i,s:s}", "exit_status", status, "plan_sha256",
                                      gl_hash_hex(&running->digest, hex)));
    return status;
}

static int judge_and_apply(struct running *running, struct gl_error *err)
{
    struct gl_context *context = running->context;
    int first = judge(running, err), status;

    if (!may_go_on(context, first))
        return first;
    if (first != GL_EXIT_OK)
        gl_say(context, "advisory: it would be exit %d, and goes on", first);
    show_report(context);
    gl_str_clear(&context->reply.text);
    status = ask(running, err);
    if (status == GL_EXIT_DECLINED)
        gl_str_add(&context->reply.text, "Nothing was applied.\n");
    if (status != GL_EXIT_OK)
        return status;
    status = judge_again(running, first, err);
    return may_go_on(context, status) ? apply(running, err) : status;
}

static int run_in_folder(struct running *running, struct gl_error *err)
{
    int status = make_plan(running, err);

    if (status > 0)
        running->context->reply.is_command_status = true; /* its own, no verdict */
    if (status != 0)
        return status;
    if (read_plan(running, err) != 0)
        return -1;
    status = judge_and_apply(running, err);
    gl_hook_plans_done(&running->plans);
    return status;
}

static int check(const struct gl_context *context, const struct gl_hook_values *values,
                 struct gl_error *err)
{
    if (context->globals.is_demo || context->globals.at != NULL)
        return gl_fail(err, GL_E_USAGE, "--run applies for real, now: no --demo, no --at");
    if (values->write_baseline != NULL || values->prunes)
        return gl_fail(err, GL_E_USAGE, "--run changes no baseline");
    if (values->point != NULL && strcmp(values->point, "apply") != 0)
        return gl_fail(err, GL_E_USAGE, "--run judges at apply: --point %s says otherwise",
                       values->point);
    return 0;
}

int gl_hook_run(struct gl_context *context, const struct gl_hook_values *values, const char *word,
                const char *const *argv, struct gl_error *err)
{
    struct running running = {.context = context, .values = *values, .reader = word, .lock_fd = -1};
    int status = -1;

    if (gl_hook_wrapped_parse(argv, &running.wrapped, err) != 0 || check(context, values, err) != 0)
        return -1;
    running.wrapped.tool.plan =
        running.wrapped.plan_file != NULL ? running.wrapped.plan_file : "plan";
    running.values.tool = &running.wrapped.tool;
    running.values.ask.gate = GL_AT_APPLY;
    context->reply.is_streamed = !context->globals.is_json;
    gl_interrupt_catch_hangup();
    /* Told now, not after a plan that took minutes. */
    if (gl_hook_rules_check(context, &running.values, err) == 0 && make_folder(&running, err) == 0)
        status = run_in_folder(&running, err);
    drop_folder(&running);
    return status;
}
