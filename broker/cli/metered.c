/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/metered.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/account.h"
#include "broker/cli/act.h"
#include "broker/cli/misnamed.h"
#include "broker/evidence.h"
#include "broker/finish.h"
#include "broker/host.h"
#include "broker/meterlog.h"
#include "broker/plausible.h"
#include "broker/receipt.h"

#define READINGS_MAX_BYTES ((size_t)64 << 20) /* what comes later is a gap, and charged as one */
#define PIECE_BYTES        ((size_t)64 << 10)
#define RUN_MAX_BYTES      ((size_t)4 << 20)
#define RUN_ENDING         ".run"
#define LATER_BYTES        160 /* of the file, kept free for what becomes known later */
/* From its beginning until it must have said which process it is, and one batch to the next. */
#define UNSAID_MS 120000
#define LOOK_MS   5000

/* ---- what is written down ---- */

static int make_paths(const char *folder, struct gl_metered *metered, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *tokens = gl_path_join(folder, "tokens");
    GL_AUTO(gl_auto_free) char *readings = gl_path_join(folder, "meter");
    struct gl_str run = {0};

    gl_str_addf(&run, "%s/%s" RUN_ENDING, readings, metered->launch);
    metered->token_path = gl_path_join(tokens, metered->launch);
    metered->readings_path = gl_path_join(readings, metered->launch);
    metered->run_path = gl_str_take(&run);
    return gl_dir_make(tokens, err) != 0 || gl_dir_make(readings, err) != 0 ? -1 : 0;
}

static json_t *intent_json(const struct gl_context *context, const char *const *command,
                           const char *zone, const struct gl_metered *metered)
{
    char boot[GL_BOOT_ID];
    struct gl_host host;

    gl_host_read(&context->world, &host);
    gl_host_boot_id(boot);
    return json_pack("{s:o,s:s?,s:b,s:I,s:I,s:s?,s:I,s:s}", "command", gl_words_json(command),
                     "zone", zone, "demo", context->is_demo, "vcpus", (json_int_t)host.vcpus,
                     "memory_mib", (json_int_t)host.memory_mib, "family", host.family, "started_ms",
                     (json_int_t)metered->started_ms, "boot", boot);
}

/* Nobody else closes it while we hold it: the file itself is the lock. LOCKED, NOT_FOUND: another
 * has it, or has closed it. */
