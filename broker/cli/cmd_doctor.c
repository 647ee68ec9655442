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
#include "broker/cli/help.h"
#include "broker/render/text.h"
#include "providers/cloud/local.h"
#include "providers/cloud/local_kvm.h"
#include "providers/data/data.h"

#define CLOCK_EARLIEST INT64_C(1767225600) /* 2026-01-01: no release is older */
#define CLOCK_YEARS    5                   /* later than the data by more is no clock */
#define DISK_LOW       ((uint64_t)1 << 30)
#define DISK_NONE      ((uint64_t)64 << 20)
#define TEXT_MAX       512
#define INDENT         14

enum state { OK, WARN, FAIL };
static const char *const state_words[] = {"ok", "warn", "fail"};

/* The examination so far. */
struct exam {
    struct gl_context *context;
    json_t *rows;
    size_t warnings, failures;
    int status; /* of the first failure */
};

struct finding {
    const char *name;
    enum state state;
    int exit;        /* status when it fails */
    const char *fix; /* what mends it; NULL = nothing to mend */
};

static void note(struct exam *exam, const struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void note(struct exam *exam, const struct finding *finding, const char *format, ...)
{
    static const enum gl_tone tones[] = {GL_TONE_GOOD, GL_TONE_DOUBT, GL_TONE_BAD};
    struct gl_str *out = &exam->context->reply.text;
    GL_AUTO(gl_str_done) struct gl_str safe = {0};
    char text[TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gl_str_add_printable(&safe, text, strlen(text));
    gl_render_tone(out, state_words[finding->state], tones[finding->state],
                   exam->context->is_color);
    gl_str_addf(out, "%*s%-8s ", (int)(5 - strlen(state_words[finding->state])), "", finding->name);
    gl_render_hang(gl_str_text(&safe), INDENT, exam->context->columns, out);
    if (finding->state != OK && finding->fix != NULL) /* in one line, to be copied */
        gl_str_addf(out, "%*sfix: %s\n", INDENT, "", finding->fix);
    json_array_append_new(exam->rows,
                          json_pack("{s:s,s:s,s:s,s:s?}", "name", finding->name, "state",
                                    state_words[finding->state], "text", gl_str_text(&safe), "fix",
                                    finding->state != OK ? finding->fix : NULL));
    exam->warnings += finding->state == WARN;
    exam->failures += finding->state == FAIL;
    if (finding->state == FAIL && exam->status == GL_EXIT_OK)
        exam->status = finding->exit;
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

static void check_data(struct exam *exam)
{
    const struct gl_zone_row *zones;
    const struct gl_region_row *regions;
    const struct gl_type_row *types;
    int newest = newest_year(), year, month, day, hour, minute, second;
    struct finding finding = {"data", OK, GL_EXIT_INTERNAL, "install a newer greenlaunch"};

    gl_instant_civil(gl_now(&exam->context->world), &year, &month, &day, &hour, &minute, &second);
    if (year - newest > 2)
        finding.state = WARN;
    note(exam, &finding,
         "%zu grid zones with yearly averages up to %d, %zu cloud regions, %zu types",
         gl_data_zones(&zones), newest, gl_data_regions(&regions), gl_data_types(&types));
}

static void check_clock(struct exam *exam)
{
    struct gl_instant now = gl_now(&exam->context->world);
    struct gl_instant latest = gl_instant_of_civil(newest_year() + 1 + CLOCK_YEARS, 1, 1, 0, 0, 0);
    struct finding finding = {"clock", OK, GL_EXIT_INTERNAL, "timedatectl set-ntp true"};
    char text[GL_INSTANT_TEXT];

    gl_instant_text(now, text);
    if (now.unix_s < CLOCK_EARLIEST || now.unix_s > latest.unix_s) {
        finding.state = FAIL;
        note(exam, &finding,
             "says %s, which cannot be: evidence would be judged too old or in the "
             "future",
             text);
        return;
    }
    note(exam, &finding, "%s", text);
}

/* ---- files ---- */

static void check_policies(struct exam *exam)
{
    const struct gl_config *config = &exam->context->config;

    for (size_t i = 0; config->policies[i] != NULL; i++) {
        GL_AUTO(gl_auto_free) struct gl_diagnostics *diagnostics = gl_alloc(sizeof *diagnostics);
        struct gl_error err = {0};
        struct gl_policy *policy =
            gl_policy_read(config->policies[i], config->waivers, diagnostics, &err);
        const struct finding good = {"policy", OK, 0, NULL};
        const struct finding bad = {"policy", FAIL, GL_EXIT_USAGE, "greenlaunch policy check"};

        if (policy != NULL)
            note(exam, &good, "%s: %zu rules", config->policies[i], policy->rule_count);
        else
            note(exam, &bad, "%s: %s", config->policies[i], err.text);
        gl_policy_free(policy);
    }
}

static void check_config(struct exam *exam)
{
    struct gl_context *context = exam->context;
    struct gl_error err = {0};
    const struct finding bad = {"config", FAIL, GL_EXIT_USAGE,
                                "mend the file, or: greenlaunch init --force"};
    const struct finding none = {"config", WARN, 0, "greenlaunch init"};
    const struct finding good = {"config", OK, 0, NULL};

    if (gl_config_read(context->globals.config, &context->world, &context->config, &err) != 0) {
        note(exam, &bad, "%s%s%s", err.pos.file, err.pos.file[0] != '\0' ? ": " : "", err.text);
        return;
    }
    if (context->config.path == NULL)
        note(exam, &none, "there is none: nobody has said in which grid zone this machine stands");
    else if (context->config.zone == NULL)
        note(exam, &none, "%s says no zone: instances on this machine are judged unknown",
             context->config.path);
    else
        note(exam, &good, "%s, zone %s", context->config.path, context->config.zone);
    check_policies(exam);
}

/* Can a file be written there? */
static int try_write(const char *folder, struct gl_error *err)
{
    GL_AUTO(gl_auto_close) int fd = gl_local_temporary(folder, err);

    return fd >= 0 ? gl_fd_write(fd, "greenlaunch\n", 12, err) : -1;
}

static void check_state(struct exam *exam)
{
    struct gl_error err = {0};
    const char *folder = gl_context_state(exam->context, &err);
    struct finding finding = {"state", OK, GL_EXIT_INTERNAL, "chmod u+rwx on it, or --state DIR"};
    struct statvfs disk;
    uint64_t free_bytes;

    if (folder == NULL || try_write(folder, &err) != 0) {
        finding.state = FAIL;
        note(exam, &finding, "cannot write the state folder: %s", err.text);
        return;
    }
    note(exam, &finding, "%s", folder);
    if (statvfs(folder, &disk) != 0)
        return;
    free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    finding = (struct finding){"disk",
                               free_bytes < DISK_NONE  ? FAIL
                               : free_bytes < DISK_LOW ? WARN
                                                       : OK,
                               GL_EXIT_INTERNAL, "free some space, or --state DIR on another disk"};
    note(exam, &finding, "%.1f GB free for the ledger and local instances",
         (double)free_bytes / 1e9);
}

static void check_ledger(struct exam *exam)
{
    struct gl_error err = {0};
    const char *folder = gl_context_state(exam->context, &err);
    GL_AUTO(gl_auto_free) char *path = folder != NULL ? gl_path_join(folder, "ledger.db") : NULL;
    struct finding finding = {"ledger", OK, 0,
                              "keep it as evidence; see: greenlaunch ledger check"};
    struct gl_ledger_check found;
    struct gl_ledger *ledger;

    if (path == NULL)
        return;
    if (!gl_file_exists(path)) {
        note(exam, &finding, "none yet; the first launch begins it");
        return;
    }
    ledger = gl_context_ledger(exam->context, &err);
    if (ledger == NULL || gl_ledger_check(ledger, &found, &err) != 0) {
        finding.state = FAIL;
        finding.exit = (int)gl_errc_row(err.code)->exit;
        note(exam, &finding, "%s", err.text);
        return;
    }
    note(exam, &finding, "%" PRId64 " events, %" PRId64 " launches, chain intact", found.events,
         found.launches);
}

static void check_key(struct exam *exam)
{
    struct gl_error err = {0};
    const char *folder = gl_context_state(exam->context, &err);
    GL_AUTO(gl_auto_free) char *path = folder != NULL ? gl_path_join(folder, "broker.key") : NULL;
    GL_AUTO(gl_str_done) struct gl_str fix = {0};
    struct finding finding = {"key", OK, GL_EXIT_INTERNAL, NULL};
    struct stat info;

    if (path == NULL)
        return;
    if (stat(path, &info) != 0) {
        note(exam, &finding, "the signing key is made with the first receipt");
        return;
    }
    if ((info.st_mode & 077) == 0 && info.st_uid == geteuid()) {
        note(exam, &finding, "signing key, readable by its owner only");
        return;
    }
    gl_str_addf(&fix, "chmod 600 %s", path);
    finding.state = FAIL;
    finding.fix = gl_str_text(&fix);
    note(exam, &finding, "others can read the signing key (mode %03o): whoever has it can sign",
         (unsigned)info.st_mode & 0777);
}

/* ---- signals ---- */

/* A zone of each keyless source. */
static const char *const probe_zones[] = {"GB", "DE", "DK-DK1"};

static void note_source(struct exam *exam, const struct gl_signal_report *report)
{
    struct finding finding = {"signal", report->is_ok ? OK : WARN, 0,
                              "check the connection; until then cached and yearly data are used"};
    char age[GL_RENDER_NUMBER];

    if (report->is_skipped && report->error.code == GL_OK)
        return;
    if (report->is_ok)
        note(exam, &finding, "%s answers for %s%s%s", report->source, report->zone,
             report->is_from_cache ? ", from the cache, age " : "",
             report->is_from_cache ? gl_render_age(report->age_s, age) : "");
    else
        note(exam, &finding, "%s for %s: %s", report->source, report->zone, report->error.text);
}

static void check_signals(struct exam *exam)
{
    struct gl_context *context = exam->context;
    const struct finding offline = {"signal", OK, 0, NULL};
    struct gl_instant now = gl_now(&context->world);
    struct gl_error err = {0};
    struct gl_signal_store *store;
    const struct gl_signal_report *reports;
    size_t count;

    if (context->globals.is_offline) {
        note(exam, &offline, "not asked (--offline)");
        return;
    }
    gl_progress(context, "asking the grid signals");
    store = gl_context_signals(context, &err);
    for (size_t i = 0; store != NULL && i < sizeof probe_zones / sizeof probe_zones[0]; i++) {
        struct gl_signal_query query = {.from = gl_instant_hour(now), .until = {now.unix_s + 3600}};

        snprintf(query.zone, sizeof query.zone, "%s", probe_zones[i]);
        gl_signal_store_zone(store, &query);
    }
    gl_progress_end(context);
    reports = store != NULL ? gl_signal_store_reports(store, &count) : NULL;
    for (size_t i = 0; reports != NULL && i < count; i++)
        if (strcmp(reports[i].source, "builtin") != 0)
            note_source(exam, &reports[i]);
    gl_signal_store_free(store);
}

/* ---- this machine as a cloud ---- */

static void check_qemu(struct exam *exam, const struct gl_local_host *host)
{
    const char *const argv[] = {host->qemu, "--version", NULL};
    GL_AUTO(gl_str_done) struct gl_str version = {0};
    struct gl_error err = {0};
    struct finding finding = {"qemu", OK, 0,
                              "apt-get install --no-install-recommends "
                              "qemu-system-x86"};
    int status = 0;

    if (host->qemu == NULL || gl_process_capture(argv, 4096, 2000, &version, &status, &err) != 0 ||
        status != 0) {
        finding.state = WARN;
        note(exam, &finding, "%s: local instances are processes, not machines",
             host->qemu == NULL ? "not installed" : "does not run");
        return;
    }
    if (version.length > 0)
        version.text[strcspn(version.text, "\n")] = '\0';
    note(exam, &finding, "%s", gl_str_text(&version));
}

static void check_part(struct exam *exam, const char *name, const char *path,
                       const struct finding *missing, const char *without)
{
    const struct finding good = {name, OK, 0, NULL};

    if (path != NULL)
        note(exam, &good, "%s", path);
    else
        note(exam, missing, "%s", without);
}

static void check_kvm(struct exam *exam, const struct gl_local_host *host)
{
    struct gl_error err = {0};
    const char *folder = gl_context_state(exam->context, &err);
    GL_AUTO(gl_auto_free) char *local = folder != NULL ? gl_path_join(folder, "local") : NULL;
    struct finding finding = {"kvm", OK, 0, "add yourself to the group kvm: adduser $USER kvm"};

    if (host->qemu == NULL)
        return;
    if (access("/dev/kvm", F_OK) != 0) {
        note(exam, &finding, "no /dev/kvm: machines are emulated (TCG), slower but the same");
    } else if (access("/dev/kvm", R_OK | W_OK) != 0) {
        finding.state = WARN;
        note(exam, &finding, "/dev/kvm is not yours to open: machines are emulated, slower");
    } else {
        static const char *const verdicts[] = {
            "/dev/kvm is there; the first launch proves whether it works",
            "works, proved since boot", "is there but does not work here; machines are emulated"};

        note(exam, &finding, "%s",
             verdicts[local != NULL ? gl_kvm_recall(local, host->qemu) : GL_KVM_UNKNOWN]);
    }
}

static void check_namespaces(struct exam *exam, const struct gl_local_host *host)
{
    struct gl_error err = {0};
    struct finding finding = {"userns", OK, 0, "sysctl -w kernel.unprivileged_userns_clone=1"};

    if (gl_local_process_check(host, &err) == 0) {
        note(exam, &finding, "processes in namespaces are possible where machines are not");
        return;
    }
    finding.state = WARN;
    note(exam, &finding, "no namespaces: %s", err.text);
}

static void check_local(struct exam *exam)
{
    struct gl_context *context = exam->context;
    struct gl_error err = {0};
    struct finding finding = {"local", FAIL, GL_EXIT_REMOTE, NULL};
    struct gl_cloud *cloud;
    char who[128];

    cloud =
        gl_cloud_open("local",
                      &(struct gl_cloud_options){.world = &context->world,
                                                 .state_folder = gl_context_state(context, &err),
                                                 .zone = context->config.zone},
                      &err);
    if (cloud != NULL && cloud->ops->whoami(cloud, who, &err) == 0) {
        finding.state = OK;
        note(exam, &finding, "can launch on %s", who);
    } else {
        finding.fix = "mend the lines above";
        note(exam, &finding, "%s", err.text);
    }
    gl_cloud_close(cloud);
}

static void check_machine(struct exam *exam)
{
    const struct finding no_kernel = {"kernel", WARN, 0, "tools/setup.sh"};
    const struct finding no_busybox = {"busybox", WARN, 0, "apt-get install busybox-static"};
    const struct finding no_meter = {"meter", FAIL, GL_EXIT_REMOTE,
                                     "make, or GREENLAUNCH_METER=PATH"};
    struct gl_local_host host;

    gl_local_host_look(&exam->context->world, &host);
    check_qemu(exam, &host);
    check_part(exam, "kernel", host.kernel_folder, &no_kernel,
               "no guest kernel: local instances are processes, not machines");
    check_part(exam, "busybox", host.busybox, &no_busybox,
               "no static busybox: guests have no shell");
    check_part(exam, "meter", host.meter, &no_meter,
               "no static greenlaunch-meter: nothing can be metered, so nothing is launched here");
    check_kvm(exam, &host);
    check_namespaces(exam, &host);
    gl_local_host_done(&host);
    check_local(exam);
}

/* ---- the command ---- */

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct exam exam = {.context = context, .rows = json_array()};

    context->reply.data = json_pack("{s:o}", "checks", exam.rows);
    if (gl_help_operands(&gl_command_doctor, call, 0, 0, err) != 0)
        return -1;
    check_data(&exam);
    check_clock(&exam);
    check_config(&exam);
    check_state(&exam);
    check_ledger(&exam);
    check_key(&exam);
    check_signals(&exam);
    check_machine(&exam);
    gl_render_count(&context->reply.text, exam.failures, "failure");
    gl_str_add(&context->reply.text, ", ");
    gl_render_count(&context->reply.text, exam.warnings, "warning");
    gl_str_add(&context->reply.text, ".\n");
    json_object_set_new(context->reply.data, "failures", json_integer((json_int_t)exam.failures));
    json_object_set_new(context->reply.data, "warnings", json_integer((json_int_t)exam.warnings));
    return exam.status;
}

const struct gl_command gl_command_doctor = {
    .name = "doctor",
    .group = "Set up",
    .summary = "what this machine can do, and the command that mends what it cannot",
    .operands = "",
    .description =
        "Looks at the built-in data, the clock, the configuration, the state folder, the ledger, "
        "the signing key, the grid signals (for at most two seconds, not with --offline) and all "
        "that local instances need. Each line that is not ok is followed by what mends it. Ends "
        "with 0 unless something fails: 2 for the configuration, 5 for the local cloud, 9 for the "
        "ledger, 1 for the rest.",
    .example = "$ greenlaunch doctor --offline\n"
               "ok   signal   not asked (--offline)",
    .run = run,
    .needs_no_config = true,
};
