/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/act.h"
#include "broker/cli/doctor.h"
#include "broker/cli/misnamed.h"
#include "broker/cli/sources.h"
#include "broker/render/text.h"
#include "providers/cloud/local_host.h"
#include "providers/data/data.h"

#define CLOCK_EARLIEST    INT64_C(1767225600) /* 2026-01-01: no release is older */
#define CLOCK_YEARS       5                   /* later than the data by more is no clock */
#define CLOCK_TOLERANCE_S 120
#define DISK_LOW          ((uint64_t)1 << 30)
#define DISK_NONE         ((uint64_t)64 << 20)
#define TEXT_MAX          512
#define INDENT            14

static const char *const state_words[] = {"ok", "warn", "fail"};

static void count(struct gl_exam *exam, const struct gl_finding *finding)
{
    struct gl_str *failing = &exam->context->reply.failing;

    exam->warnings += finding->state == GL_EXAM_WARN;
    if (finding->state != GL_EXAM_FAIL)
        return;
    exam->failures++;
    if (exam->status == GL_EXIT_OK)
        exam->status = finding->exit;
    gl_str_addf(failing, "%s%s%s%s", failing->length > 0 ? ", " : "",
                exam->subject != NULL ? exam->subject : "", exam->subject != NULL ? " " : "",
                finding->name);
}

void gl_exam_note(struct gl_exam *exam, const struct gl_finding *finding, const char *format, ...)
{
    static const enum gl_tone tones[] = {GL_TONE_GOOD, GL_TONE_DOUBT, GL_TONE_BAD};
    struct gl_str *out = &exam->context->reply.text;
    GL_AUTO(gl_str_done) struct gl_str safe = {0};
    GL_AUTO(gl_str_done) struct gl_str fix = {0};
    bool has_fix = finding->state != GL_EXAM_OK && finding->fix != NULL;
    char text[TEXT_MAX];
    json_t *row;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gl_str_add_printable(&safe, text, strlen(text));
    if (has_fix)
        gl_str_add_printable(&fix, finding->fix, strlen(finding->fix));
    gl_render_tone(out, state_words[finding->state], tones[finding->state],
                   exam->context->is_color);
    gl_str_addf(out, "%*s%-8s ", (int)(5 - strlen(state_words[finding->state])), "", finding->name);
    gl_render_hang(gl_str_text(&safe), INDENT, exam->context->columns, out);
    if (has_fix) {
        gl_str_addf(out, "%*sfix: ", INDENT, "");
        gl_render_hang(gl_str_text(&fix), INDENT + 5, exam->context->columns, out);
    }
    row =
        json_pack("{s:s,s:s,s:s,s:s?}", "name", finding->name, "state", state_words[finding->state],
                  "text", gl_str_text(&safe), "fix", has_fix ? gl_str_text(&fix) : NULL);
    if (exam->kind != NULL)
        json_object_set_new(row, exam->kind, json_string(exam->subject));
    json_array_append_new(exam->rows, row);
    count(exam, finding);
}

/* ---- what is built in ---- */

static int newest_year(void)
{
    const struct gl_zone_row *zones;
    size_t count = gl_data_zones(&zones);
    int newest = 0;

    for (size_t i = 0; i < count; i++)
        newest = zones[i].year > newest ? zones[i].year : newest;
    return newest;
}

static void check_data(struct gl_exam *exam)
{
    const struct gl_zone_row *zones;
    const struct gl_region_row *regions;
    const struct gl_type_row *types;
    int newest = newest_year(), year, month, day, hour, minute, second;
    struct gl_finding finding = {"data", GL_EXAM_OK, GL_EXIT_INTERNAL,
                                 "install a newer greenlaunch"};

    gl_instant_civil(gl_now(&exam->context->world), &year, &month, &day, &hour, &minute, &second);
    if (year - newest > 2)
        finding.state = GL_EXAM_WARN;
    gl_exam_note(exam, &finding,
                 "%zu grid zones with yearly averages up to %d, %zu cloud regions, %zu types",
                 gl_data_zones(&zones), newest, gl_data_regions(&regions), gl_data_types(&types));
}

