/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: what this machine can do, each failure with the command that mends it. */
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
#include "broker/cli/command.h"
#include "broker/render/table.h"
#include "providers/cloud/cloud.h"
#include "providers/cloud/local_host.h"
#include "providers/cloud/local_kvm.h"
#include "providers/data/data.h"

#define LEAST_FREE_MIB 512

enum health { OK, WARN, FAIL };

/* What one look found. */
struct finding {
    enum health health;
    enum gl_exit exit;      /* of the command when this fails */
    char text[200];
    const char *fix;        /* command or sentence; NULL = none needed */
};

/* Shared by the looks, made once. */
struct patient {
    struct gl_context *context;
    struct gl_local_host host;
};

static struct finding found(enum health health, const char *fix, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static struct finding found(enum health health, const char *fix, const char *format, ...)
{
    struct finding finding = {health, GL_EXIT_INTERNAL, "", health == OK ? NULL : fix};
    va_list args;

    va_start(args, format);
    vsnprintf(finding.text, sizeof finding.text, format, args);
    va_end(args);
    return finding;
}

static int newest_year(void)
{
    const struct gl_zone_row *zones;
    size_t count = gl_data_zones(&zones);
    int year = 0;

    for (size_t i = 0; i < count; i++)
        year = zones[i].year > year ? zones[i].year : year;
    return year;
}

static struct finding look_data(struct patient *patient)
{
    const struct gl_zone_row *zones;
    const struct gl_region_row *regions;
    const struct gl_type_row *types;

    (void)patient;
    return found(OK, NULL, "built in: %zu grid zones (yearly, to %d), %zu regions, %zu types",
                 gl_data_zones(&zones), newest_year(), gl_data_regions(&regions),
                 gl_data_types(&types));
}

/* A clock before the newest data or far after it cannot be right. */
static struct finding look_clock(struct patient *patient)
{
    struct gl_instant now = gl_now(&patient->context->world);
    char text[GL_INSTANT_TEXT];
    int year, month, day, hour, minute, second;

    gl_instant_civil(now, &year, &month, &day, &hour, &minute, &second);
    gl_instant_text(now, text);
    if (year <= newest_year() || year > newest_year() + 10)
        return found(FAIL, "set the clock: date -s, or start a time service",
                     "%s cannot be right (built-in data ends with %d)", text, newest_year());
    return found(OK, NULL, "%s", text);
}

static struct finding look_config(struct patient *patient)
{
    const struct gl_config *config = &patient->context->config;

    if (config->path == NULL)
        return found(WARN, "greenlaunch init", "no configuration file");
    return found(OK, NULL, "%s", config->path);
}

static struct finding look_zone(struct patient *patient)
{
    const char *zone = patient->context->config.zone;

    if (zone == NULL)
        return found(WARN, "greenlaunch init", "nobody said which grid zone this machine is in");
    if (gl_data_zone(zone) == NULL)
        return found(WARN, "greenlaunch init --force", "%s has no built-in yearly data", zone);
    return found(OK, NULL, "%s, %s", zone, gl_data_zone(zone)->name);
}

static struct finding look_state(struct patient *patient)
{
    struct gl_error err = {0};
    const char *folder = gl_context_state(patient->context, &err);
    struct statvfs disk;
    uint64_t free_mib;

    if (folder == NULL || access(folder, W_OK) != 0)
        return found(FAIL, "make the folder yours, or name another with --state",
                     "state folder not writable: %.120s", folder != NULL ? folder : err.text);
    if (statvfs(folder, &disk) != 0)
        return found(WARN, NULL, "%s: free space cannot be read", folder);
    free_mib = (uint64_t)disk.f_bavail * disk.f_frsize >> 20;
    if (free_mib < LEAST_FREE_MIB)
        return found(WARN, "free some space", "%s: only %" PRIu64 " MiB free", folder, free_mib);
    return found(OK, NULL, "%s, %" PRIu64 " MiB free", folder, free_mib);
}

static struct finding look_ledger(struct patient *patient)
{
    struct gl_error err = {0};
    struct gl_ledger *ledger = gl_context_ledger(patient->context, &err);
    struct gl_ledger_check check;
    struct finding finding;

    if (ledger != NULL && gl_ledger_check(ledger, &check, &err) == 0)
        return found(OK, NULL, "%" PRId64 " events, chain intact", check.events);
    finding = found(FAIL, "greenlaunch ledger check; keep the file as evidence", "%.180s", err.text);
    finding.exit = gl_errc_row(err.code)->exit;
    return finding;
}

static struct finding look_key(struct patient *patient)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    struct stat info;

    if (patient->context->state_folder == NULL)
        return found(WARN, NULL, "not looked at: no state folder");
    path = gl_path_join(patient->context->state_folder, "broker.key");
    if (stat(path, &info) != 0)
        return found(OK, NULL, "made with the first receipt");
    if ((info.st_mode & 077) != 0)
        return found(FAIL, "chmod 600 the file broker.key in the state folder",
                     "%s can be read by others (mode %03o)", path, info.st_mode & 0777u);
    return found(OK, NULL, "%s, mode 600", path);
}

static struct finding look_signals(struct patient *patient)
{
    struct gl_error err = {0};
    struct gl_signal_store *store;
    struct gl_instant now = gl_now(&patient->context->world);
    struct gl_signal_query query = {.zone = "GB", .from = now, .until = {now.unix_s + 1800}};
    const struct gl_signal_report *reports;
    size_t count;
    struct finding finding;

