/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/readings.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/finish.h"
#include "broker/notice.h"
#include "broker/output.h"
#include "broker/place.h"

#define CONSOLE_STEP ((size_t)4 << 20)
#define CONSOLE_MAX  ((uint64_t)256 << 20) /* a guest may write faster than we read */
#define KEPT_MAX     (2 * GL_METERLOG_BYTES_MAX)
#define TOKEN_BYTES  32
#define SLACK_MS     60000
#define LOCK_MS      5000

static const char no_token[] = "the enrolment token of this launch is gone: no reading could be "
                               "checked, all of it is charged at the high bound";
static const char no_console[] = "the console of this machine could not be read to its end: what "
                                 "no reading covers is charged at the high bound";
static const char no_readings[] =
    "no readings came back: all of it is charged at the model's high bound";

/* ---- the token ---- */

/* The one-time token. Where its file is gone, or is none, *out_note says so and *out is one that no
 * meter knows: then nothing on the console can be believed. Other errors may pass. */
static int read_enrol_token(const struct gl_launcher *launcher, const char *launch,
                            uint8_t out[TOKEN_BYTES], const char **out_note, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_enrol_token_path(launcher->state_folder, launch);
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_error why = {0};
    size_t length;

    if (gl_file_read(path, 256, &text, &length, &why) != 0) {
        if (why.sys != ENOENT)
            return gl_fail(err, why.code, "the enrolment token of %s: %s", launch, why.text);
    } else {
        int parsed = gl_hex_parse(text, out, TOKEN_BYTES, &why);

        gl_wipe(text, length);
        if (parsed == 0)
            return 0;
    }
    *out_note = no_token;
    launcher->world->random(launcher->world->cookie, out, TOKEN_BYTES);
    return 0;
}

int gl_collect_nothing(struct gl_launcher *launcher, const struct gl_launch_row *row,
                       struct gl_collected *out, struct gl_error *err)
{
    struct gl_collected empty = {.note = NULL};
    uint8_t token[TOKEN_BYTES];

    if (read_enrol_token(launcher, row->launch, token, &empty.note, err) != 0)
        return -1;
    gl_meterlog_init(&empty.log, row->launch, token, sizeof token);
    gl_guest_said_init(&empty.said, row->launch);
    gl_wipe(token, sizeof token);
    *out = empty;
    return 0;
}

void gl_collected_done(struct gl_collected *collected)
{
    gl_meterlog_done(&collected->log);
    gl_guest_said_done(&collected->said);
}

/* ---- what was kept of a rented machine ---- */

static char *kept_path(const struct gl_launcher *launcher, const char *launch)
{
    struct gl_str path = {0};

    gl_str_addf(&path, "%s/readings/%s", launcher->state_folder, launch);
    return gl_str_take(&path);
}

/* Two who add to them at once must not lose what the other has seen. -1: LOCKED, IO. */
static int lock_kept(const struct gl_launcher *launcher, const char *launch, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(launcher->state_folder, "locks");
    GL_AUTO(gl_str_done) struct gl_str path = {0};

    if (gl_dir_make(folder, err) != 0)
        return -1;
    gl_str_addf(&path, "%s/%s.readings", folder, launch);
    return gl_file_lock(gl_str_text(&path), LOCK_MS, err);
}

static void feed(struct gl_collected *collected, const char *bytes, size_t length)
{
    gl_meterlog_feed(&collected->log, bytes, length);
    gl_guest_said_feed(&collected->said, bytes, length);
}

static void add_json_line(struct gl_str *out, const char *mark, const json_t *json)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_free) char *text = gl_json_canonical(json, &ignored);

    if (text != NULL)
        gl_str_addf(out, "%s %s\n", mark, text);
}

/* The signed lines, and how it ended. Where they cannot be kept, the console still shows them; who
 * pushes must hear of it and say them again. */
