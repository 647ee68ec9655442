/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_FILE_PART_H
#define GL_PROVIDERS_SIGNAL_FILE_PART_H

/* What the parts of the `file` adapter share: one row of a series file as text fields, and the set
 * of series that rows are sorted into. */

#include "providers/signal/adapter.h"

#define GL_FILE_MAX_BYTES  ((size_t)64 << 20) /* JSON: GL_JSON_MAX_BYTES */
#define GL_FILE_MAX_SERIES 20000              /* years of issues */
#define GL_FILE_SLOTS      65536              /* a power of two, well above it */

/* One interval as the file says it, defaults filled in. */
struct gl_file_row {
    struct gl_meaning meaning;
    bool has_boundary, has_gases, has_share_of;
    char zone[40];
    char unit[16];
    char value[32], low[32], high[32]; /* as written; "" = not said */
    int64_t issued_s;
    int64_t step_s;        /* GL_UNKNOWN = not said */
    struct gl_point point; /* times, evidence, update time; figures come last */
};

/* Series under construction. */
struct gl_file_set {
    const struct gl_signal_label *label; /* zone = the configured one, "" for none */
    struct gl_signal_result result;
    size_t *capacities; /* of the points of each series */
    uint16_t *slots;    /* GL_FILE_SLOTS of them: 1 + the series of a hash, 0 = free */
    size_t last;        /* the series the last row went to */
};

/* A row with nothing said yet: average rate, direct emissions, production, location, estimated. */
void gl_file_row_init(struct gl_file_row *row, const char *zone);
/* Set the field `name` from its text; an empty text says nothing. UNKNOWN_KEY, BAD_VALUE. */
int gl_file_row_set(struct gl_file_row *row, const char *name, const char *text,
                    struct gl_error *err);
/* Turn figures and unit into point figures, and check that what must be said is. */
int gl_file_row_finish(struct gl_file_row *row, struct gl_error *err);

/* Put a finished row into the series of its meaning, zone and issue time. */
int gl_file_set_add(struct gl_file_set *set, const struct gl_file_row *row, struct gl_error *err);

void gl_file_set_done(struct gl_file_set *set);

/* Read all rows of a file's bytes; `bytes` is NUL-terminated and may be changed. */
int gl_file_read_csv(char *bytes, const char *name, struct gl_file_set *set, struct gl_error *err);
int gl_file_read_json(const char *bytes, size_t length, const char *name, struct gl_file_set *set,
                      struct gl_error *err);

#endif
