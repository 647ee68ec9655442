/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_HISTORY_H
#define GL_PROVIDERS_LOCAL_HISTORY_H

/* When and where an instance ran, and when it stood still: one line an event in the file `history`
 * of its folder, appended and synced; without the file it has always run where its record says.
 *   {"at_ms":..,"region":"a","runs":false,"v":1}
 * An event told twice (by whoever finishes what another began) counts once; a line that was cut off
 * by a crash counts not at all. Times that run backwards are taken as the one before. */

#include "providers/cloud/local_record.h"

#define GL_HISTORY_MAX ((size_t)4 << 20) /* bytes; some 50,000 events */

struct gl_local_event {
    int64_t at_ms;
    bool is_running;
    char region[40];
};

/* Append an event; the launch, where the region is `from`, is put before the first one. Errors: IO,
 * DISK_FULL, TOO_LARGE. */
int gl_history_note(const char *folder, const struct gl_local_record *record, const char *from,
                    const struct gl_local_event *event, struct gl_error *err);
/* The spans of a history's text; fresh array, at least one. */
void gl_history_spans(const char *text, size_t length, const struct gl_local_record *record,
                      struct gl_instance_span **out, size_t *out_count);
int gl_history_read(const char *folder, const struct gl_local_record *record,
                    struct gl_instance_span **out, size_t *out_count, struct gl_error *err);

#endif