static int keep(const struct gl_launcher *launcher, const struct gl_collected *collected,
                struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = kept_path(launcher, collected->log.launch);
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(launcher->state_folder, "readings");
    GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = KEPT_MAX};
    const json_t *batch;
    size_t i;

    if (collected->log.enrolment != NULL)
        add_json_line(&text, "GLE1", collected->log.enrolment);
    json_array_foreach(collected->log.batches, i, batch) add_json_line(&text, "GLM1", batch);
    if (collected->said.has_exit)
        gl_str_addf(&text, "GLX1 {\"exit\":%d,\"launch\":\"%s\"}\n", collected->said.exit_status,
                    collected->log.launch);
    if (collected->said.is_tail_pushed)
        gl_guest_tail_line(&collected->said, &text);
    if (collected->said.identity_kind[0] != '\0')
        gl_str_addf(&text, "GLI1 {\"document\":\"%s\",\"kind\":\"%s\"}\n",
                    gl_str_text(&collected->said.identity), collected->said.identity_kind);
    if (collected->said.notice[0] != '\0')
        gl_str_addf(&text, "GLN1 {\"kind\":\"%s\",\"launch\":\"%s\"}\n", collected->said.notice,
                    collected->log.launch);
    if (text.length == 0)
        return 0;
    return gl_dir_make(folder, err) != 0 ||
                   gl_file_write(path, text.text, text.length, 0600, err) != 0
               ? -1
               : 0;
}

/* ---- both ---- */

static int read_console(struct gl_cloud *cloud, const char *id, struct gl_str *out,
                        struct gl_error *err)
{
    uint64_t offset = 0, next = 0;

    for (;;) {
        GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = CONSOLE_STEP};

        if (cloud->ops->console(cloud, id, offset, &text, &next, err) != 0)
            return -1;
        gl_str_add_bytes(out, gl_str_text(&text), text.length);
        if (next <= offset || next > CONSOLE_MAX)
            return 0;
        offset = next;
    }
}

static int feed_console(struct gl_cloud *cloud, const char *id, struct gl_collected *out,
                        struct gl_error *err)
{
    uint64_t offset = 0, next = 0;

    for (;;) {
        GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = CONSOLE_STEP};

        if (cloud->ops->console(cloud, id, offset, &text, &next, err) != 0)
            return -1;
        if (next <= offset || next > CONSOLE_MAX)
            return 0;
        feed(out, gl_str_text(&text), text.length);
        offset = next;
    }
}

/* Will another look show more? Past the lease nobody waits for it. */
static bool may_show_later(const struct gl_launcher *launcher, const struct gl_launch_row *row,
                           const struct gl_error *why)
{
    const struct gl_world *world = launcher->world;

    return gl_errc_row(why->code)->is_retryable &&
           world->now_ms(world->cookie) < row->expires_ms + SLACK_MS;
}

/* What only the kept lines still say. */
static void take_kept_words(const struct gl_guest_said *kept, struct gl_guest_said *out)
{
    if (kept->has_exit && !out->has_exit) {
        out->has_exit = true;
        out->exit_status = kept->exit_status;
    }
    gl_guest_tail_take(out, kept);
    if (out->notice[0] == '\0')
        memcpy(out->notice, kept->notice, sizeof out->notice);
    if (kept->identity_kind[0] != '\0' && out->identity_kind[0] == '\0') {
        memcpy(out->identity_kind, kept->identity_kind, sizeof out->identity_kind);
        gl_str_clear(&out->identity);
        gl_str_add(&out->identity, gl_str_text(&kept->identity));
    }
}

/* What was kept, if anything was, as *out_text, to be freed. */
static int read_kept(const struct gl_launcher *launcher, const char *launch, char **out_text,
                     size_t *out_length, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = kept_path(launcher, launch);
    struct gl_error why = {0};

    if (gl_file_read(path, KEPT_MAX, out_text, out_length, &why) == 0 || why.sys == ENOENT)
        return 0;
    return gl_fail(err, why.code, "the kept readings of %s: %s", launch, why.text);
}

