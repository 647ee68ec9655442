/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/load.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ticks {
    uint64_t busy, steal, total;
};

/* The first line of /proc/stat. user includes guest time, so that guest is not added again. */
static bool read_ticks(int fd, struct ticks *out)
{
    char text[512];
    uint64_t user, nice, system, idle, wait, irq, soft, steal;

    if (fd < 0 || gl_read_text(fd, text, sizeof text) < 0)
        return false;
    if (sscanf(text,
               "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64 " %" SCNu64,
               &user, &nice, &system, &idle, &wait, &irq, &soft, &steal) != 8)
        return false;
    out->busy = user + nice + system + irq + soft;
    out->steal = steal;
    out->total = out->busy + steal + idle + wait;
    return true;
}

/* ---- a tree of processes ---- */

struct gl_process_row {
    pid_t pid, parent;
    bool is_in;
    double own_s, children_s; /* CPU seconds: its own, and of children it has waited for */
};

/* Fields 4 (parent) and 14..17 (CPU ticks) of /proc/PID/stat; the name in field 2 may hold
 * anything, so that fields are counted after its last parenthesis. */
static bool read_process(const char *pid, struct gl_process_row *out)
{
    char path[64], text[512];
    const char *at;
    int parent, fd;
    unsigned long user, system, children_user, children_system;
    double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);

    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    at = gl_read_text(fd, text, sizeof text) < 0 ? NULL : strrchr(text, ')');
    close(fd);
    if (at == NULL || sscanf(at + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu",
                             &parent, &user, &system, &children_user, &children_system) != 5)
        return false;
    *out = (struct gl_process_row){
        .pid = (pid_t)strtol(pid, NULL, 10),
        .parent = parent,
        .own_s = (double)(user + system) * tick_s,
        .children_s = (double)(children_user + children_system) * tick_s,
    };
    return true;
}

static int by_pid(const void *a, const void *b)
{
    const struct gl_process_row *left = a, *right = b;

    return (left->pid > right->pid) - (left->pid < right->pid);
}

static size_t read_processes(struct gl_process_row rows[GL_PROCESSES_MAX])
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    size_t count = 0;

    while (folder != NULL && count < GL_PROCESSES_MAX && (entry = readdir(folder)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]) && read_process(entry->d_name, &rows[count]))
            count++;
    if (folder != NULL)
        closedir(folder);
    qsort(rows, count, sizeof *rows, by_pid);
    return count;
}

static struct gl_process_row *find_row(struct gl_process_row *rows, size_t count, pid_t pid)
{
    const struct gl_process_row wanted = {.pid = pid};

    return bsearch(&wanted, rows, count, sizeof *rows, by_pid);
}

/* Mark all descendants of `root`, but not `self` and what descends from it; one pass a generation,
 * at most as many as there are processes. */
static void mark_tree(struct gl_process_row *rows, size_t count, pid_t root, pid_t self)
{
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (size_t i = 0; i < count; i++) {
            const struct gl_process_row *parent;

            if (rows[i].is_in || rows[i].pid == root || rows[i].pid == self)
                continue;
            parent = find_row(rows, count, rows[i].parent);
            rows[i].is_in = rows[i].parent == root || (parent != NULL && parent->is_in);
            is_changed = is_changed || rows[i].is_in;
        }
    }
}

/* Our own row. Inside a namespace /proc may be that of the whole machine, which numbers us and our
 * parent differently: its own numbers are the ones to go by. */
static bool read_self(struct gl_process_row *out)
{
    char self[16];
    ssize_t length = readlink("/proc/self", self, sizeof self - 1);

    if (length <= 0)
        return false;
    self[length] = '\0';
    return read_process(self, out);
}

/* CPU seconds of the tree so far; -1 when they cannot be known. When a process is waited for, its
 * time moves up to its parent's children, so that the sum never falls. */
static double tree_seconds(const struct gl_load *load)
{
    struct gl_process_row self = {0};
    size_t count = read_self(&self) ? read_processes(load->rows) : 0;
    pid_t root_pid = load->root == getpid() ? self.pid : self.parent;
    const struct gl_process_row *root = count > 0 ? find_row(load->rows, count, root_pid) : NULL;
    double sum;

    if (root == NULL || (load->root != getpid() && load->root != getppid()))
        return -1;
    sum = root->children_s;
    mark_tree(load->rows, count, root_pid, self.pid);
    for (size_t i = 0; i < count; i++)
        if (load->rows[i].is_in)
            sum += load->rows[i].own_s + load->rows[i].children_s;
    return sum;
}

/* ---- memory ---- */