static int hold_run(struct gl_metered *metered, struct gl_error *err)
{
    struct stat about;

    metered->run_fd = open(metered->run_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (metered->run_fd < 0)
        return gl_fail_sys(err, errno == ENOENT ? GL_E_NOT_FOUND : GL_E_IO, errno, "cannot open %s",
                           metered->run_path);
    if (flock(metered->run_fd, LOCK_EX | LOCK_NB) != 0)
        return gl_fail(err, GL_E_LOCKED, "%s is held by another process", metered->run_path);
    if (fstat(metered->run_fd, &about) != 0 || about.st_nlink == 0)
        return gl_fail(err, GL_E_NOT_FOUND, "%s is gone", metered->run_path);
    return 0;
}

static int write_run(struct gl_metered *metered, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = gl_json_canonical(metered->intent, err);
    GL_AUTO(gl_str_done) struct gl_str whole = {0};

    if (text == NULL)
        return -1;
    gl_str_addf(&whole, "%s\n%*s\n", text, LATER_BYTES - 1, "");
    metered->later_at = (int64_t)strlen(text) + 1;
    if (gl_file_write(metered->run_path, gl_str_text(&whole), whole.length, 0600, err) != 0)
        return -1;
    /* Who looks for what was left behind may hold it for a moment, and leaves what is young. */
    metered->run_fd = gl_file_lock(metered->run_path, LOOK_MS, err);
    return metered->run_fd >= 0 ? 0 : -1;
}

int gl_metered_begin(struct gl_context *context, const char *const *command, const char *zone,
                     struct gl_metered *out, struct gl_error *err)
{
    const char *folder = gl_context_state(context, err);
    uint8_t random[36];
    char hex[9];

    *out = (struct gl_metered){.run_fd = -1, .status = -1};
    if (folder == NULL || gl_context_ledger(context, err) == NULL)
        return -1;
    context->world.random(context->world.cookie, random, sizeof random);
    gl_hex_text(random, 32, out->token_hex);
    snprintf(out->launch, sizeof out->launch, "meter-%s", gl_hex_text(random + 32, 4, hex));
    out->started_ms = context->world.now_ms(context->world.cookie);
    out->intent = intent_json(context, command, zone, out);
    if (json_integer_value(json_object_get(out->intent, "vcpus")) == 0) {
        out->is_recorded = true; /* there is nothing to record */
        return gl_fail(err, GL_E_IO, "cannot read how many processors this machine has");
    }
    if (make_paths(folder, out, err) == 0 && write_run(out, err) == 0 &&
        gl_file_write(out->token_path, out->token_hex, GL_HASH_HEX - 1, 0600, err) == 0)
        return 0;
    out->is_recorded = true;
    return -1;
}

void gl_metered_note(struct gl_metered *metered)
{
    char later[LATER_BYTES + 1];
    int length = snprintf(
        later, sizeof later,
        "{\"pid\":%d,\"start_ticks\":%" PRIu64 ",\"ended_ms\":%" PRId64 ",\"status\":%d}",
        metered->meter.pid, metered->meter.start_ticks, metered->ended_ms, metered->status);

    if (length < 0 || length >= LATER_BYTES)
        return;
    memset(later + length, ' ', LATER_BYTES - 1 - (size_t)length);
    later[LATER_BYTES - 1] = '\n';
    /* Where even that does not go, the readings tell when it ended. */
    ssize_t ignored = pwrite(metered->run_fd, later, LATER_BYTES, (off_t)metered->later_at);
    (void)ignored;
    fdatasync(metered->run_fd);
}

void gl_metered_done(struct gl_metered *metered)
{
    if (metered->is_recorded && metered->token_path != NULL)
        unlink(metered->token_path);
    if (metered->is_recorded && metered->readings_path != NULL)
        unlink(metered->readings_path);
    if (metered->is_recorded && metered->run_path != NULL)
        unlink(metered->run_path);
    if (metered->run_fd >= 0)
        close(metered->run_fd);
    json_decref(metered->intent);
    free(metered->token_path);
    free(metered->readings_path);
    free(metered->run_path);
}

/* ---- the receipt ---- */

static int feed_readings(int fd, const char *path, struct gl_meterlog *log, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *piece = gl_alloc(PIECE_BYTES);
    ssize_t got = 1;

    for (size_t taken = 0; got > 0 && taken < READINGS_MAX_BYTES; taken += (size_t)got) {
        do
            got = read(fd, piece, PIECE_BYTES);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read %s", path);
        gl_meterlog_feed(log, piece, (size_t)got);
    }
    return 0;
}

/* A meter that wrote nothing leaves a log without readings: all of the run is a gap. */
static int read_log(const struct gl_metered *metered, struct gl_meterlog *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_close) int fd = open(metered->readings_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t token[32];

    if (gl_hex_parse(metered->token_hex, token, sizeof token, err) != 0)
        return -1;
    if (fd < 0 && errno != ENOENT)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", metered->readings_path);
    gl_meterlog_init(out, metered->launch, token, sizeof token);
    if (fd < 0 || feed_readings(fd, metered->readings_path, out, err) == 0)
        return 0;
    gl_meterlog_done(out);
    return -1;
}

static const char *zone_of(const struct gl_metered *metered)
{
    return json_string_value(json_object_get(metered->intent, "zone"));
}

static int64_t number_of(const struct gl_metered *metered, const char *key)
{
    return json_integer_value(json_object_get(metered->intent, key));
}

static int series_of(struct gl_context *context, const struct gl_metered *metered, json_t **out,
                     struct gl_error *err)
{
    struct gl_signal_query query = {.from = {metered->started_ms / 1000},
                                    .until = {metered->ended_ms / 1000 + 1}};
    const struct gl_zone_facts *facts;
    struct gl_signal_store *store;

    if (zone_of(metered) == NULL) {
        *out = json_array();
        return 0;
    }
    snprintf(query.zone, sizeof query.zone, "%s", zone_of(metered));
    store = gl_context_signals(context, err);
    if (store == NULL)
        return -1;
    facts = gl_signal_store_zone(store, &query);
    *out =
        gl_evidence_past(&facts, 1, query.from, query.until,
                         (struct gl_instant){context->world.now_ms(context->world.cookie) / 1000});
    gl_signal_store_free(store);
    if (json_array_size(*out) == 0)
        gl_warn_of_zone(context, zone_of(metered));
    return 0;
}

static json_t *instance_json(const struct gl_metered *metered)
{
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:i,s:i}", "cloud", GL_METHOD_HOST, "region", "this machine",
        "type", "host", "zone", zone_of(metered) != NULL ? zone_of(metered) : "unknown", "how",
        "command on the host", "started_ms", (json_int_t)metered->started_ms, "ended_ms",
        (json_int_t)metered->ended_ms, "exit_status", metered->status, "host_cpu_ms", -1);
}

