/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SETUP_H
#define GL_BROKER_CLI_SETUP_H

/* What `provider` and `source` share: words KEY=VALUE that are never a secret, and changes of the
 * configuration file that are shown, agreed to and written. */

#include "broker/cli/help.h"
#include "broker/config_edit.h"

#define GL_SETUP_KEY 64

struct gl_setup_pair {
    char key[GL_SETUP_KEY];
    const char *value; /* into the word; "" = take it out */
};

/* "KEY=VALUE" of the command line. USAGE when it is none, or when the value looks like a secret:
 * then it is not repeated. */
int gl_setup_pair_of(const char *word, struct gl_setup_pair *out, struct gl_error *err);
/* Would it be careless to write this value into a file or a message? A guess by its form. */
bool gl_setup_is_secret(const char *value);
/* UNKNOWN_NAME: there is no `what` of that name, with the nearest one, or all. Returns -1. */
int gl_setup_fail_name(const char *what, const char *name, const char *const *names, size_t count,
                       struct gl_error *err);

/* The configuration file of this call and what it says: fresh strings; text "" when there is none
 * yet. */
int gl_setup_file(const struct gl_context *context, char **out_path, char **out_text,
                  struct gl_error *err);
/* Show the change, ask for leave on a terminal (--yes gives it) and write it. GL_EXIT_OK,
 * GL_EXIT_DECLINED with a line about it, or -1: USAGE when there is nobody to ask. `path` and the
 * change become members of the reply's data. */
int gl_setup_write(struct gl_context *context, const char *path, const struct gl_config_edit *edit,
                   struct gl_error *err);
/* A line that can be typed, below "Next:", and a next step. */
void gl_setup_step(struct gl_context *context, const char *why, const char *const *words);

#endif