/* kB after `key` in /proc/meminfo; 0 when it is not there. */
static uint64_t memory_kb(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at != NULL ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static uint32_t used_mb(int fd)
{
    char text[512];
    uint64_t all, available;

    if (fd < 0 || gl_read_text(fd, text, sizeof text) < 0)
        return 0;
    all = memory_kb(text, "MemTotal:");
    available = memory_kb(text, "MemAvailable:");
    return all > available ? (uint32_t)((all - available) / 1024) : 0;
}

/* ---- both ---- */

static void set_busy(struct gl_load *load, double share)
{
    load->busy_share = share < 0 ? 0 : share > 1 ? 1 : share;
    load->busy_ppm = (uint32_t)(load->busy_share * 1e6);
}

static void update_tree(struct gl_load *load, int64_t now_ns)
{
    double tree_s = tree_seconds(load);
    double available_s = (double)(now_ns - load->at_ns) * 1e-9 * load->threads;

    if (tree_s < 0 || load->tree_s < 0)
        set_busy(load, 1); /* not known: must not make the estimate small */
    else if (available_s > 0)
        set_busy(load, (tree_s - load->tree_s) / available_s);
    load->tree_s = tree_s;
}

static void update_machine(struct gl_load *load)
{
    struct ticks now;
    uint64_t total, steal;

    if (!read_ticks(load->stat_fd, &now) || now.total < load->total || now.busy < load->busy ||
        now.steal < load->steal) {
        set_busy(load, 1); /* not known: must not make the estimate small */
        return;
    }
    total = now.total - load->total;
    steal = now.steal - load->steal;
    if (total > steal)
        set_busy(load, (double)(now.busy - load->busy) / (double)(total - steal));
    if (total > 0)
        load->steal_ppm = (uint32_t)((double)steal / (double)total * 1e6);
    load->busy = now.busy;
    load->steal = now.steal;
    load->total = now.total;
}

void gl_load_update(struct gl_load *load, int64_t now_ns)
{
    if (load->scope == GL_LOAD_TREE)
        update_tree(load, now_ns);
    else
        update_machine(load);
    load->memory_mb = used_mb(load->memory_fd);
    load->at_ns = now_ns;
}

void gl_load_open(struct gl_load *load, const struct gl_place *place, int64_t now_ns)
{
    load->stat_fd = gl_place_open(place, "/proc/stat");
    load->memory_fd = gl_place_open(place, "/proc/meminfo");
    load->busy = load->steal = load->total = 0;
    load->tree_s = 0;
    load->at_ns = now_ns;
    if (load->scope == GL_LOAD_TREE) {
        load->rows = gl_alloc(GL_PROCESSES_MAX * sizeof *load->rows);
        load->tree_s = tree_seconds(load);
    }
    gl_load_update(load, now_ns);
}

void gl_load_close(struct gl_load *load)
{
    if (load->stat_fd >= 0)
        close(load->stat_fd);
    if (load->memory_fd >= 0)
        close(load->memory_fd);
    load->stat_fd = load->memory_fd = -1;
    free(load->rows);
    load->rows = NULL;
}

/* ---- what the machine is ---- */

/* The number after "key<tabs>:" in a line of /proc/cpuinfo; false when there is none. */
static bool cpuinfo_number(const char *text, const char *key, unsigned *out)
{
    const char *at = strstr(text, key);

    if (at == NULL || (at = strchr(at, ':')) == NULL)
        return false;
    *out = (unsigned)strtoul(at + 1, NULL, 0);
    return true;
}

bool gl_cpu_name(const struct gl_place *place, struct gl_cpu_name *out)
{
    char text[2048];
    const char *vendor;
    int fd = gl_place_open(place, "/proc/cpuinfo");
    int length = fd < 0 ? -1 : gl_read_text(fd, text, sizeof text);

    if (fd >= 0)
        close(fd);
    if (length < 0)
        return false;
    *out = (struct gl_cpu_name){0};
    vendor = strstr(text, "vendor_id");
    if (vendor != NULL && sscanf(vendor, "vendor_id : %15s", out->vendor) == 1)
        return cpuinfo_number(text, "cpu family", &out->family) &&
               cpuinfo_number(text, "model\t", &out->model) &&
               cpuinfo_number(text, "stepping", &out->stepping);
    memcpy(out->vendor, "ARM", sizeof "ARM");
    return cpuinfo_number(text, "CPU implementer", &out->family) &&
           cpuinfo_number(text, "CPU part", &out->model);
}

/* Numbers of a CPU list such as "0-3,5". */
static unsigned count_list(const char *list)
{
    unsigned count = 0;
    char *at;

    for (;;) {
        unsigned long first = strtoul(list, &at, 10), last = first;

        if (at == list)
            return count;
        if (*at == '-')
            last = strtoul(at + 1, &at, 10);
        if (last >= first && last - first < 65536)
            count += (unsigned)(last - first + 1);
        if (*at != ',')
            return count;
        list = at + 1;
    }
}

unsigned gl_cpu_threads(const struct gl_place *place)
{
    char list[256];
    unsigned count = 0;

    if (gl_place_line(place, "/sys/devices/system/cpu", "online", list, sizeof list))
        count = count_list(list);
    if (count == 0 && place->sysroot[0] == '\0')
        count = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? count : 1;
}

unsigned gl_memory_mb(const struct gl_place *place)
{
    char text[512];
    int fd = gl_place_open(place, "/proc/meminfo");
    uint64_t kb = 0;

    if (fd >= 0 && gl_read_text(fd, text, sizeof text) >= 0)
        kb = memory_kb(text, "MemTotal:");
    if (fd >= 0)
        close(fd);
    return kb >= 2048 ? (unsigned)(kb / 1024) : 1;
}
