/* SPDX-License-Identifier: Apache-2.0 */
/* Files to plans. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/hook_files.h"
#include "broker/cli/hook_run.h"
#include "broker/hook/k8s.h"
#include "broker/interrupt.h"

/* ---- standard input ---- */

/* As much as is there, once something is. */
static ssize_t read_some(int fd, char *buffer, size_t room)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    return poll(&wait, 1, -1) < 0 ? -1 : read(fd, buffer, room);
}

/* Standard input can be read once: it is held in memory while it is not known what it is. */
static int hold_stdin(struct gl_error *err)
{
    char buffer[65536];
    uint64_t total = 0;
    ssize_t got = 0;
    int fd = memfd_create("plan", MFD_CLOEXEC);

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot hold standard input");
    while ((got = read_some(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
        total += (uint64_t)got;
        if (total > GL_FEED_MAX_BYTES || gl_fd_write(fd, buffer, (size_t)got, err) != 0) {
            close(fd);
            return total > GL_FEED_MAX_BYTES
                       ? gl_fail(err, GL_E_TOO_LARGE, "standard input is too large")
                       : -1;
        }
    }
    if (got < 0 || lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return gl_fail_sys(err, GL_E_IO, errno, "cannot read standard input");
    }
    return fd;
}

/* ---- reading ---- */

/* What the user should hear of a plan that could not be read. */
static int blame(struct gl_error *err)
{
    if (gl_interrupted()) {
        gl_error_clear(err);
        return gl_interrupt_fail(err, "the plan was not read to its end");
    }
    if (err->code == GL_E_IO && err->sys != 0)
        err->code = GL_E_USAGE; /* a file that the user named */
    return -1;
}

struct reading {
    const struct gl_hook_options *options;
    const struct gl_hook_reader *reader; /* NULL: recognised */
    const char *word;                    /* of `hook WORD`; NULL */
    const struct gl_hook_tool *tool;     /* that shows binary plans; NULL = by PATH */
    bool has_no_digest;                  /* nobody reads those of the plans */
};

static int read_feed(const struct reading *reading, struct gl_feed *feed, const char *path,
                     const struct gl_hook_reader *reader, struct gl_hook_plan *out,
                     struct gl_error *err)
{
    if (feed != NULL && reading->has_no_digest)
        gl_feed_skip_digest(feed);
    if (feed == NULL || reader->read(feed, reading->options, out, err) != 0)
        return -1;
    out->file = gl_arena_text(&out->arena, path, strlen(path));
    return 0;
}

static int read_stdin(const struct reading *reading, struct gl_hook_plan *out, struct gl_error *err)
{
    const struct gl_hook_reader *reader = reading->reader;
    int fd = reader == NULL ? hold_stdin(err) : STDIN_FILENO, result = -1;
    struct gl_feed *feed;

    if (fd < 0)
        return -1;
    if (reader == NULL) {
        feed = gl_feed_of_fd(fd, "standard input");
        reader = gl_hook_recognise(feed, "standard input", err);
        gl_feed_close(feed);
        lseek(fd, 0, SEEK_SET);
    }
    if (reader != NULL) {
        feed = gl_feed_of_fd(fd, "standard input");
        result = read_feed(reading, feed, "-", reader, out, err);
        gl_feed_close(feed);
    }
    if (fd != STDIN_FILENO)
        close(fd);
    return result;
}

static int read_binary(const struct reading *reading, const char *path, struct gl_hook_plan *out,
                       struct gl_error *err)
{
    const struct gl_hook_tool on_path = {
        .program = reading->tool == NULL ? gl_hook_tool_for(reading->word) : NULL};
    const struct gl_hook_showing showing = {reading->tool != NULL ? reading->tool : &on_path,
                                            &gl_reader_terraform, reading->options};

    if (gl_hook_show(&showing, path, out, err) != 0)
        return -1;
    out->file = gl_arena_text(&out->arena, path, strlen(path));
    return 0;
}

static int read_path(const struct reading *reading, const char *path, struct gl_hook_plan *out,
                     struct gl_error *err)
{
    const struct gl_hook_reader *reader = reading->reader;
    struct gl_feed *feed;
    int result;

    if (strcmp(path, "-") == 0)
        return read_stdin(reading, out, err);
    if ((reader == NULL || reader == &gl_reader_terraform) && gl_hook_is_binary(path))
        return read_binary(reading, path, out, err);
    if (reader == NULL) {
        feed = gl_feed_open(path, path, err);
        reader = feed != NULL ? gl_hook_recognise(feed, path, err) : NULL;
        gl_feed_close(feed);
        if (reader == NULL)
            return -1;
    }
    feed = gl_feed_open(path, path, err);
    if (feed == NULL)
        return -1;
    result = read_feed(reading, feed, path, reader, out, err);
    gl_feed_close(feed);
    return result;
}

static const char *environment(void *cookie, const char *name)
{
    const struct gl_world *world = cookie;

    return world->getenv(world->cookie, name);
}

/* A NULL-terminated copy in the arena. */
static const char *const *list_of(struct gl_arena *arena, const struct gl_option_list *list)
{
    const char **items = gl_arena_take(arena, (list->count + 1) * sizeof *items);

    memcpy(items, list->items, list->count * sizeof *items);
    return items;
}

/* A row that names no place would be passed over in silence, or taken for one. */
static int check_regions(const struct gl_option_list *rows, struct gl_error *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        const char *equals = strrchr(rows->items[i], '=');
        char shown[GL_TEXT_SHOWN];

        if (equals == NULL || equals == rows->items[i] || equals[1] == '\0' ||
            strpbrk(equals + 1, "*?[] ") != NULL)
            return gl_fail(err, GL_E_USAGE,
                           "--region %s: GLOB=REGION, as in 'module.web.*=eu-north-1'",
                           gl_text_show(rows->items[i], shown));
    }
    return 0;
}

/* So would one that is no parameter at all. */
static int check_parameters(const struct gl_option_list *rows, struct gl_error *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        const char *equals = strchr(rows->items[i], '=');

        if (equals == NULL || equals == rows->items[i])
            return gl_fail(err, GL_E_USAGE, "--parameter: NAME=VALUE, as in Size=m6i.large");
    }
    return 0;
}