static int collect_kept(struct gl_launcher *launcher, const struct gl_launch_row *row,
                        const struct gl_str *console, struct gl_collected *out,
                        struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_collected whole;
    struct gl_guest_said kept;
    size_t length = 0;

    if (read_kept(launcher, row->launch, &text, &length, err) != 0)
        return -1;
    if (text == NULL)
        return 0;
    if (gl_collect_nothing(launcher, row, &whole, err) != 0)
        return -1;
    feed(&whole, text, length);
    feed(&whole, gl_str_text(console), console->length);
    if (whole.log.count > out->log.count) {
        struct gl_collected less = *out;

        whole.note = less.note; /* that the console could not be read holds all the same */
        *out = whole;
        whole = less;
    }
    gl_guest_said_init(&kept, row->launch);
    gl_guest_said_feed(&kept, text, length);
    take_kept_words(&kept, &out->said);
    gl_guest_said_done(&kept);
    gl_collected_done(&whole);
    return 0;
}

/* Where the lock cannot be had nothing is kept this time: the console, and who pushes, say all of
 * it again. */
static int collect_and_keep(struct gl_launcher *launcher, const struct gl_launch_row *row,
                            const struct gl_str *console, struct gl_collected *out,
                            struct gl_error *err)
{
    struct gl_error ignored = {0};
    int lock = lock_kept(launcher, row->launch, &ignored);
    int got = collect_kept(launcher, row, console, out, err);

    if (got == 0 && lock >= 0)
        keep(launcher, out, &ignored);
    if (lock >= 0)
        close(lock);
    return got;
}

/* The console alone, where it shows everything; else what was kept and the console after it: what
 * is known already is dropped there by its number. */
static int collect_rented(struct gl_launcher *launcher, const struct gl_launch_row *row,
                          struct gl_cloud *cloud, struct gl_collected *out, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str console = {.ceiling = (size_t)CONSOLE_MAX};
    struct gl_error why = {0};

    if (cloud != NULL && read_console(cloud, row->instance, &console, &why) != 0) {
        if (may_show_later(launcher, row, &why))
            return gl_fail(err, why.code, "%s", why.text);
        out->note = no_console;
    }
    feed(out, gl_str_text(&console), console.length);
    if (collect_and_keep(launcher, row, &console, out, err) != 0)
        return -1;
    if (out->log.count == 0 && out->note == NULL)
        out->note = no_readings;
    return 0;
}

/* Is it a machine of somebody else's? Told by the cloud, or by what was kept, readable or not. */
static bool is_rented(const struct gl_launcher *launcher, const struct gl_launch_row *row,
                      const struct gl_cloud *cloud)
{
    GL_AUTO(gl_auto_free) char *path = kept_path(launcher, row->launch);

    return cloud != NULL ? (cloud->ops->caps & GL_CLOUD_REMOTE) != 0
                         : access(path, F_OK) == 0 || errno != ENOENT;
}

/* What its machine says of an early end and of its place is written down by whoever sees it first.
 */
static void note_words(struct gl_launcher *launcher, const struct gl_launch_row *row,
                       struct gl_cloud *cloud, const struct gl_guest_said *said)
{
    if (said->notice[0] != '\0')
        gl_notice_record(launcher, row, said->notice);
    if (cloud != NULL)
        gl_place_prove(launcher, row, cloud, said);
}

int gl_collect(struct gl_launcher *launcher, const struct gl_launch_row *row,
               struct gl_cloud *cloud, struct gl_collected *out, struct gl_error *err)
{
    struct gl_collected collected;
    int result = 0;

    if (gl_collect_nothing(launcher, row, &collected, err) != 0)
        return -1;
    if (is_rented(launcher, row, cloud))
        result = collect_rented(launcher, row, cloud, &collected, err);
    else if (cloud != NULL)
        result = feed_console(cloud, row->instance, &collected, err);
    if (result != 0) {
        gl_collected_done(&collected);
        return -1;
    }
    if (is_rented(launcher, row, cloud))
        note_words(launcher, row, cloud, &collected.said);
    *out = collected;
    return 0;
}

int gl_launch_readings(struct gl_launcher *launcher, const struct gl_launch_row *row,
                       struct gl_cloud *cloud, struct gl_meterlog *out, struct gl_error *err)
{
    struct gl_collected collected;

