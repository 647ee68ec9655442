/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_HOOK_INSTALL_H
#define GL_BROKER_CLI_HOOK_INSTALL_H

/* Where the hook can be installed, as rows: a block between two marker lines in a file that may be
 * somebody else's. What stands outside of the markers stays as it is, byte for byte. Pure. */

#include "broker/config_edit.h"

struct gl_hook_place_row {
    const char *name;       /* the word of `hook install WORD` */
    const char *path;       /* the file, relative to where the command is called */
    const char *first_line; /* of a new file, before the block; NULL */
    const char *anchor;     /* the block goes below a line that begins so; NULL = at the end */
    const char *start;      /* of the block where there is nothing else in the file; NULL */
    const char *head;       /* opens the block where there is no anchor; NULL */
    const char *body;       /* {policy} is the policy's path */
    const char *tail;       /* closes what head opened; NULL */
    bool is_whole;          /* a file without our block is another's, and stays */
    unsigned mode;
    const char *next; /* what is still to be done; NULL */
};
const struct gl_hook_place_row *gl_hook_place_named(const char *name); /* NULL = none */
/* The names, NULL-terminated. */
const char *const *gl_hook_place_names(void);

/* What the file is to become: with our block, put in or brought up to date, or (`policy` NULL)
 * without it. USAGE when the file is another's or our markers are broken. Sets all but nothing of
 * *out when it fails; gl_config_edit_done() is due in any case. */
int gl_hook_place_edit(const struct gl_hook_place_row *row, const char *text, const char *policy,
                       struct gl_config_edit *out, struct gl_error *err);

#endif