static json_t *meter_json(const struct gl_metered *metered, const struct gl_meterlog *log)
{
    return json_pack("{s:s,s:i,s:O?,s:O,s:I,s:I,s:I,s:I}", "token", metered->token_hex,
                     "interval_ms", GL_METERED_INTERVAL_MS, "enrolment", log->enrolment, "batches",
                     log->batches, "rejected", (json_int_t)log->rejected, "repeated",
                     (json_int_t)log->repeated, "forked", (json_int_t)log->forked, "orphaned",
                     (json_int_t)log->orphaned);
}

static json_t *evidence_of(const struct gl_metered *metered, const struct gl_meterlog *log,
                           json_t *series)
{
    uint32_t vcpus = (uint32_t)number_of(metered, "vcpus");
    const char *family = json_string_value(json_object_get(metered->intent, "family"));

    return json_pack("{s:i,s:s,s:s,s:b,s:I,s:o,s:o,s:o,s:o,s:n,s:i,s:s,s:o,s:o}", "method_version",
                     GL_METHOD_VERSION, "launch", metered->launch, "name", "", "demo",
                     json_is_true(json_object_get(metered->intent, "demo")), "issued_ms",
                     (json_int_t)metered->ended_ms, "request",
                     json_pack("{s:O}", "command", json_object_get(metered->intent, "command")),
                     "instance", instance_json(metered), "meter", meter_json(metered, log),
                     "series", series, "guarantee", "pue_milli", 1000, "pue_source",
                     "no facility: this machine", "embodied", gl_act_embodied(vcpus, vcpus),
                     "machine",
                     gl_act_machine(family, vcpus, (uint32_t)number_of(metered, "memory_mib")));
}

/* Nobody wrote down when it ended: the meter's goodbye says so, else silence is charged until now,
 * or, since the command may have run until this machine went down, until it came up again. */
static void find_end(const struct gl_context *context, const struct gl_meterlog *log,
                     struct gl_metered *metered)
{
    const char *boot = json_string_value(json_object_get(metered->intent, "boot"));
    int64_t now = context->world.now_ms(context->world.cookie);
    struct gl_run_facts facts = {.started_ms = metered->started_ms,
                                 .ended_ms = now,
                                 .interval_ms = GL_METERED_INTERVAL_MS,
                                 .readings = log->readings,
                                 .count = log->count};
    char boot_now[GL_BOOT_ID];

    if (metered->ended_ms > 0)
        return;
    gl_host_boot_id(boot_now);
    metered->ended_ms = boot == NULL || strcmp(boot, boot_now) == 0
                            ? now
                            : now - context->world.monotonic_ms(context->world.cookie);
    if (log->count > 0 && (log->is_final || gl_readings_until_ms(&facts) > metered->ended_ms))
        metered->ended_ms = gl_readings_until_ms(&facts);
    if (metered->ended_ms < metered->started_ms)
        metered->ended_ms = metered->started_ms;
}

static int make_receipt(struct gl_context *context, struct gl_metered *metered, char **out,
                        struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *evidence = NULL;
    struct gl_secret_key secret;
    struct gl_public_key key;
    struct gl_meterlog log;
    json_t *series;

    if (read_log(metered, &log, err) != 0)
        return -1;
    find_end(context, &log, metered);
    if (series_of(context, metered, &series, err) == 0)
        evidence = evidence_of(metered, &log, series);
    gl_meterlog_done(&log);
    if (evidence == NULL)
        return err->code != GL_OK ? -1 : gl_fail(err, GL_E_INTERNAL, "no evidence");
    if (gl_broker_key(context->state_folder, &context->world, &secret, &key, err) != 0)
        return -1;
    *out = gl_receipt_make(evidence, &secret, &key, err);
    gl_secret_key_wipe(&secret);
    return *out != NULL ? 0 : -1;
}

/* A crash may have come between the receipt and the ledger: then that file is the receipt, and no
 * second one is signed. NULL when there is none. */
static char *kept_receipt(struct gl_context *context, struct gl_metered *metered, const char *path)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_receipt_check check = {0};
    struct gl_error ignored = {0};
    struct gl_secret_key secret;
    struct gl_public_key key;
    const json_t *instance;
    char *kept = NULL;
    size_t length;

    if (!gl_file_exists(path) ||
        gl_file_read(path, GL_RECEIPT_MAX_BYTES, &text, &length, &ignored) != 0 ||
        gl_broker_key(context->state_folder, &context->world, &secret, &key, &ignored) != 0)
        return NULL;
    gl_secret_key_wipe(&secret);
    if (gl_receipt_verify(text, length, &key, &check, &ignored) != 0)
        return NULL;
    if (strcmp(check.launch, metered->launch) == 0) {
        instance = json_object_get(json_object_get(check.receipt, "evidence"), "instance");
        metered->ended_ms = json_integer_value(json_object_get(instance, "ended_ms"));
        metered->status = (int)json_integer_value(json_object_get(instance, "exit_status"));
        kept = gl_strdup(text);
    }
    gl_receipt_check_done(&check);
    return kept;
}