static void check_clock(struct gl_exam *exam)
{
    struct gl_instant now = gl_now(&exam->context->world);
    struct gl_instant latest = gl_instant_of_civil(newest_year() + 1 + CLOCK_YEARS, 1, 1, 0, 0, 0);
    struct gl_finding finding = {"clock", GL_EXAM_OK, GL_EXIT_INTERNAL, "timedatectl set-ntp true"};
    char text[GL_INSTANT_TEXT];

    gl_instant_text(now, text);
    if (now.unix_s < CLOCK_EARLIEST || now.unix_s > latest.unix_s) {
        finding.state = GL_EXAM_FAIL;
        gl_exam_note(exam, &finding,
                     "says %s, which cannot be: evidence would be judged too old or in the "
                     "future",
                     text);
        return;
    }
    gl_exam_note(exam, &finding, "%s", text);
}

/* ---- files ---- */

/* A path as a word of a shell command. */
static void add_word(struct gl_str *out, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+:@%,=";

    if (path[0] != '\0' && path[0] != '-' && path[strspn(path, plain)] == '\0') {
        gl_str_add(out, path);
        return;
    }
    gl_str_add_char(out, '\'');
    for (; *path != '\0'; path++)
        gl_str_add(out, *path == '\'' ? "'\\''" : (const char[]){*path, '\0'});
    gl_str_add_char(out, '\'');
}

static void check_policies(struct gl_exam *exam)
{
    const struct gl_config *config = &exam->context->config;

    for (size_t i = 0; config->policies[i] != NULL; i++) {
        GL_AUTO(gl_auto_free) struct gl_diagnostics *diagnostics = gl_alloc(sizeof *diagnostics);
        GL_AUTO(gl_str_done) struct gl_str fix = {0};
        struct gl_error err = {0};
        struct gl_policy *policy =
            gl_policy_read(config->policies[i], config->waivers, diagnostics, &err);
        struct gl_finding finding = {"policy", GL_EXAM_OK, GL_EXIT_USAGE, NULL};

        if (policy != NULL) {
            gl_exam_note(exam, &finding, "%s: %zu rule%s", config->policies[i], policy->rule_count,
                         policy->rule_count == 1 ? "" : "s");
            gl_policy_free(policy);
            continue;
        }
        gl_str_add(&fix, "mend what this shows: greenlaunch policy check ");
        add_word(&fix, config->policies[i]);
        finding.state = GL_EXAM_FAIL;
        finding.fix = gl_str_text(&fix);
        if (strstr(err.text, config->policies[i]) != NULL)
            gl_exam_note(exam, &finding, "%s", err.text);
        else
            gl_exam_note(exam, &finding, "%s: %s", config->policies[i], err.text);
    }
}

/* A name of their own is fine; one that is nearly that of a known zone is a slip. */
static void check_zone(struct gl_exam *exam)
{
    const struct gl_config *config = &exam->context->config;
    const char *nearest = gl_data_zone(config->zone) == NULL ? gl_nearest_zone(config->zone) : NULL;
    GL_AUTO(gl_str_done) struct gl_str fix = {0};
    struct gl_finding finding = {"config", nearest != NULL ? GL_EXAM_WARN : GL_EXAM_OK, 0, NULL};

    gl_str_addf(&fix, "greenlaunch init --zone %s --force", nearest != NULL ? nearest : "");
    finding.fix = gl_str_text(&fix);
    gl_exam_note(exam, &finding, "%s, zone %s%s%s%s", config->path, config->zone,
                 nearest != NULL ? ", of which no table knows; " : "",
                 nearest != NULL ? nearest : "", nearest != NULL ? " is near" : "");
}

