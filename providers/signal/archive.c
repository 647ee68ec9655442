/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/archive.h"

#include "base/file.h"
#include "providers/signal/adapter.h"
#include "providers/signal/archive_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_S           INT64_C(86400)
#define HOUR_S          INT64_C(3600)
#define ISSUE_DAYS      400
#define ACTUAL_DAYS     1096
#define FOLDER_BYTES    (INT64_C(512) << 20)
#define LOCK_WAIT_MS    500
#define LOCK_NAME       "lock"
#define SAME_ISSUE_LOOK 64   /* newest issues that a server may say again */
#define TAIL_ACTUALS    4096 /* newest records that an answer is compared with first */
#define NEXT_S          (3 * DAY_S)

/* A file of one kind, decoded. */
struct loaded {
    struct gl_archive_records records;
    struct gl_archive_content content;
    int64_t known_s;  /* the latest; 0 */
    int64_t newest_s; /* hour of an actual, end of an issue: the source's time, not ours; 0 */
    int64_t oldest_s;
};

static void loaded_done(struct loaded *loaded)
{
    free(loaded->records.bytes);
    gl_archive_content_done(&loaded->content);
}

void gl_archive_content_done(struct gl_archive_content *content)
{
    free(content->issues);
    free(content->actuals);
    free(content->values_u);
    *content = (struct gl_archive_content){0};
}

/* ---- decoding ---- */

/* A figure that its meaning does not allow is as damaged as a wrong checksum. */
static bool is_possible(int64_t value_u, const struct gl_meaning *meaning)
{
    return value_u == GL_UNKNOWN || (value_u >= 0 && value_u <= gl_series_ceiling(meaning));
}

/* The later of what a record says and what stood before it: known is never earlier. */
static int64_t note_known(struct loaded *loaded, int64_t known_s)
{
    if (known_s > loaded->known_s)
        loaded->known_s = known_s;
    return loaded->known_s;
}

static void note_span(struct loaded *loaded, int64_t at_s)
{
    if (loaded->newest_s == 0 || at_s > loaded->newest_s)
        loaded->newest_s = at_s;
    if (loaded->oldest_s == 0 || at_s < loaded->oldest_s)
        loaded->oldest_s = at_s;
}

static void decode_issues(const struct gl_archive_key *key, struct loaded *loaded)
{
    const size_t count = loaded->records.count;
    struct gl_archive_content *content = &loaded->content;
    size_t used = 0;

    content->issues = gl_alloc(count * sizeof *content->issues);
    content->values_u = gl_alloc((count + 1) * GL_ARCHIVE_MAX_HOURS * sizeof *content->values_u);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = loaded->records.first + i * GL_ARCHIVE_ISSUE_BYTES;
        struct gl_archive_issue *issue = &content->issues[content->issue_count];
        int64_t *values_u = content->values_u + used;
        bool is_good = gl_archive_issue_decode(bytes, values_u, issue);

        for (uint32_t k = 0; is_good && k < issue->count; k++)
            is_good = is_possible(values_u[k], key->meaning);
        if (!is_good) {
            content->damaged++;
            continue;
        }
        used += issue->count;
        content->issue_count++;
        issue->known_s = note_known(loaded, issue->known_s);
        note_span(loaded, issue->start_s);
    }
}

static void decode_actuals(const struct gl_archive_key *key, struct loaded *loaded)
{
    const size_t count = loaded->records.count;
    struct gl_archive_content *content = &loaded->content;

    content->actuals = gl_alloc(count * sizeof *content->actuals);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = loaded->records.first + i * GL_ARCHIVE_ACTUAL_BYTES;
        struct gl_archive_actual *actual = &content->actuals[content->actual_count];

        if (!gl_archive_actual_decode(bytes, actual) ||
            !is_possible(actual->value_u, key->meaning)) {
            content->damaged++;
            continue;
        }
        content->actual_count++;
        actual->known_s = note_known(loaded, actual->known_s);
        note_span(loaded, actual->hour_s);
    }
}

static int load(const struct gl_archive_key *key, enum gl_archive_kind kind, size_t most,
                struct loaded *out, struct gl_error *err)
{
    *out = (struct loaded){0};
    if (gl_archive_load(key, kind, most, &out->records, err))
        return -1;
    if (kind == GL_ARCHIVE_ISSUES)
        decode_issues(key, out);
    else
        decode_actuals(key, out);
    return 0;
}

/* ---- what is new ---- */

