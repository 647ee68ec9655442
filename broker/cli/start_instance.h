/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_START_INSTANCE_H
#define GL_BROKER_CLI_START_INSTANCE_H

/* What launch and run do alike: decide, and when allowed start one instance through the journal. */

#include "broker/cli/act.h"

struct gl_start_options {
    const char *name;
    const char *const *command; /* NULL-terminated; NULL = none */
    const char *image;
    const char *const *with, *const *files_in; /* NULL-terminated or NULL */
    bool has_network;
    const char *user_data;
};

/* Returns 0 and *out when it runs; the exit status of a refusal (reply filled, demand recorded);
 * -1 with *err. */
int gl_start_instance(struct gl_context *context, struct gl_launcher *launcher, struct gl_ask *ask,
                      const struct gl_start_options *options, struct gl_instance *out,
                      struct gl_error *err);

/* Options of what goes into the instance; the values struct has `struct gl_inside inside` right
 * after `struct gl_ask ask`. */
struct gl_inside {
    const char *name, *image, *network, *user_data;
    struct gl_option_list with, files_in;
};
struct gl_start_values {
    struct gl_ask ask;
    struct gl_inside inside;
};
#define GL_INSIDE_AT(field) offsetof(struct gl_start_values, inside.field)
#define GL_INSIDE_OPTIONS                                                                       \
    {"name",      0,                                                                            \
     GL_OPT_TEXT, GL_INSIDE_AT(name),                                                           \
     "NAME",      "name to find it by",                                                         \
     "Instance",  NULL,                                                                         \
     NULL,        0,                                                                            \
     0,           0,                                                                            \
     NULL},                                                                                     \
        {"image",     0,                                                                        \
         GL_OPT_TEXT, GL_INSIDE_AT(image),                                                      \
         "FILE",      "root file system (tar, cpio) or disk (raw, qcow2)",                      \
         "Instance",  NULL,                                                                     \
         NULL,        0,                                                                        \
         0,           0,                                                                        \
         "file"},                                                                               \
        {"with",      0,                                                                        \
         GL_OPT_LIST, GL_INSIDE_AT(with),                                                       \
         "PROGRAM",   "carry a program of this machine and its libraries along",                \
         "Instance",  NULL,                                                                     \
         NULL,        0,                                                                        \
         0,           0,                                                                        \
         "file"},                                                                               \
        {"file-in",                                                                             \
         0,                                                                                     \
         GL_OPT_LIST,                                                                           \
         GL_INSIDE_AT(files_in),                                                                \
         "HOST:GUEST",                                                                          \
         "copy a small file into the instance",                                                 \
         "Instance",                                                                            \
         NULL,                                                                                  \
         NULL,                                                                                  \
         0,                                                                                     \
         0,                                                                                     \
         0,                                                                                     \
         "file"},                                                                               \
        {"net",       0,                                                                        \
         GL_OPT_TEXT, GL_INSIDE_AT(network),                                                    \
         "MODE",      "network of the instance (default none)",                                 \
         "Instance",  NULL,                                                                     \
         "none|user", 0,                                                                        \
         0,           0,                                                                        \
         NULL},                                                                                 \
    {                                                                                           \
        "user-data", 0, GL_OPT_TEXT, GL_INSIDE_AT(user_data), "TEXT",                           \
            "text for /run/greenlaunch/user-data inside", "Instance", NULL, NULL, 0, 0, 0, NULL \
    }

/* The options as gl_start_options; `lists` is storage for the two lists. */
struct gl_start_lists {
    const char *with[GL_OPTION_LIST_MAX + 1];
    const char *files_in[GL_OPTION_LIST_MAX + 1];
};
void gl_start_options_of(const struct gl_inside *inside, const char *const *command,
                         struct gl_start_lists *lists, struct gl_start_options *out);

#endif