static void check_config(struct gl_exam *exam)
{
    struct gl_context *context = exam->context;
    struct gl_error err = {0};
    const struct gl_finding bad = {"config", GL_EXAM_FAIL, GL_EXIT_USAGE,
                                   "mend the file, or write a new one: greenlaunch init --force"};
    const struct gl_finding none = {"config", GL_EXAM_WARN, 0, "greenlaunch init"};
    const struct gl_finding no_zone = {"config", GL_EXAM_WARN, 0, "greenlaunch init --force"};

    if (gl_config_read(context->globals.config, &context->world, &context->config, &err) != 0) {
        gl_exam_note(exam, &bad, "%s%s%s", err.pos.file, err.pos.file[0] != '\0' ? ": " : "",
                     err.text);
        return;
    }
    if (context->config.path == NULL)
        gl_exam_note(exam, &none,
                     "there is none: nobody has said in which grid zone this machine stands");
    else if (context->config.zone == NULL)
        gl_exam_note(exam, &no_zone,
                     "%s says no zone: instances on this machine are judged unknown",
                     context->config.path);
    else
        check_zone(exam);
    check_policies(exam);
}

/* Can a file be written there? */
static int try_write(const char *folder, struct gl_error *err)
{
    GL_AUTO(gl_auto_close) int fd = gl_local_temporary(folder, err);

    return fd >= 0 ? gl_fd_write(fd, "greenlaunch\n", 12, err) : -1;
}

/* What makes the folder writable: its mode or its owner where that is what stands in the way. */
static void add_state_fix(const char *folder, const struct gl_error *err, struct gl_str *out)
{
    struct stat info;
    bool is_there = folder != NULL && stat(folder, &info) == 0;

    if (is_there && err->sys == EACCES && info.st_uid == geteuid()) {
        gl_str_add(out, "chmod u+rwx ");
        add_word(out, folder);
    } else if (is_there && err->sys == EACCES) {
        gl_str_add(out, "sudo chown -R $USER ");
        add_word(out, folder);
    } else if (err->code == GL_E_DISK_FULL) {
        gl_str_add(out, "free some space");
    } else {
        gl_str_add(out, "name a folder that you can write: --state DIR, or XDG_STATE_HOME");
        return;
    }
    gl_str_add(out, ", or --state DIR elsewhere");
}

static void check_disk(struct gl_exam *exam)
{
    struct gl_finding finding = {"disk", GL_EXAM_OK, GL_EXIT_INTERNAL,
                                 "free some space, or --state DIR on another disk"};
    struct statvfs disk;
    uint64_t free_bytes;

    if (statvfs(exam->state_folder, &disk) != 0)
        return;
    free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (free_bytes < DISK_LOW)
        finding.state = free_bytes < DISK_NONE ? GL_EXAM_FAIL : GL_EXAM_WARN;
    gl_exam_note(exam, &finding, "%.1f GB free for the ledger and local instances",
                 (double)free_bytes / 1e9);
}

/* Without a folder that can be written, ledger, key and local cloud are not looked at: whatever is
 * wrong with them is wrong with the folder. */
static void check_state(struct gl_exam *exam)
{
    struct gl_error err = {0};
    const char *folder = gl_context_state(exam->context, &err);
    GL_AUTO(gl_str_done) struct gl_str fix = {0};
    struct gl_finding finding = {"state", GL_EXAM_OK, GL_EXIT_INTERNAL, NULL};

    if (folder == NULL || try_write(folder, &err) != 0) {
        add_state_fix(folder, &err, &fix);
        finding.state = GL_EXAM_FAIL;
        finding.fix = gl_str_text(&fix);
        if (folder != NULL)
            gl_exam_note(exam, &finding,
                         "the state folder %s cannot be written (%s): no ledger, no launches",
                         folder, err.sys != 0 ? strerror(err.sys) : err.text);
        else
            gl_exam_note(exam, &finding, "%s: no ledger, no launches", err.text);
        return;
    }
    exam->state_folder = folder;
    gl_exam_note(exam, &finding, "%s", folder);
    check_disk(exam);
}