/* Does an issue say nothing that the stored one did not: no other figure, no further hour? */
static bool says_nothing_new(const struct gl_archive_issue *stored,
                             const struct gl_archive_issue *issue)
{
    if (stored->issued_s != issue->issued_s)
        return false;
    for (uint32_t i = 0; i < issue->count; i++) {
        int64_t at = (issue->start_s - stored->start_s) / HOUR_S + (int64_t)i;

        if (issue->value_u[i] == GL_UNKNOWN)
            continue;
        if (at < 0 || at >= (int64_t)stored->count || stored->value_u[at] != issue->value_u[i])
            return false;
    }
    return true;
}

/* The newest issue is compared; where the source names its issues also those before it, since its
 * servers may say an older one again. */
static bool is_stored_issue(const struct gl_archive_content *content,
                            const struct gl_archive_issue *issue)
{
    size_t look = issue->issued_s == GL_UNKNOWN ? 1 : SAME_ISSUE_LOOK;

    for (size_t i = content->issue_count; i > 0 && look > 0; i--, look--)
        if (says_nothing_new(&content->issues[i - 1], issue))
            return true;
    return false;
}

/* For a stable order: hour, then as stored. */
static int compare_actuals(const void *left, const void *right)
{
    const struct gl_archive_actual *const *a = left, *const *b = right;

    if ((*a)->hour_s != (*b)->hour_s)
        return (*a)->hour_s < (*b)->hour_s ? -1 : 1;
    return *a < *b ? -1 : *a > *b;
}

/* Pointers to the actuals by hour; fresh. */
static const struct gl_archive_actual **by_hour(const struct gl_archive_actual *actuals,
                                                size_t count)
{
    const struct gl_archive_actual **sorted = gl_alloc(count * sizeof *sorted);

    for (size_t i = 0; i < count; i++)
        sorted[i] = &actuals[i];
    if (count > 1)
        qsort(sorted, count, sizeof *sorted, compare_actuals);
    return sorted;
}