    if (patient->context->globals.is_offline)
        return found(WARN, "leave out --offline", "not looked at: offline");
    store = gl_context_signals(patient->context, &err);
    if (store == NULL)
        return found(FAIL, NULL, "%.180s", err.text);
    gl_signal_store_zone(store, &query);
    reports = gl_signal_store_reports(store, &count);
    finding = found(WARN, "check the connection; yearly data (grade D) serves meanwhile",
                    "no live source answered");
    for (size_t i = 0; i < count; i++)
        if (reports[i].is_ok && strcmp(reports[i].source, "builtin") != 0)
            finding = found(OK, NULL, "%s answers", reports[i].source);
    gl_signal_store_free(store);
    return finding;
}

static struct finding look_vm(struct patient *patient)
{
    const char *missing;

    if (!gl_local_host_has_vm(&patient->host, &missing))
        return found(WARN, "tools/setup.sh, or apt-get install qemu-system-x86",
                     "no virtual machines: %s", missing);
    return found(OK, NULL, "%s, kernel in %.100s", patient->host.qemu,
                 patient->host.kernel_folder);
}

static struct finding look_kvm(struct patient *patient)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;

    if (patient->host.qemu == NULL || patient->context->state_folder == NULL)
        return found(WARN, NULL, "not looked at: no QEMU");
    if (access("/dev/kvm", R_OK | W_OK) != 0)
        return found(OK, NULL, "no /dev/kvm for this user: virtual machines run emulated (tcg)");
    folder = gl_path_join(patient->context->state_folder, "local");
    switch (gl_kvm_recall(folder, patient->host.qemu)) {
    case GL_KVM_WORKS:
        return found(OK, NULL, "proved by a boot: kvm");
    case GL_KVM_FAILS:
        return found(OK, NULL, "/dev/kvm is there but a boot on it failed: emulated (tcg)");
    default:
        return found(OK, NULL, "/dev/kvm is there; the first launch will prove it or use tcg");
    }
}

static struct finding look_guest(struct patient *patient)
{
    if (patient->host.meter == NULL)
        return found(FAIL, "make", "greenlaunch-meter is missing beside this program");
    if (patient->host.busybox == NULL)
        return found(WARN, "apt-get install busybox-static",
                     "no busybox: instances have no shell");
    return found(OK, NULL, "meter and busybox are here");
}

static struct finding look_local(struct patient *patient)
{
    struct gl_error err = {0};
    struct finding finding;
    char who[128];
    struct gl_cloud *cloud = gl_cloud_open(
        "local",
        &(struct gl_cloud_options){.world = &patient->context->world,
                                   .state_folder = patient->context->state_folder},
        &err);

    if (cloud != NULL && cloud->ops->whoami(cloud, who, &err) == 0)
        finding = found(OK, NULL, "%s", who);
    else
        finding = found(FAIL, gl_errc_row(err.code)->hint, "%.180s", err.text);
    finding.exit = GL_EXIT_REMOTE;
    gl_cloud_close(cloud);
    return finding;
}

static const struct {
    const char *name;
    struct finding (*look)(struct patient *patient);
} looks[] = {
    {"data", look_data},     {"clock", look_clock},   {"config", look_config},
    {"zone", look_zone},     {"state", look_state},   {"ledger", look_ledger},
    {"key", look_key},       {"signals", look_signals}, {"vm", look_vm},
    {"kvm", look_kvm},       {"guest", look_guest},   {"local", look_local},
};

static void report(struct gl_context *context, const char *name, const struct finding *finding,
                   json_t *list)
{
    static const char *const words[] = {"ok", "warn", "fail"};

    gl_str_addf(&context->reply.text, "%-4s  %-8s %s\n", words[finding->health], name,
                finding->text);
    if (finding->fix != NULL)
        gl_str_addf(&context->reply.text, "               fix: %s\n", finding->fix);
    json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s?}", "name", name, "health",
                                          words[finding->health], "text", finding->text, "fix",
                                          finding->fix));
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct patient patient = {.context = context};
    size_t counts[3] = {0, 0, 0};
    int status = GL_EXIT_OK;
    json_t *list = json_array();

    (void)call;
    (void)err;
    gl_local_host_look(&context->world, &patient.host);
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        struct finding finding;

        gl_progress(context, "looking at %s", looks[i].name);
        finding = looks[i].look(&patient);
        gl_progress_end(context);
        report(context, looks[i].name, &finding, list);
        counts[finding.health]++;
        if (finding.health == FAIL && status == GL_EXIT_OK)
            status = (int)finding.exit;
    }
    gl_local_host_done(&patient.host);
    gl_str_addf(&context->reply.text, "%zu failure%s, %zu warning%s.\n", counts[FAIL],
                counts[FAIL] == 1 ? "" : "s", counts[WARN], counts[WARN] == 1 ? "" : "s");
    context->reply.data = json_pack("{s:o,s:I,s:I}", "findings", list, "failures",
                                    (json_int_t)counts[FAIL], "warnings",
                                    (json_int_t)counts[WARN]);
    return status;
}

const struct gl_command gl_command_doctor = {
    .name = "doctor",
    .group = "Set up",
    .summary = "what this machine can do, and how to mend what it cannot",
    .operands = "",
    .description = "Looks at data, clock, configuration, ledger, key, signals and the local cloud. "
                   "Changes nothing but for making the state folder. Warnings do not fail.",
    .example = "greenlaunch doctor --offline",
    .options = NULL,
    .values_size = 0,
    .run = run,
};
