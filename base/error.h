/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_ERROR_H
#define GL_BASE_ERROR_H

/* Errors that cannot fail: a fixed-size struct owned by the caller, filled once and wrapped on the
 * way out. A refusal is a result, not an error. Nothing here allocates, logs or translates. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gl_errc {
    GL_OK = 0,
#define GL_ERRC(sym, id, exit, retry, text, hint) GL_E_##sym = (id),
#include "base/errc.def"
#undef GL_ERRC
};

enum gl_exit {
#define GL_EXIT(sym, status, now, name, text) GL_EXIT_##sym = (status),
#include "base/exit.def"
#undef GL_EXIT
};

/* Where in an input the trouble is; line and column count from 1, 0 = not known. */
struct gl_pos {
    char file[256];
    uint32_t line;
    uint32_t column;
};

struct gl_error {
    enum gl_errc code;
    int sys; /* errno at the time, 0 if none */
    struct gl_pos pos;
    char text[768]; /* what happened, wrapped outermost first */
};

/* One row of base/errc.def. */
struct gl_errc_row {
    enum gl_errc code;
    const char *symbol;
    enum gl_exit exit;
    bool is_retryable;
    const char *sentence;
    const char *hint;
};

/* One row of base/exit.def. */
struct gl_exit_row {
    enum gl_exit status;
    bool can_occur; /* in this version; else kept for what is still to come */
    const char *name;
    const char *meaning;
};

/* Fill *err (never NULL) unless it already holds an error: the first one wins. Returns -1. */
int gl_fail(struct gl_error *err, enum gl_errc code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with errno `sys`; ENOSPC and EDQUOT turn GL_E_IO into GL_E_DISK_FULL. Returns -1. */
int gl_fail_sys(struct gl_error *err, enum gl_errc code, int sys, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with a place in an input file; `pos` may be NULL. Returns -1. */
int gl_fail_at(struct gl_error *err, enum gl_errc code, const struct gl_pos *pos,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Put "format: " before the text already there; cuts at the end, never allocates. Returns -1. */
int gl_wrap(struct gl_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Make *err empty again. */
void gl_error_clear(struct gl_error *err);

/* The row of `code`; an unknown code gets the row of GL_E_INTERNAL. Never NULL. */
const struct gl_errc_row *gl_errc_row(enum gl_errc code);
const struct gl_errc_row *gl_errc_rows(unsigned *out_count);

/* The row of an exit status, NULL if there is none. */
const struct gl_exit_row *gl_exit_row(int status);
const struct gl_exit_row *gl_exit_rows(unsigned *out_count);

/* Out of memory: print one line to stderr and end the process with status 1. */
_Noreturn void gl_die_of_memory(void);

/* Allocation that never returns NULL (size 0 counts as 1); memory is zeroed. Free with free(). */
void *gl_alloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
/* For a large table that is going to be written in full; zeroed as well. Where the system has pages
 * of 2 MiB it may lie in them, which costs a tenth of the page faults. Only gl_free_table() frees
 * it, by the size that was asked for; NULL is fine. */
void *gl_alloc_table(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void gl_free_table(void *table, size_t size);
void *gl_realloc(void *old, size_t size) __attribute__((alloc_size(2), returns_nonnull));
char *gl_strdup(const char *text) __attribute__((malloc, returns_nonnull));

/* Scope cleanup: GL_AUTO(free_chars) char *x = ...; the named function takes a pointer to x. */
#define GL_AUTO(function) __attribute__((cleanup(function)))
void gl_auto_free(void *pointer_to_pointer); /* free() for GL_AUTO */
void gl_auto_close(int *fd);                 /* close() for GL_AUTO, -1 is fine */

#endif