static int read_all(const struct reading *reading, const struct gl_hook_files *paths,
                    struct gl_hook_plans *plans, struct gl_error *err)
{
    plans->items = gl_arena_take(&plans->arena, (paths->count + 1) * sizeof *plans->items);
    for (size_t i = 0; i < paths->count; i++) {
        struct gl_hook_plan *plan = gl_arena_take(&plans->arena, sizeof *plan);

        plans->items[plans->count++] = plan;
        if (read_path(reading, paths->items[i], plan, err) != 0)
            return blame(err);
    }
    return 0;
}

int gl_hook_plans_read(struct gl_context *context, const struct gl_hook_values *values,
                       const char *reader, const struct gl_operands *operands, size_t first,
                       struct gl_hook_plans *out, struct gl_error *err)
{
    struct gl_hook_plans plans = {.mapping = gl_mapping_open(values->mapping_dir, err)};
    const struct gl_hook_options options = {
        .together = gl_k8s_together_new(),
        .mapping = plans.mapping,
        .regions = list_of(&plans.arena, &values->regions),
        .wants_environment = values->wants_environment,
        .environment = environment,
        .cookie = &context->world,
        .parameters = list_of(&plans.arena, &values->parameters),
        .deployment_region = values->deployment_region,
    };
    const struct reading reading = {
        .options = &options,
        .reader = reader != NULL ? gl_hook_reader_named(reader) : NULL,
        .word = reader,
        .tool = values->tool,
        .has_no_digest = !gl_hook_shows_digests(context, values),
    };
    struct gl_hook_files paths = {0};
    int result = plans.mapping != NULL && check_regions(&values->regions, err) == 0 &&
                         check_parameters(&values->parameters, err) == 0
                     ? 0
                     : -1;

    for (size_t i = first; result == 0 && i < operands->count; i++)
        result = gl_hook_files_add(&plans.arena, reading.reader, operands->words[i], &paths, err);
    if (result == 0)
        result = read_all(&reading, &paths, &plans, err);
    if (result == 0)
        gl_k8s_together_finish(options.together);
    gl_k8s_together_free(options.together);
    if (result != 0) {
        gl_hook_plans_done(&plans);
        return -1;
    }
    *out = plans;
    malloc_trim(0); /* what reading took and gave back, before the ledger is read beside it */
    return 0;
}

void gl_hook_plans_done(struct gl_hook_plans *plans)
{
    for (size_t i = 0; i < plans->count; i++)
        gl_hook_plan_done(plans->items[i]);
    gl_mapping_free(plans->mapping);
    gl_arena_done(&plans->arena);
    *plans = (struct gl_hook_plans){0};
}