/* Nothing is written down before its time: then this clock is behind, or was ahead. */
static void check_order(struct gl_exam *exam, int64_t latest_ms)
{
    const struct gl_finding finding = {"clock", GL_EXAM_WARN, 0, "timedatectl set-ntp true"};
    struct gl_instant latest = {latest_ms / 1000};
    char text[GL_INSTANT_TEXT];

    if (latest.unix_s > gl_now(&exam->context->world).unix_s + CLOCK_TOLERANCE_S)
        gl_exam_note(exam, &finding,
                     "the newest entry of the ledger is of %s, later than now: the clock has gone "
                     "back, or was ahead then",
                     gl_instant_text(latest, text));
}

static void check_ledger(struct gl_exam *exam)
{
    struct gl_error err = {0};
    GL_AUTO(gl_auto_free) char *path = gl_path_join(exam->state_folder, "ledger.db");
    struct gl_finding finding = {"ledger", GL_EXAM_OK, 0,
                                 "keep it as evidence; see: greenlaunch ledger check"};
    struct gl_ledger_check found;
    struct gl_ledger *ledger;

    if (!gl_file_exists(path)) {
        gl_exam_note(exam, &finding, "none yet; the first launch begins it");
        return;
    }
    ledger = gl_context_ledger_to_look(exam->context, &err);
    if (ledger == NULL || gl_ledger_check(ledger, &found, &err) != 0) {
        finding.state = GL_EXAM_FAIL;
        finding.exit = (int)gl_errc_row(err.code)->exit;
        gl_exam_note(exam, &finding, "%s", err.text);
        return;
    }
    gl_exam_note(exam, &finding, "%" PRId64 " event%s, %" PRId64 " launch%s, chain intact",
                 found.events, found.events == 1 ? "" : "s", found.launches,
                 found.launches == 1 ? "" : "es");
    check_order(exam, found.latest_ms);
}

static void check_key(struct gl_exam *exam)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(exam->state_folder, "broker.key");
    GL_AUTO(gl_str_done) struct gl_str fix = {0};
    struct gl_finding finding = {"key", GL_EXAM_OK, GL_EXIT_INTERNAL, NULL};
    struct stat info;

    if (stat(path, &info) != 0) {
        gl_exam_note(exam, &finding, "the signing key is made with the first receipt");
        return;
    }
    if ((info.st_mode & 077) == 0 && info.st_uid == geteuid()) {
        gl_exam_note(exam, &finding, "signing key, readable by its owner only");
        return;
    }
    gl_str_add(&fix, info.st_uid == geteuid() ? "chmod 600 " : "sudo chown $USER ");
    add_word(&fix, path);
    finding.state = GL_EXAM_FAIL;
    finding.fix = gl_str_text(&fix);
    if (info.st_uid != geteuid())
        gl_exam_note(exam, &finding, "the signing key belongs to user %u, not to you",
                     (unsigned)info.st_uid);
    else
        gl_exam_note(exam, &finding,
                     "others can read the signing key (mode %03o): whoever has it can sign",
                     (unsigned)info.st_mode & 0777);
}

/* ---- signals ---- */

/* A zone of each keyless source. */
static const char *const probe_zones[] = {"GB", "DE", "DK-DK1"};

/* The reports of a store. */
struct reports {
    const struct gl_signal_report *items;
    size_t count;
};

static bool is_remote(const struct gl_signal_report *report)
{
    enum gl_errc code = report->error.code;

    return code == GL_E_NETWORK || code == GL_E_TIMEOUT || code == GL_E_PROVIDER ||
           code == GL_E_RATE_LIMIT || code == GL_E_NOT_FOUND;
}

static bool has_failed(const struct gl_signal_report *report)
{
    return !report->is_ok && report->error.code != GL_OK;
}

/* One trouble is told once: a file for all the zones it was asked for, the network for all the
 * sources that it keeps from us. */