    if ((cloud == NULL ? gl_collect_nothing(launcher, row, &collected, err)
                       : gl_collect(launcher, row, cloud, &collected, err)) != 0)
        return -1;
    gl_guest_said_done(&collected.said);
    *out = collected.log;
    return 0;
}

/* ---- what was pushed ---- */

/* Of a launch that is not over: the receipt of one that is has what was known then. */
static int find_open(struct gl_launcher *launcher, const char *launch, struct gl_launch_rows *out,
                     struct gl_error *err)
{
    if (gl_ledger_launches(launcher->ledger, launch, out, err) != 0)
        return -1;
    if (out->count == 1 && strcmp(out->rows[0].launch, launch) == 0 &&
        !gl_launch_row_is_over(&out->rows[0]) && strcmp(out->rows[0].cloud, "local") != 0)
        return 0;
    return gl_fail(err, GL_E_NOT_FOUND, "no such launch is open");
}

static int add_pushed(struct gl_launcher *launcher, const struct gl_launch_row *row,
                      struct gl_view pushed, size_t *out_new, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_collected known;
    size_t length = 0, before;
    bool has_word;
    int result = 0;

    if (read_kept(launcher, row->launch, &text, &length, err) != 0 ||
        gl_collect_nothing(launcher, row, &known, err) != 0)
        return -1;
    if (text != NULL)
        feed(&known, text, length);
    before = known.log.count;
    known.log.repeated = 0;
    gl_meterlog_feed(&known.log, pushed.text, pushed.length);
    gl_meterlog_feed(&known.log, "\n", 1);
    has_word = known.log.has_key &&
               gl_guest_said_pushed(&known.said, pushed.text, pushed.length, &known.log.key);
    if (has_word || known.log.count > before)
        result = keep(launcher, &known, err);
    else if (known.log.repeated == 0)
        result = gl_fail(err, GL_E_NOT_VERIFIED, "this launch has signed no reading of it");
    if (result == 0)
        *out_new = known.log.count - before;
    gl_collected_done(&known);
    return result;
}

int gl_collect_pushed(struct gl_launcher *launcher, const char *launch, const char *bytes,
                      size_t length, size_t *out_new, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows before = {0}, rows = {0};
    int lock, result;

    if (find_open(launcher, launch, &before, err) != 0)
        return -1;
    lock = lock_kept(launcher, launch, err);
    if (lock < 0)
        return -1;
    result = find_open(launcher, launch, &rows, err); /* it may have ended while we waited */
    if (result == 0)
        result = add_pushed(launcher, &rows.rows[0], (struct gl_view){bytes, length}, out_new, err);
    close(lock);
    return result;
}

/* ---- when it is over ---- */

/* The tail of a push that came after the end was written down is in no other place. */
static int save_tail(struct gl_launcher *launcher, const char *launch, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_guest_said kept;
    size_t length = 0;
    int result;

    if (read_kept(launcher, launch, &text, &length, err) != 0)
        return -1;
    gl_guest_said_init(&kept, launch);
    if (text != NULL)
        gl_guest_said_feed(&kept, text, length);
    result = gl_output_keep(launcher, &kept, err);
    gl_guest_said_done(&kept);
    return result;
}

void gl_readings_drop(struct gl_launcher *launcher, const char *launch)
{
    GL_AUTO(gl_auto_free) char *path = kept_path(launcher, launch);
    struct gl_error ignored = {0};
    int lock;

    if (!gl_file_exists(path))
        return;
    lock = lock_kept(launcher, launch, &ignored);
    if (lock >= 0 && save_tail(launcher, launch, &ignored) == 0)
        unlink(path);
    if (lock >= 0)
        close(lock);
}

void gl_readings_sweep(struct gl_launcher *launcher, const struct gl_launch_rows *rows)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(launcher->state_folder, "readings");
    DIR *entries = opendir(folder);
    const struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL)
        for (size_t i = 0; i < rows->count; i++)
            if (strcmp(rows->rows[i].launch, entry->d_name) == 0 &&
                gl_launch_row_is_over(&rows->rows[i]) && rows->rows[i].receipt[0] != '\0')
                gl_readings_drop(launcher, entry->d_name);
    if (entries != NULL)
        closedir(entries);
}