static int note_metered(void *cookie, const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "kind"));

    *(bool *)cookie |= kind != NULL && strcmp(kind, "metered") == 0;
    return 0;
}

/* Does the ledger have it already? Then only the files are left. */
static int look_in_ledger(struct gl_context *context, struct gl_metered *metered,
                          struct gl_error *err)
{
    struct gl_ledger *ledger = gl_context_ledger(context, err);

    if (ledger == NULL)
        return -1;
    return gl_ledger_events(ledger, metered->launch, &metered->is_recorded, note_metered, err);
}

/* The hash of its receipt is chained like that of any other launch. */
static int record(struct gl_context *context, struct gl_metered *metered, const char *receipt,
                  struct gl_error *err)
{
    struct gl_ledger *ledger = gl_context_ledger(context, err);
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    if (ledger == NULL)
        return -1;
    gl_hash_of(receipt, strlen(receipt), &hash);
    body = json_pack("{s:s,s:s?,s:I,s:I,s:i}", "receipt_sha256", gl_hash_hex(&hash, hex), "zone",
                     zone_of(metered), "started_ms", (json_int_t)metered->started_ms, "ended_ms",
                     (json_int_t)metered->ended_ms, "exit_status", metered->status);
    if (gl_ledger_append(ledger, "metered", metered->launch, body, NULL, err) != 0)
        return -1;
    metered->is_recorded = true;
    return 0;
}

int gl_metered_close(struct gl_context *context, struct gl_metered *metered, char **out_receipt,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(context->state_folder, "receipts");
    GL_AUTO(gl_auto_free) char *path = gl_receipt_path(context->state_folder, metered->launch);
    GL_AUTO(gl_auto_free) char *receipt = kept_receipt(context, metered, path);

    if (receipt == NULL &&
        (make_receipt(context, metered, &receipt, err) != 0 || gl_dir_make(folder, err) != 0 ||
         gl_file_write(path, receipt, strlen(receipt), 0644, err) != 0))
        return gl_wrap(err,
                       "the receipt cannot be kept; the readings stay in %s, and greenlaunch "
                       "status makes it of them when this is mended",
                       metered->readings_path);
    if (record(context, metered, receipt, err) != 0)
        return gl_wrap(err, "the receipt is kept in %s, but not recorded", path);
    *out_receipt = receipt;
    receipt = NULL;
    return 0;
}

/* ---- what earlier runs left ---- */

static int64_t later_number(const json_t *later, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(later, key);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

/* What became known later may be missing, or cut. */
static void take_later(const char *text, struct gl_metered *metered)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json) json_t *later = gl_json_parse(text, strlen(text), "later", &ignored);
    int64_t pid = later_number(later, "pid", 0), status = later_number(later, "status", -1);

    metered->meter.pid = pid > 0 && pid <= INT32_MAX ? (int)pid : 0;
    metered->meter.start_ticks = (uint64_t)later_number(later, "start_ticks", 0);
    metered->ended_ms = later_number(later, "ended_ms", 0);
    metered->status = status >= 0 && status <= 255 ? (int)status : -1;
}

static int check_intent(const struct gl_metered *metered, struct gl_error *err)
{
    json_t *command;
    int64_t number;

    if (gl_json_array(metered->intent, "command", &command, err) != 0 ||
        gl_json_int(metered->intent, "vcpus", 1, 1 << 20, &number, err) != 0 ||
        gl_json_int(metered->intent, "memory_mib", 0, INT32_MAX, &number, err) != 0)
        return -1;
    return gl_json_int(metered->intent, "started_ms", 0, INT64_MAX, &number, err);
}

/* With the run held. */
static int read_run(struct gl_metered *metered, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length, intent_length;

    if (gl_file_read(metered->run_path, RUN_MAX_BYTES, &text, &length, err) != 0)
        return -1;
    intent_length = strcspn(text, "\n");
    metered->intent = gl_json_parse(text, intent_length, metered->run_path, err);
    if (metered->intent == NULL || check_intent(metered, err) != 0)
        return -1;
    metered->started_ms = number_of(metered, "started_ms");
    metered->later_at = (int64_t)intent_length + 1;
    take_later(intent_length < length ? text + intent_length + 1 : "", metered);
    return 0;
}