static bool is_same_trouble(const struct gl_signal_report *a, const struct gl_signal_report *b)
{
    if (!has_failed(a) || !has_failed(b))
        return false;
    return is_remote(a) ? a->error.code == b->error.code
                        : strcmp(a->error.text, b->error.text) == 0;
}

static bool is_told(const struct reports *reports, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (is_same_trouble(&reports->items[j], &reports->items[i]))
            return true;
    return false;
}

/* "neso, energinet": the sources that share the trouble of reports[i], each once. */
static void add_sources(const struct reports *reports, size_t i, struct gl_str *out)
{
    for (size_t j = i; j < reports->count; j++) {
        bool is_new = is_same_trouble(&reports->items[i], &reports->items[j]);

        for (size_t k = i; k < j; k++)
            is_new = is_new && !(is_same_trouble(&reports->items[i], &reports->items[k]) &&
                                 strcmp(reports->items[k].source, reports->items[j].source) == 0);
        if (is_new)
            gl_str_addf(out, "%s%s", out->length > 0 ? ", " : "", reports->items[j].source);
    }
}

static void note_trouble(struct gl_exam *exam, const struct reports *reports, size_t i)
{
    const struct gl_signal_report *report = &reports->items[i];
    const char *config = exam->context->config.path;
    GL_AUTO(gl_str_done) struct gl_str sources = {0};
    GL_AUTO(gl_str_done) struct gl_str fix = {0};
    struct gl_finding finding = {"signal", GL_EXAM_WARN, 0,
                                 "check the connection; until then cached and yearly data are "
                                 "used"};

    if (is_remote(report)) {
        add_sources(reports, i, &sources);
        gl_exam_note(exam, &finding, "no answer from %s: %s", gl_str_text(&sources),
                     report->error.text);
        return;
    }
    if (strcmp(report->source, "file") == 0) {
        gl_str_add(&fix, "mend that file, or take it out of the sources in ");
        add_word(&fix, config != NULL ? config : "the configuration");
    } else if (report->error.code == GL_E_NO_CREDENTIAL) {
        gl_str_addf(&fix, "keys are given at %s; then: greenlaunch source check %s",
                    gl_signal_find(report->source)->homepage, report->source);
    } else {
        gl_str_addf(&fix, "%s", gl_errc_row(report->error.code)->hint);
    }
    finding.fix = gl_str_text(&fix);
    gl_exam_note(exam, &finding, "%s: %s", report->source, report->error.text);
}

static void note_source(struct gl_exam *exam, const struct reports *reports, size_t i)
{
    const struct gl_signal_report *report = &reports->items[i];
    const struct gl_finding good = {"signal", GL_EXAM_OK, 0, NULL};
    char age[GL_RENDER_NUMBER];

    if (strcmp(report->source, "builtin") == 0 ||
        (report->is_skipped && report->error.code == GL_OK))
        return;
    if (report->is_ok)
        gl_exam_note(exam, &good, "%s answers for %s%s%s", report->source, report->zone,
                     report->is_from_cache ? ", from the cache, age " : "",
                     report->is_from_cache ? gl_render_age(report->age_s, age) : "");
    else if (!is_told(reports, i))
        note_trouble(exam, reports, i);
}

static void ask_zone(struct gl_context *context, struct gl_signal_store *store, const char *zone)
{
    struct gl_instant now = gl_now(&context->world);
    struct gl_signal_query query = {
        .from = gl_instant_hour(now), .until = {now.unix_s + 3600}, .wants_claims = true};

    snprintf(query.zone, sizeof query.zone, "%.39s", zone);
    gl_signal_store_zone(store, &query);
}

static bool knows_a_probe(const struct gl_signal_config *source)
{
    for (size_t i = 0; i < sizeof probe_zones / sizeof probe_zones[0]; i++)
        if (source->zone != NULL ? strcmp(source->zone, probe_zones[i]) == 0
                                 : gl_signal_find(source->name)->covers(probe_zones[i]))
            return true;
    return false;
}

