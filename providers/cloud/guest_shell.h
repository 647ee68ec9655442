/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_GUEST_SHELL_H
#define GL_PROVIDERS_GUEST_SHELL_H

/* Shell for rented machines (userdata.c) and pods (kubernetes_script.c) alike: quoting, programs
 * that are fetched and pinned, readings that are pushed, and what a meter must be to be carried.
 * Pure text. */

#include "providers/cloud/userdata.h"

/* 'text', whatever is in it. */
void gl_guest_quote(struct gl_str *out, const char *text);

/* Functions of the script: get URL FILE; pinned FILE SHA256, which calls `gone` for any other. */
extern const char gl_guest_fetch[];
/* push_once NAME, push_last: need $dir, $launch and $push; $dir/exit tells how the command ended,
 * $unseen names the file of what it printed, where nobody else shows it. */
extern const char gl_guest_push[];

/* The meter's program to embed, as a gzip file: the file may be one already, else it is made one.
 * Free it. NULL: IO, TOO_LARGE. */
char *gl_guest_meter(const char *path, size_t *out_length, struct gl_error *err);

/* BAD_VALUE: a meter without a source or a pin, an address that is not https or that holds what no
 * address holds (it stands in scripts), a meter that cannot prove whose readings it sends. */
int gl_guest_check_meter(const struct gl_launch *launch, struct gl_error *err);

#endif
