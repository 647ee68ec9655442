/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_history.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MOST 256

/* ---- reading ---- */

struct spans {
    struct gl_instance_span *items;
    size_t count, capacity;
};

static void add_span(struct spans *spans, const struct gl_local_event *event)
{
    struct gl_instance_span *last = spans->count > 0 ? &spans->items[spans->count - 1] : NULL;
    int64_t at_ms = event->at_ms;

    if (last != NULL && last->is_running == event->is_running &&
        strcmp(last->region, event->region) == 0)
        return;
    if (last != NULL && at_ms < last->from_ms)
        at_ms = last->from_ms;
    if (last != NULL)
        last->until_ms = at_ms;
    if (spans->count == spans->capacity) {
        spans->capacity = spans->capacity * 2 + 8;
        spans->items = gl_realloc(spans->items, spans->capacity * sizeof *spans->items);
    }
    spans->items[spans->count] = (struct gl_instance_span){
        .from_ms = at_ms, .until_ms = INT64_MAX, .is_running = event->is_running};
    memcpy(spans->items[spans->count++].region, event->region, sizeof event->region);
}

static bool parse_event(const char *line, size_t length, struct gl_local_event *out)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json) json_t *object = NULL;
    const char *region;
    int64_t version;

    if (length == 0 || length > LINE_MOST)
        return false;
    object = gl_json_parse(line, length, GL_LOCAL_HISTORY, &ignored);
    if (object == NULL || gl_json_int(object, "v", 1, 1, &version, &ignored) < 0 ||
        gl_json_int(object, "at_ms", 0, INT64_MAX, &out->at_ms, &ignored) < 0 ||
        gl_json_string(object, "region", &region, &ignored) < 0 ||
        strlen(region) >= sizeof out->region || !json_is_boolean(json_object_get(object, "runs")))
        return false;
    memset(out->region, 0, sizeof out->region);
    memcpy(out->region, region, strlen(region));
    out->is_running = json_is_true(json_object_get(object, "runs"));
    return true;
}

void gl_history_spans(const char *text, size_t length, const struct gl_local_record *record,
                      struct gl_instance_span **out, size_t *out_count)
{
    struct gl_local_event event = {.at_ms = record->started_s * 1000, .is_running = true};
    struct spans spans = {0};

    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t size = end != NULL ? (size_t)(end - text) - at : length - at;
        struct gl_local_event found;

        if (parse_event(text + at, size, &found))
            add_span(&spans, &found);
        at += size + 1;
    }
    memcpy(event.region, record->region, sizeof event.region);
    if (spans.count == 0)
        add_span(&spans, &event);
    *out = spans.items;
    *out_count = spans.count;
}

static int read_text(const char *folder, char **out, size_t *out_length, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, GL_LOCAL_HISTORY);

    if (!gl_file_exists(path)) {
        *out = gl_strdup("");
        *out_length = 0;
        return 0;
    }
    return gl_file_read(path, GL_HISTORY_MAX, out, out_length, err);
}

/* It runs, and the line that would say so could not be written: when it began is not known, so that
 * none of the time counts as standing still. */
static void add_what_is_seen(const struct gl_local_record *record, struct gl_instance_span **spans,
                             size_t *count)
{
    struct gl_instance_span *last = &(*spans)[*count - 1];

    if (last->is_running || record->state != GL_STATE_RUNNING ||
        record->away.phase != GL_PHASE_NONE)
        return;
    last->is_running = true;
    memcpy(last->region, record->region, sizeof last->region);
}

int gl_history_read(const char *folder, const struct gl_local_record *record,
                    struct gl_instance_span **out, size_t *out_count, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;

    if (read_text(folder, &text, &length, err) < 0)
        return -1;
    gl_history_spans(text, length, record, out, out_count);
    add_what_is_seen(record, out, out_count);
    return 0;
}

/* ---- writing ---- */

static int add_line(struct gl_str *out, const struct gl_local_event *event, struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *object = json_pack("{s:I s:s s:b s:i}", "at_ms", (json_int_t)event->at_ms, "region",
                               event->region, "runs", event->is_running, "v", 1);
    GL_AUTO(gl_auto_free) char *text = NULL;

    if (object == NULL)
        return gl_fail(err, GL_E_INTERNAL, "a region's name is not UTF-8");
    text = gl_json_canonical(object, err);
    if (text == NULL)
        return -1;
    gl_str_addf(out, "%s\n", text);
    return 0;
}

static int append(const char *folder, const struct gl_str *lines, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, GL_LOCAL_HISTORY);
    GL_AUTO(gl_auto_close)
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
    if (gl_fd_write(fd, lines->text, lines->length, err) < 0)
        return -1;
    if (fdatasync(fd) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot write %s", path);
    return 0;
}

static bool is_told(const char *text, size_t length, const struct gl_local_record *record,
                    const struct gl_local_event *event)
{
    GL_AUTO(gl_auto_free) struct gl_instance_span *spans = NULL;
    size_t count;

    gl_history_spans(text, length, record, &spans, &count);
    return length > 0 && spans[count - 1].is_running == event->is_running &&
           strcmp(spans[count - 1].region, event->region) == 0;
}

int gl_history_note(const char *folder, const struct gl_local_record *record, const char *from,
                    const struct gl_local_event *event, struct gl_error *err)
{
    struct gl_local_event launch = {.at_ms = record->started_s * 1000, .is_running = true};
    GL_AUTO(gl_str_done) struct gl_str lines = {0};
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;

    if (read_text(folder, &text, &length, err) < 0)
        return -1;
    if (is_told(text, length, record, event))
        return 0;
    if (length + 2 * LINE_MOST > GL_HISTORY_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "%s was suspended and moved too often",
                       record->launch_id);
    if (length > 0 && text[length - 1] != '\n')
        gl_str_add_char(&lines, '\n'); /* what a crash cut off does not spoil this one */
    memcpy(launch.region, from, strnlen(from, sizeof launch.region - 1));
    if ((length == 0 && add_line(&lines, &launch, err) < 0) || add_line(&lines, event, err) < 0)
        return -1;
    return append(folder, &lines, err);
}
