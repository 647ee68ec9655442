/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)

static const struct gl_errc_row errc_rows[] = {
#define GL_ERRC(sym, id, exit, retry, text, hint) \
    {GL_E_##sym, #sym, (exit), (retry) != 0, text, hint},
#include "base/errc.def"
#undef GL_ERRC
};

static const struct gl_exit_row exit_rows[] = {
#define GL_EXIT(sym, status, now, name, text) {(status), (now) != 0, name, text},
#include "base/exit.def"
#undef GL_EXIT
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int __attribute__((format(printf, 3, 0)))
fail(struct gl_error *err, enum gl_errc code, const char *format, va_list args)
{
    if (err->code != GL_OK)
        return -1;
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, args);
    return -1;
}

int gl_fail(struct gl_error *err, enum gl_errc code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail(err, code, format, args);
    va_end(args);
    return -1;
}

int gl_fail_sys(struct gl_error *err, enum gl_errc code, int sys, const char *format, ...)
{
    bool is_full = sys == ENOSPC || sys == EDQUOT;
    size_t used;
    va_list args;

    if (err->code != GL_OK)
        return -1;
    va_start(args, format);
    fail(err, is_full && code == GL_E_IO ? GL_E_DISK_FULL : code, format, args);
    va_end(args);
    err->sys = sys;
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(sys));
    return -1;
}

int gl_fail_at(struct gl_error *err, enum gl_errc code, const struct gl_pos *pos,
               const char *format, ...)
{
    va_list args;

    if (err->code != GL_OK)
        return -1;
    va_start(args, format);
    fail(err, code, format, args);
    va_end(args);
    if (pos != NULL)
        err->pos = *pos;
    return -1;
}

int gl_wrap(struct gl_error *err, const char *format, ...)
{
    char inner[sizeof err->text];
    size_t used;
    va_list args;

    memcpy(inner, err->text, sizeof inner);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", inner);
    if (err->code == GL_OK)
        err->code = GL_E_INTERNAL;
    return -1;
}

void gl_error_clear(struct gl_error *err)
{
    memset(err, 0, sizeof *err);
}

const struct gl_errc_row *gl_errc_rows(unsigned *out_count)
{
    *out_count = COUNT(errc_rows);
    return errc_rows;
}

const struct gl_errc_row *gl_errc_row(enum gl_errc code)
{
    for (size_t i = 0; i < COUNT(errc_rows); i++)
        if (errc_rows[i].code == code)
            return &errc_rows[i];
    return &errc_rows[0];
}

const struct gl_exit_row *gl_exit_rows(unsigned *out_count)
{
    *out_count = COUNT(exit_rows);
    return exit_rows;
}

const struct gl_exit_row *gl_exit_row(int status)
{
    for (size_t i = 0; i < COUNT(exit_rows); i++)
        if ((int)exit_rows[i].status == status)
            return &exit_rows[i];
    return NULL;
}

void gl_die_of_memory(void)
{
    static const char text[] = "greenlaunch: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);

    (void)ignored;
    _exit(GL_EXIT_INTERNAL);
}

void *gl_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);

    if (memory == NULL)
        gl_die_of_memory();
    return memory;
}

/* ---- tables ---- */

static bool is_large(size_t table)
{
    return table >= HUGE_PAGE / 4;
}

static size_t in_huge_pages(size_t size)
{
    return (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

/* More is mapped than is asked for, and what sticks out of whole huge pages given back. */
static char *map_aligned(size_t size)
{
    char *memory =
        mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before;

    if (memory == MAP_FAILED)
        gl_die_of_memory();
    before = (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0)
        munmap(memory, before);
    munmap(memory + before + size, HUGE_PAGE - before);
    return memory + before;
}

void *gl_alloc_table(size_t size)
{
    size_t rounded = in_huge_pages(size);
    void *memory;

    if (!is_large(size))
        return gl_alloc(size);
    memory = map_aligned(rounded);
    madvise(memory, rounded, MADV_HUGEPAGE); /* a wish: without it the table is only slower */
    return memory;
}

void gl_free_table(void *table, size_t size)
{
    if (is_large(size) && table != NULL)
        munmap(table, in_huge_pages(size));
    else
        free(table);
}

void *gl_realloc(void *old, size_t size)
{
    void *memory = realloc(old, size ? size : 1);

    if (memory == NULL)
        gl_die_of_memory();
    return memory;
}

char *gl_strdup(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        gl_die_of_memory();
    return copy;
}

void gl_auto_free(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;

    free(*pointer);
    *pointer = NULL;
}

void gl_auto_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
