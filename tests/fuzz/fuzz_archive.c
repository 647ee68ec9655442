/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/signal/adapter.h"
#include "providers/signal/archive.h"
#include "providers/signal/archive_part.h"
#include "providers/signal/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The archive on any bytes. The first byte chooses: a header; a file of records as the bytes are;
 * records with the right checksum but any content. Whatever the file, reading gives possible
 * figures in order, a history that fits them, and the next writer adds exactly its own record. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define FOLDER  "build/fuzz/archive"
#define NOW     INT64_C(1768046400)
#define HOUR    INT64_C(3600)
#define MAX_U   INT64_C(3000000000)
#define RECORDS 64

static const struct gl_meaning meaning = {
    .quantity = GL_INTENSITY, .boundary = GL_DIRECT, .gases = GL_CO2, .factor_set = "NESO"};

static void must(bool is_true)
{
    if (!is_true)
        abort();
}

static void check_history(const struct gl_archive_content *content)
{
    const struct gl_archive_entry entry = {.meaning = meaning};
    struct gl_history *history =
        gl_history_of_content(&entry, content, (struct gl_instant){2 * NOW});

    must(history->actuals.count <= GL_HISTORY_MAX_HOURS);
    must(history->actual_count <= history->actuals.count);
    must(history->issues.count == content->issue_count);
    must((history->newest_actual_s == GL_UNKNOWN) == (content->actual_count == 0));
    for (size_t i = 1; i < history->issues.count; i++)
        must(history->issues.issue[i].received_s >= history->issues.issue[i - 1].received_s);
    gl_history_free(history);
}

static void check_content(const struct gl_archive_content *content)
{
    for (size_t i = 0; i < content->actual_count; i++) {
        const struct gl_archive_actual *actual = &content->actuals[i];

        must(actual->value_u >= 0 && actual->value_u <= MAX_U && actual->hour_s % HOUR == 0);
        must(actual->known_s >= actual->received_s && actual->known_s > actual->hour_s);
        must(i == 0 || actual->hour_s >= content->actuals[i - 1].hour_s);
    }
    for (size_t i = 0; i < content->issue_count; i++) {
        const struct gl_archive_issue *issue = &content->issues[i];

        must(issue->count > 0 && issue->count <= GL_ARCHIVE_MAX_HOURS);
        for (uint32_t k = 0; k < issue->count; k++)
            must(issue->value_u[k] == GL_UNKNOWN ||
                 (issue->value_u[k] >= 0 && issue->value_u[k] <= MAX_U));
    }
    check_history(content);
}

static struct gl_archive_content read_checked(const struct gl_archive_key *key)
{
    struct gl_archive_content content;
    struct gl_error err = {0};

    must(gl_archive_read(key, GL_UNKNOWN, &content, &err) == 0);
    check_content(&content);
    return content;
}

/* One more hour, of a time that the file may hold already: read back as it was given. */
static void write_one(const struct gl_archive_key *key)
{
    const struct gl_archive_actual one = {.hour_s = NOW - 2 * HOUR,
                                          .value_u = 123,
                                          .received_s = NOW,
                                          .updated_s = GL_UNKNOWN,
                                          .evidence = GL_MEASURED};
    const struct gl_archive_batch batch = {.actuals = &one, .actual_count = 1};
    struct gl_archive_content content;
    struct gl_error err = {0};
    bool is_there = false;

    must(gl_archive_keep(key, &batch, NULL, NULL, &err) == 0);
    content = read_checked(key);
    for (size_t i = 0; i < content.actual_count; i++)
        is_there = is_there ||
                   (content.actuals[i].hour_s == one.hour_s && content.actuals[i].value_u == 123);
    must(is_there);
    gl_archive_content_done(&content);
}

/* Not by gl_archive_replace(), which waits for the disk. */
static void write_file(const struct gl_archive_key *key, const char *path,
                       const struct gl_str *records)
{
    char header[GL_ARCHIVE_HEADER];
    struct gl_error err = {0};
    FILE *file = fopen(path, "wb");

    must(file != NULL && gl_archive_header_write(key, header, &err) == 0);
    must(fwrite(header, 1, sizeof header, file) == sizeof header);
    must(fwrite(records->text, 1, records->length, file) == records->length);
    must(fclose(file) == 0);
}