/* Without its token no reading can be verified: all of the time is then silence, and charged as
 * such. *out_is_lost tells. */
static int read_token(struct gl_metered *metered, bool *out_is_lost, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *token = NULL;
    struct gl_error ignored = {0};
    struct gl_hash parsed;
    size_t length = 0;

    if (gl_file_exists(metered->token_path) &&
        gl_file_read(metered->token_path, GL_HASH_HEX, &token, &length, err) != 0)
        return -1;
    *out_is_lost =
        token == NULL || gl_hex_parse(token, parsed.bytes, sizeof parsed.bytes, &ignored) != 0;
    if (*out_is_lost)
        memset(metered->token_hex, '0', GL_HASH_HEX - 1);
    else
        memcpy(metered->token_hex, token, GL_HASH_HEX);
    return 0;
}

/* What nobody can read stays as evidence, under a name that is not looked at again. */
static int set_aside(struct gl_metered *metered, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str aside = {0};

    gl_str_addf(&aside, "%s.unreadable", metered->run_path);
    if (rename(metered->run_path, gl_str_text(&aside)) != 0)
        return gl_wrap(err, "what is known of it cannot be read from %s", metered->run_path);
    return gl_wrap(err, "what was known of it cannot be read, and is kept as %s",
                   gl_str_text(&aside));
}

/* Its command may run on when the one who began it was killed. */
static bool is_running(const struct gl_context *context, const struct gl_metered *metered)
{
    int64_t now = context->world.now_ms(context->world.cookie);
    struct stat about;

    if (metered->ended_ms > 0)
        return false;
    if (metered->meter.pid > 0)
        return gl_process_is_alive(&metered->meter);
    if (stat(metered->readings_path, &about) != 0 && fstat(metered->run_fd, &about) != 0)
        return false;
    return now - (int64_t)about.st_mtim.tv_sec * 1000 < UNSAID_MS;
}

/* Killed before the meter was there: nothing ran. */
static bool has_begun(const struct gl_metered *metered)
{
    return metered->meter.pid > 0 || metered->ended_ms > 0 ||
           gl_file_exists(metered->readings_path);
}

static int settle(struct gl_context *context, struct gl_metered *metered, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_receipt_path(context->state_folder, metered->launch);
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    bool is_lost;

    if (look_in_ledger(context, metered, err) != 0)
        return -1;
    if (metered->is_recorded)
        return 0;
    if (read_run(metered, err) != 0)
        return err->code == GL_E_IO ? gl_wrap(err, "what is known of it") : set_aside(metered, err);
    if (is_running(context, metered))
        return 0;
    if (!has_begun(metered)) {
        metered->is_recorded = true;
        return 0;
    }
    if (read_token(metered, &is_lost, err) != 0 ||
        gl_metered_close(context, metered, &receipt, err) != 0)
        return -1;
    if (is_lost)
        gl_warn(context, "GL9002",
                "%s: its token is lost, so that no reading of it can be verified: all of its time "
                "is charged at the high bound",
                metered->launch);
    gl_say(context, "%s had no receipt yet; it is written: %s", metered->launch, path);
    return 0;
}

/* `name` is that of a run file. */
static void settle_named(struct gl_context *context, const char *name)
{
    GL_AUTO(gl_metered_done) struct gl_metered metered = {.run_fd = -1, .status = -1};
    size_t length = strlen(name) - strlen(RUN_ENDING);
    struct gl_error err = {0};

    snprintf(metered.launch, sizeof metered.launch, "%.*s", (int)length, name);
    if (make_paths(context->state_folder, &metered, &err) == 0 && hold_run(&metered, &err) == 0 &&
        settle(context, &metered, &err) == 0)
        return;
    if (err.code == GL_E_LOCKED || err.code == GL_E_NOT_FOUND)
        return;
    char code[16];
    snprintf(code, sizeof code, "GL%d", (int)err.code);
    gl_warn(context, code, "%s has no receipt yet: %s", metered.launch, err.text);
}

static bool is_run_name(const char *name)
{
    size_t length = strlen(name), ending = strlen(RUN_ENDING);

    return length > ending && length - ending < sizeof((struct gl_metered *)0)->launch &&
           strncmp(name, "meter-", 6) == 0 && strcmp(name + length - ending, RUN_ENDING) == 0;
}

void gl_metered_settle(struct gl_context *context)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(context->state_folder, "meter");
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (is_run_name(entry->d_name))
            settle_named(context, entry->d_name);
    if (dir != NULL)
        closedir(dir);
}
