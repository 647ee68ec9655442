/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_AGAIN_H
#define GL_BROKER_CLI_AGAIN_H

/* The question of this call as words of another command line, so that "what to do next" can be
 * typed as it stands. */

#include "base/time.h"
#include "broker/cli/command.h"

#define GL_AGAIN_WORDS 256

struct gl_again {
    const char *words[GL_AGAIN_WORDS + 1]; /* NULL-terminated */
    size_t count;
    struct gl_arena arena; /* owns what was made */
};

/* "wait" and the options of `ask` that were given. With `confidence` 0 as they are; else, where
 * none was given, --confidence too, as a share. What does not fit is left out with what follows.
 * Free with gl_again_done(). */
void gl_again_ask(struct gl_again *out, const char *command, const struct gl_ask *ask,
                  double confidence);
/* The same, with what this call was to start (context->start): its other options and its command.
 * "wait" without a command starts nothing. */
void gl_again_start(struct gl_again *out, const struct gl_context *context, const char *command,
                    const struct gl_ask *ask);
/* Times that were given as spans count from now, not from when it is typed: in `ask` they become
 * instants, whose text is in *clock. */
struct gl_again_clock {
    char start_by[GL_INSTANT_TEXT], finish_by[GL_INSTANT_TEXT];
};
void gl_again_times(const struct gl_ask_result *asked, struct gl_again_clock *clock,
                    struct gl_ask *ask);
/* A word more; it must live as long as *again. */
void gl_again_add(struct gl_again *again, const char *word);
/* Where a later start is proven: the command that waits for it, as a next step and as a line that a
 * shell takes. */
void gl_again_wait(struct gl_context *context, const struct gl_ask_result *asked);
/* The question of another command as a next step; `extra` words end it (NULL-terminated, or NULL).
 */
void gl_again_next(struct gl_context *context, const char *why, const char *command,
                   const struct gl_ask *ask, const char *const *extra);
/* "greenlaunch WORDS" with the global options of this call, as a shell takes it, appended to *out.
 * `words` is NULL-terminated. */
void gl_again_line(const struct gl_context *context, const char *const *words, struct gl_str *out);
/* The same as "  greenlaunch WORDS" for people, in lines that a shell takes as one. */
void gl_again_show(struct gl_context *context, const char *const *words);
void gl_again_done(struct gl_again *again);

#endif