static void run_file(const char *folder, enum gl_archive_kind kind, const struct gl_str *records)
{
    const struct gl_archive_key key = {.folder = folder,
                                       .provider = "neso",
                                       .dataset = "national",
                                       .zone = "GB",
                                       .meaning = &meaning,
                                       .licence = "",
                                       .attribution = ""};
    GL_AUTO(gl_auto_free) char *issues = gl_archive_path(&key, GL_ARCHIVE_ISSUES);
    GL_AUTO(gl_auto_free) char *actuals = gl_archive_path(&key, GL_ARCHIVE_ACTUALS);
    struct gl_archive_content content;
    struct gl_error err = {0};

    unlink(issues);
    unlink(actuals);
    must(gl_dir_make(folder, &err) == 0);
    write_file(&key, kind == GL_ARCHIVE_ISSUES ? issues : actuals, records);
    content = read_checked(&key);
    must(content.issue_count + content.actual_count + content.damaged ==
         records->length / gl_archive_record_bytes(kind));
    gl_archive_content_done(&content);
    write_one(&key);
}

/* Records whose fields are the input and whose checksum is right. */
static void add_forged(enum gl_archive_kind kind, const uint8_t *bytes, size_t size,
                       struct gl_str *out)
{
    uint8_t record[GL_ARCHIVE_ISSUE_BYTES];
    int64_t field[8], values_u[GL_ARCHIVE_MAX_HOURS];

    for (size_t n = 0; n < RECORDS && size >= sizeof field; n++) {
        memcpy(field, bytes, sizeof field);
        bytes += sizeof field;
        size -= sizeof field;
        for (size_t i = 0; i < GL_ARCHIVE_MAX_HOURS; i++)
            values_u[i] = field[i % 8];
        if (kind == GL_ARCHIVE_ISSUES)
            gl_archive_issue_encode(
                &(struct gl_archive_issue){.issued_s = field[0],
                                           .received_s = field[1],
                                           .known_s = field[2],
                                           .start_s = field[3],
                                           .count = (uint32_t)((uint64_t)field[4] % 120),
                                           .value_u = values_u},
                record);
        else
            gl_archive_actual_encode(
                &(struct gl_archive_actual){.hour_s = field[0],
                                            .received_s = field[1],
                                            .known_s = field[2],
                                            .updated_s = field[3],
                                            .value_u = field[4],
                                            .evidence = (enum gl_evidence)(field[5] & 15),
                                            .is_backfilled = (field[6] & 1) != 0},
                record);
        gl_str_add_bytes(out, record, gl_archive_record_bytes(kind));
    }
}

static void run_header(const uint8_t *bytes, size_t size)
{
    char header[GL_ARCHIVE_HEADER];
    struct gl_archive_entry entry;

    memset(header, ' ', sizeof header);
    memcpy(header, bytes, size < sizeof header - 1 ? size : sizeof header - 1);
    header[sizeof header - 1] = '\n';
    if (gl_archive_header_read(header, &entry)) {
        must(memchr(entry.zone, '\0', sizeof entry.zone) != NULL);
        must(entry.meaning.quantity < GL_QUANTITIES);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    GL_AUTO(gl_str_done) struct gl_str records = {0};
    enum gl_archive_kind kind;

    if (size == 0)
        return 0;
    kind = (bytes[0] & 1) != 0 ? GL_ARCHIVE_ACTUALS : GL_ARCHIVE_ISSUES;
    if (bytes[0] % 3 == 0) {
        run_header(bytes + 1, size - 1);
        return 0;
    }
    if (bytes[0] % 3 == 1)
        gl_str_add_bytes(&records, bytes + 1, size - 1);
    else
        add_forged(kind, bytes + 1, size - 1, &records);
    if (records.length > 0)
        run_file(FOLDER, kind, &records);
    return 0;
}
