/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_HOOK_RUN_H
#define GL_BROKER_CLI_HOOK_RUN_H

/* Terraform and OpenTofu as programs: plans of theirs shown as JSON, and `hook terraform --run`,
 * which applies exactly the plan that was judged. Values of variables pass through as words of a
 * command line and are never printed. */

#include "base/process.h"
#include "broker/cli/hook.h"

/* ---- plans as the tool keeps them ---- */

/* Does the file begin as a binary plan does (a zip archive)? False when it cannot be read. */
bool gl_hook_is_binary(const char *path);
/* The tool's name for `hook WORD` as far as it is on PATH: "tofu" or "terraform", that of the word
 * first; NULL when neither is. */
const char *gl_hook_tool_for(const char *word);
/* Read `path` through `TOOL show -json`, streamed. Errors: USAGE when there is no tool, or it does
 * not show the plan; those of the reader. */
struct gl_hook_showing {
    const struct gl_hook_tool *tool; /* NULL program: none is on PATH */
    const struct gl_hook_reader *reader;
    const struct gl_hook_options *options;
};
int gl_hook_show(const struct gl_hook_showing *showing, const char *path, struct gl_hook_plan *out,
                 struct gl_error *err);

/* ---- the command to be run ---- */

#define GL_HOOK_WORDS_MAX 250

struct gl_hook_wrapped {
    struct gl_hook_tool tool;
    const char *plan_file;                    /* given instead of a plan to be made; NULL */
    bool is_approved;                         /* -auto-approve */
    const char *plan[GL_HOOK_WORDS_MAX + 1];  /* options of `plan`, NULL-terminated */
    const char *apply[GL_HOOK_WORDS_MAX + 1]; /* options of `apply` of a plan file */
};
/* "terraform [-chdir=DIR] apply [options] [PLAN]". Words are borrowed. Errors: USAGE, which names
 * options but never their values. */
int gl_hook_wrapped_parse(const char *const *argv, struct gl_hook_wrapped *out,
                          struct gl_error *err);

/* ---- running it ---- */

/* Start and await; SIGINT, SIGTERM and SIGHUP sent to us alone go on to it, those of a terminal and
 * others for the whole group reach it by themselves; when the time is up it is asked to end.
 * *out_signal is the last of them, 0 = none. */
int gl_hook_await(const struct gl_spawn *spawn, int *out_status, int *out_signal,
                  struct gl_error *err);

/* hook terraform --run: the exit status, or -1. */
int gl_hook_run(struct gl_context *context, const struct gl_hook_values *values, const char *word,
                const char *const *argv, struct gl_error *err);

#endif
