/* SPDX-License-Identifier: Apache-2.0 */
/* Plans as Terraform and OpenTofu keep them: only the tool itself can read them, and it says in
 * JSON what they hold. The JSON goes from pipe to reader, so memory does not grow with the plan. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/cli/hook_run.h"
#include "broker/interrupt.h"

#define LOOK_MS     200
#define PATIENCE_MS 5000 /* of a tool that was told to end */

bool gl_hook_is_binary(const char *path)
{
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char head[4];

    return fd >= 0 && pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
           memcmp(head, "PK\x03\x04", sizeof head) == 0;
}

const char *gl_hook_tool_for(const char *word)
{
    static const char *const tools[] = {"terraform", "tofu"};
    size_t first = word != NULL && strcmp(word, "tofu") == 0 ? 1 : 0;

    for (size_t i = 0; i < 2; i++) {
        const char *tool = tools[(first + i) % 2];
        GL_AUTO(gl_auto_free) char *path = gl_program_find(tool);

        if (path != NULL)
            return tool;
    }
    return NULL;
}

/* What went wrong, when the tool did not end well. */
static int blame_tool(const struct gl_hook_tool *tool, const char *name, int status,
                      struct gl_error *err)
{
    gl_error_clear(err); /* what the reader made of half a document */
    return gl_fail(err, GL_E_USAGE,
                   "%s: `%s show -json` ended with status %d; it works in the folder that the "
                   "plan was made in, after `%s init`",
                   name, tool->program, status, tool->program);
}

static int read_pipe(const struct gl_hook_showing *showing, const char *name, int fd,
                     struct gl_hook_plan *out, struct gl_error *err)
{
    struct gl_feed *feed = gl_feed_of_fd(fd, name);
    int result = showing->reader->read(feed, showing->options, out, err);

    gl_feed_close(feed);
    return result;
}

/* When we are told to end, so is the tool: in order, so that what it started for itself ends too.
 */
static void await_tool(const struct gl_process *process, int *out_status)
{
    while (!gl_interrupted())
        if (gl_process_wait(process, LOOK_MS, out_status) != 0)
            return;
    gl_process_kill(process, SIGTERM);
    if (gl_process_wait(process, PATIENCE_MS, out_status) != 0)
        return;
    gl_process_kill(process, SIGKILL);
    gl_process_wait(process, -1, out_status);
}

/* The tool is let finish, so that its status is its own and not that of a closed pipe. */
static void drain(int fd)
{
    char buffer[65536];
    uint64_t total = 0;
    ssize_t got;

    while (total < GL_FEED_MAX_BYTES && (got = read(fd, buffer, sizeof buffer)) > 0)
        total += (uint64_t)got;
}

static int start_show(const struct gl_hook_tool *tool, const char *path, int out_fd,
                      struct gl_process *out, struct gl_error *err)
{
    const char *argv[7];
    size_t count = 0;
    struct gl_spawn spawn = {.argv = argv,
                             .stdin_fd = -1,
                             .stdout_fd = out_fd,
                             .stderr_fd = STDERR_FILENO,
                             .uid = -1,
                             .gid = -1,
                             .dies_with_parent = true};

    argv[count++] = tool->program;
    if (tool->chdir != NULL)
        argv[count++] = tool->chdir;
    argv[count++] = "show";
    argv[count++] = "-json";
    argv[count++] = "-no-color";
    argv[count++] = path;
    argv[count] = NULL;
    return gl_process_start(&spawn, out, err);
}

int gl_hook_show(const struct gl_hook_showing *showing, const char *path, struct gl_hook_plan *out,
                 struct gl_error *err)
{
    const struct gl_hook_tool *tool = showing->tool;
    const char *name = tool->plan != NULL ? tool->plan : path;
    struct gl_process process;
    int ends[2], result, status = -1;

    if (tool->program == NULL)
        return gl_fail(err, GL_E_USAGE,
                       "%s is a binary plan, and neither terraform nor tofu is on PATH to show it; "
                       "give the output of `terraform show -json %s`",
                       path, path);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot start %s", tool->program);
    result = start_show(tool, path, ends[1], &process, err);
    close(ends[1]);
    if (result != 0) {
        close(ends[0]);
        return -1;
    }
    result = read_pipe(showing, name, ends[0], out, err);
    if (result != 0 && !gl_interrupted())
        drain(ends[0]);
    close(ends[0]);
    await_tool(&process, &status);
    if (status == 0)
        return result;
    if (result == 0)
        gl_hook_plan_done(out);
    return blame_tool(tool, name, status, err);
}