/* The last word stored on an hour, NULL for none. */
static const struct gl_archive_actual *last_word(const struct gl_archive_actual *const *sorted,
                                                 size_t count, int64_t hour_s)
{
    size_t low = 0, high = count;

    while (low < high) { /* the first entry after hour_s */
        size_t middle = low + (high - low) / 2;

        if (sorted[middle]->hour_s <= hour_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && sorted[low - 1]->hour_s == hour_s ? sorted[low - 1] : NULL;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void add_new_actuals(const struct loaded *loaded, const struct gl_archive_batch *batch,
                            struct gl_str *out, struct gl_archive_kept *kept)
{
    const struct gl_archive_actual **sorted =
        by_hour(loaded->content.actuals, loaded->content.actual_count);

    for (size_t i = 0; i < batch->actual_count; i++) {
        struct gl_archive_actual actual = batch->actuals[i];
        const struct gl_archive_actual *last =
            last_word(sorted, loaded->content.actual_count, actual.hour_s);
        uint8_t bytes[GL_ARCHIVE_ACTUAL_BYTES];

        if (last != NULL && last->value_u == actual.value_u && last->evidence == actual.evidence)
            continue;
        actual.known_s = later(actual.received_s, loaded->known_s);
        gl_archive_actual_encode(&actual, bytes);
        gl_str_add_bytes(out, bytes, sizeof bytes);
        kept->hours += last == NULL;
        kept->revisions += last != NULL;
    }
    free(sorted);
}

static void add_new_issue(const struct loaded *loaded, const struct gl_archive_batch *batch,
                          struct gl_str *out, struct gl_archive_kept *kept)
{
    struct gl_archive_issue issue = *batch->issue;
    uint8_t bytes[GL_ARCHIVE_ISSUE_BYTES];

    if (issue.count > GL_ARCHIVE_MAX_HOURS)
        issue.count = GL_ARCHIVE_MAX_HOURS;
    if (issue.count == 0 || is_stored_issue(&loaded->content, &issue))
        return;
    issue.known_s = later(issue.received_s, loaded->known_s);
    gl_archive_issue_encode(&issue, bytes);
    gl_str_add_bytes(out, bytes, sizeof bytes);
    kept->issues = 1;
}

/* ---- retention ---- */

static int64_t oldest_kept(enum gl_archive_kind kind, const struct gl_archive_limits *limits,
                           int64_t newest_s)
{
    int64_t days = kind == GL_ARCHIVE_ISSUES ? limits->issue_days : limits->actual_days;

    if (days <= 0)
        days = kind == GL_ARCHIVE_ISSUES ? ISSUE_DAYS : ACTUAL_DAYS;
    return newest_s - days * DAY_S;
}

/* Old records go, a sixteenth of the time at once, so that not every answer rewrites the file. Age
 * is counted from the newest hour that the source spoke of: our own clock may be wrong. A file at
 * its ceiling loses its older half. */
static int64_t cut_off(const struct loaded *loaded, enum gl_archive_kind kind,
                       const struct gl_archive_limits *limits)
{
    int64_t keep_s = oldest_kept(kind, limits, loaded->newest_s);
    int64_t slack_s = (loaded->newest_s - keep_s) / 16;
    size_t bytes = (loaded->records.before + loaded->records.count) * gl_archive_record_bytes(kind);

    if ((int64_t)bytes >= GL_ARCHIVE_FILE_BYTES)
        return loaded->oldest_s + (loaded->newest_s - loaded->oldest_s) / 2;
    return loaded->oldest_s < keep_s - slack_s ? keep_s : GL_UNKNOWN;
}

static void keep_since(const struct loaded *loaded, enum gl_archive_kind kind, int64_t since_s,
                       struct gl_str *out)
{
    uint8_t bytes[GL_ARCHIVE_ISSUE_BYTES];

    for (size_t i = 0; i < loaded->content.issue_count; i++)
        if (loaded->content.issues[i].start_s >= since_s) {
            gl_archive_issue_encode(&loaded->content.issues[i], bytes);
            gl_str_add_bytes(out, bytes, gl_archive_record_bytes(kind));
        }
    for (size_t i = 0; i < loaded->content.actual_count; i++)
        if (loaded->content.actuals[i].hour_s >= since_s) {
            gl_archive_actual_encode(&loaded->content.actuals[i], bytes);
            gl_str_add_bytes(out, bytes, gl_archive_record_bytes(kind));
        }
}

/* ---- writing ---- */

/* A file whose header is not ours keeps its bytes under another name. */
static int move_aside(const struct gl_archive_key *key, enum gl_archive_kind kind,
                      struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_archive_path(key, kind);
    GL_AUTO(gl_str_done) struct gl_str aside = {0};

    gl_str_addf(&aside, "%s.damaged", path);
    if (rename(path, gl_str_text(&aside)) != 0)
        return gl_fail(err, GL_E_IO, "%s cannot be read and not be moved aside", path);
    return 0;
}

static int check_ceiling(const struct gl_archive_key *key, size_t more,
                         const struct gl_archive_limits *limits, struct gl_error *err)
{
    int64_t most = limits->max_bytes > 0 ? limits->max_bytes : FOLDER_BYTES;

    if (gl_archive_folder_bytes(key->folder) + (int64_t)more <= most)
        return 0;
    return gl_fail(err, GL_E_TOO_LARGE, "%s holds its %d MiB: remove what you do not need",
                   key->folder, (int)(most >> 20));
}

/* Are the newest records enough to tell what is new? Issues: always. Actuals: when they hold the
 * hours of the batch, or hours shortly before one that is newer than all of them. */
static bool is_enough(const struct loaded *loaded, const struct gl_archive_batch *batch)
{
    bool is_enough = true;
    const struct gl_archive_actual **sorted;

    if (loaded->records.before == 0 || batch->actual_count == 0 ||
        loaded->content.actual_count == 0)
        return loaded->records.before == 0 || batch->actual_count == 0;
    sorted = by_hour(loaded->content.actuals, loaded->content.actual_count);
    for (size_t i = 0; i < batch->actual_count && is_enough; i++) {
        int64_t hour_s = batch->actuals[i].hour_s;

        is_enough = last_word(sorted, loaded->content.actual_count, hour_s) != NULL ||
                    (hour_s > loaded->newest_s && hour_s <= loaded->newest_s + NEXT_S);
    }
    free(sorted);
    return is_enough;
}

static int load_whole(const struct gl_archive_key *key, enum gl_archive_kind kind,
                      struct loaded *loaded, struct gl_error *err)
{
    if (loaded->records.before == 0)
        return 0;
    loaded_done(loaded);
    return load(key, kind, SIZE_MAX, loaded, err);
}

/* Rewrite the file: what is kept of it, and what is new. */
static int compact(const struct gl_archive_key *key, enum gl_archive_kind kind, int64_t since_s,
                   struct loaded *loaded, const struct gl_str *fresh, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str all = {.ceiling = (size_t)GL_ARCHIVE_FILE_BYTES * 2};

    if (load_whole(key, kind, loaded, err))
        return -1;
    keep_since(loaded, kind, since_s, &all);
    gl_str_add_bytes(&all, fresh->text, fresh->length);
    return gl_archive_replace(key, kind, &all, err);
}

/* What is going on with one file. */
struct keeping {
    const struct gl_archive_key *key;
    const struct gl_archive_batch *batch;
    const struct gl_archive_limits *limits;
    struct gl_archive_kept kept;
};

static int keep_kind(struct keeping *keeping, enum gl_archive_kind kind, struct gl_error *err)
{
    const struct gl_archive_key *key = keeping->key;
    size_t tail = kind == GL_ARCHIVE_ISSUES ? SAME_ISSUE_LOOK : TAIL_ACTUALS;
    GL_AUTO(gl_str_done) struct gl_str fresh = {0};
    GL_AUTO(loaded_done) struct loaded loaded;
    int64_t since_s;

    if (load(key, kind, tail, &loaded, err) ||
        (kind == GL_ARCHIVE_ACTUALS && !is_enough(&loaded, keeping->batch) &&
         load_whole(key, kind, &loaded, err)) ||
        (loaded.records.is_foreign && move_aside(key, kind, err)))
        return -1;
    if (kind == GL_ARCHIVE_ISSUES)
        add_new_issue(&loaded, keeping->batch, &fresh, &keeping->kept);
    else
        add_new_actuals(&loaded, keeping->batch, &fresh, &keeping->kept);
    if (fresh.length == 0)
        return 0;
    since_s = cut_off(&loaded, kind, keeping->limits);
    if (since_s != GL_UNKNOWN)
        return compact(key, kind, since_s, &loaded, &fresh, err);
    if (check_ceiling(key, fresh.length + GL_ARCHIVE_HEADER, keeping->limits, err))
        return -1;
    return gl_archive_append(key, kind, &fresh, err);
}

int gl_archive_keep(const struct gl_archive_key *key, const struct gl_archive_batch *batch,
                    const struct gl_archive_limits *limits, struct gl_archive_kept *out_kept,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *lock_path = gl_path_join(key->folder, LOCK_NAME);
    GL_AUTO(gl_auto_close) int lock = -1;
    static const struct gl_archive_limits usual = {0};
    struct keeping keeping = {key, batch, limits != NULL ? limits : &usual, {0}};

    if (gl_dir_make(key->folder, err))
        return gl_wrap(err, "the signal archive");
    lock = gl_file_lock(lock_path, LOCK_WAIT_MS, err);
    if (lock < 0 || (batch->actual_count > 0 && keep_kind(&keeping, GL_ARCHIVE_ACTUALS, err)) ||
        (batch->issue != NULL && keep_kind(&keeping, GL_ARCHIVE_ISSUES, err)))
        return gl_wrap(err, "the signal archive");
    if (out_kept != NULL)
        *out_kept = keeping.kept;
    return 0;
}

/* ---- reading ---- */

/* Drop what was not known yet. Stored order is the order of knowing. */
static void keep_known(struct gl_archive_content *content, int64_t known_at_s)
{
    if (known_at_s == GL_UNKNOWN)
        return;
    while (content->issue_count > 0 &&
           content->issues[content->issue_count - 1].known_s > known_at_s)
        content->issue_count--;
    while (content->actual_count > 0 &&
           content->actuals[content->actual_count - 1].known_s > known_at_s)
        content->actual_count--;
}

static void sort_actuals(struct gl_archive_content *content)
{
    const struct gl_archive_actual **sorted = by_hour(content->actuals, content->actual_count);
    struct gl_archive_actual *copy = gl_alloc(content->actual_count * sizeof *copy);

    for (size_t i = 0; i < content->actual_count; i++)
        copy[i] = *sorted[i];
    free(content->actuals);
    free(sorted);
    content->actuals = copy;
}

int gl_archive_read(const struct gl_archive_key *key, int64_t known_at_s,
                    struct gl_archive_content *out, struct gl_error *err)
{
    GL_AUTO(loaded_done) struct loaded issues = {0};
    GL_AUTO(loaded_done) struct loaded actuals = {0};

    if (load(key, GL_ARCHIVE_ISSUES, SIZE_MAX, &issues, err) ||
        load(key, GL_ARCHIVE_ACTUALS, SIZE_MAX, &actuals, err))
        return -1;
    *out = issues.content;
    out->actuals = actuals.content.actuals;
    out->actual_count = actuals.content.actual_count;
    out->damaged += actuals.content.damaged;
    free(actuals.content.values_u);
    free(issues.content.actuals);
    free(actuals.content.issues);
    issues.content = (struct gl_archive_content){0};
    actuals.content = (struct gl_archive_content){0};
    keep_known(out, known_at_s);
    sort_actuals(out);
    return 0;
}