/* A source of the configuration that knows none of these zones is asked about one of its own. */
static void ask_sources(struct gl_context *context, struct gl_signal_store *store)
{
    const struct gl_config *config = &context->config;

    for (size_t i = 0; i < sizeof probe_zones / sizeof probe_zones[0]; i++)
        ask_zone(context, store, probe_zones[i]);
    for (size_t i = 0; config->has_sources && i < config->source_count; i++)
        if (!knows_a_probe(&config->sources[i]))
            ask_zone(context, store, gl_sources_zone(context, &config->sources[i], NULL));
}

static void note_offline(struct gl_exam *exam)
{
    const struct gl_config *config = &exam->context->config;
    const struct gl_finding offline = {"signal", GL_EXAM_OK, 0, NULL};
    size_t named = 0;

    for (size_t i = 0; config->has_sources && i < config->source_count; i++) {
        if (config->sources[i].path != NULL)
            continue;
        gl_exam_note(exam, &offline, "%s: not asked (--offline)", config->sources[i].name);
        named++;
    }
    if (named == 0)
        gl_exam_note(exam, &offline, "not asked (--offline)");
}

/* Offline the user's own files are read all the same. */
static void check_signals(struct gl_exam *exam)
{
    struct gl_context *context = exam->context;
    struct gl_error err = {0};
    struct gl_signal_store *store;
    struct reports reports;

    if (context->globals.is_offline)
        note_offline(exam);
    gl_progress_signals(context);
    store = gl_context_signals(context, &err);
    if (store != NULL)
        ask_sources(context, store);
    gl_progress_end(context);
    reports.items = store != NULL ? gl_signal_store_reports(store, &reports.count) : NULL;
    for (size_t i = 0; reports.items != NULL && i < reports.count; i++)
        if (!context->globals.is_offline || strcmp(reports.items[i].source, "file") == 0)
            note_source(exam, &reports, i);
    gl_signal_store_free(store);
}

/* ---- the command ---- */

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct gl_exam exam = {.context = context, .rows = json_array()};

    context->reply.data = json_pack("{s:o}", "checks", exam.rows);
    if (gl_help_operands(&gl_command_doctor, call, 0, 0, err) != 0)
        return -1;
    check_data(&exam);
    check_clock(&exam);
    check_config(&exam);
    check_state(&exam);
    if (exam.state_folder != NULL) {
        check_ledger(&exam);
        check_key(&exam);
    }
    gl_exam_watch(&exam);
    check_signals(&exam);
    gl_exam_clouds(&exam);
    gl_exam_clock(&exam);
    gl_exam_local(&exam);
    gl_render_count(&context->reply.text, exam.failures, "failure");
    gl_str_add(&context->reply.text, ", ");
    gl_render_count(&context->reply.text, exam.warnings, "warning");
    gl_str_add(&context->reply.text, ".\n");
    json_object_set_new(context->reply.data, "failures", json_integer((json_int_t)exam.failures));
    json_object_set_new(context->reply.data, "warnings", json_integer((json_int_t)exam.warnings));
    return gl_act_asked(exam.status, err);
}

const struct gl_command gl_command_doctor = {
    .name = "doctor",
    .group = "Set up",
    .summary = "what this machine can do, and the command that mends what it cannot",
    .operands = "",
    .description =
        "Looks at the built-in data, the clock, the configuration, the state folder, the ledger, "
        "the signing key, the grid signals (for at most two seconds, not with --offline), the "
        "clouds that were added (not with --offline) and the meter of their machines, and all "
        "that local instances need. Each line that is not ok is followed by what mends it. Ends "
        "with 0 unless something fails: 2 for the configuration, 4 for credentials, 5 for the "
        "local cloud, 9 for the ledger, 1 for the rest. More of a cloud says provider check, more "
        "of a signal source check.",
    .example = "$ greenlaunch doctor --offline\n"
               "ok   signal   not asked (--offline)",
    .run = run,
    .needs_no_config = true,
};
