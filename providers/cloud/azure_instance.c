/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 500
#define OURS_MAX  5000
#define LOOK_MS   1000 /* between two looks at what is named and does not show */

/* ---- one machine ---- */

int gl_azure_id_read(const char *id, struct gl_azure_id *out, struct gl_error *err)
{
    const char *group = gl_remote_id_split(id, out->region);
    const char *name = group != NULL ? strchr(group, '/') : NULL;
    size_t length = name != NULL ? (size_t)(name - group) : 0;

    if (length == 0 || length >= sizeof out->group || name[1] == '\0' ||
        strlen(name + 1) >= sizeof out->name || strpbrk(name + 1, "/?#%") != NULL ||
        strpbrk(group, "?#%") != NULL)
        return gl_fail(err, GL_E_NOT_FOUND, "%.80s is not the id of an Azure machine", id);
    snprintf(out->group, sizeof out->group, "%.*s", (int)length, group);
    snprintf(out->name, sizeof out->name, "%s", name + 1);
    return 0;
}

/* The model alone tells no power: with the view of the running machine. */
static void view_call(const struct gl_azure *azure, const char *path, struct gl_remote_call *call)
{
    gl_azure_call(azure, call, "GET", GL_AZURE_COMPUTE, "%s", path);
    gl_remote_query(call, "$expand", "instanceView");
}

int gl_azure_look(struct gl_azure *azure, const char *path, struct gl_instance *out,
                  char out_provisioning[24], struct gl_error *err)
{
    struct gl_remote_call call = {0};
    struct gl_error trouble = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    view_call(azure, path, &call);
    root = gl_remote_json(&azure->remote, &call, &trouble);
    gl_remote_call_done(&call);
    if (root == NULL && trouble.code == GL_E_NOT_FOUND)
        return 0;
    if (root == NULL)
        return gl_fail(err, trouble.code, "%s", trouble.text);
    if (!gl_azure_read_vm(root, out))
        return gl_fail(err, GL_E_TOKEN, "azure: %s is not ours", path);
    if (out_provisioning != NULL)
        snprintf(out_provisioning, 24, "%.23s", gl_azure_provisioning(root));
    return 1;
}

/* The path of an id, ready to be asked for. */
static int path_of(struct gl_azure *azure, const char *id, char out[GL_AZURE_PATH],
                   struct gl_error *err)
{
    struct gl_azure_id parts;

    if (gl_azure_id_read(id, &parts, err) != 0)
        return -1;
    gl_azure_path(parts.group, "virtualMachines", parts.name, out);
    gl_azure_begin(azure);
    return 0;
}

int gl_azure_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                      struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    struct gl_instance seen;
    char path[GL_AZURE_PATH];
    int got;

    if (path_of(azure, id, path, err) != 0)
        return -1;
    got = gl_azure_look(azure, path, &seen, NULL, err);
    if (got == 0)
        return gl_fail(err, GL_E_NOT_FOUND, "azure knows no %s", id);
    if (got > 0)
        *out = seen;
    return got > 0 ? 0 : -1;
}

/* ---- many ---- */

struct listing {
    const char *token; /* only this one's; NULL = all of ours */
    struct gl_instance *rows;
    size_t count, capacity;
    size_t unshown; /* that the list names and that do not show by themselves */
};

static void read_row(void *cookie, const json_t *row)
{
    struct listing *listing = cookie;
    struct gl_instance instance;

    if (!gl_azure_read_vm(row, &instance) || listing->count >= OURS_MAX ||
        (listing->token != NULL && strcmp(instance.token, listing->token) != 0))
        return;
    if (listing->count == listing->capacity) {
        listing->capacity = listing->capacity > 0 ? 2 * listing->capacity : 16;
        listing->rows = gl_realloc(listing->rows, listing->capacity * sizeof *listing->rows);
    }
    listing->rows[listing->count++] = instance;
}

/* What was being deleted and has gone meanwhile is left out. Anything else that the list names may
 * be too fresh to show by itself. */
static int read_view(const struct gl_remote_call *call, const struct gl_instance *listed,
                     struct listing *viewed, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    if (call->err.code == GL_E_NOT_FOUND) {
        viewed->unshown += listed->state != GL_STATE_STOPPING;
        return 0;
    }
    if (call->err.code != GL_OK)
        return gl_fail(err, call->err.code, "%s", call->err.text);
    root = gl_remote_reply_json(call, err);
    if (root == NULL)
        return -1;
    read_row(viewed, root);
    return 0;
}

/* A list shows no power states: every machine of ours is asked for its own, all at once. */
static int view_all(struct gl_azure *azure, struct listing *listing, struct gl_error *err)
{
    struct gl_remote_call *calls = gl_alloc((listing->count + 1) * sizeof *calls);
    struct listing viewed = {.token = listing->token};
    int rc = 0;

    for (size_t i = 0; i < listing->count; i++) {
        struct gl_error ignored = {0};
        struct gl_azure_id parts;
        char path[GL_AZURE_PATH];

        gl_azure_id_read(listing->rows[i].id, &parts, &ignored);
        gl_azure_path(parts.group, "virtualMachines", parts.name, path);
        view_call(azure, path, &calls[i]);
    }
    gl_remote_send_all(&azure->remote, calls, listing->count);
    for (size_t i = 0; i < listing->count; i++) {
        rc = rc == 0 ? read_view(&calls[i], &listing->rows[i], &viewed, err) : rc;
        gl_remote_call_done(&calls[i]);
    }
    free(calls);
    free(listing->rows);
    *listing = viewed;
    return rc;
}

static int list_all(struct gl_azure *azure, struct listing *listing, struct gl_error *err)
{
    struct gl_remote_call call = {0};
    const struct gl_azure_pages pages = {.base = azure->endpoint,
                                         .next = "nextLink",
                                         .items = "value",
                                         .read = read_row,
                                         .cookie = listing,
                                         .most = PAGES_MAX};

    gl_azure_begin(azure);
    gl_azure_call(azure, &call, "GET", GL_AZURE_COMPUTE, "%s",
                  "/providers/Microsoft.Compute/virtualMachines");
    if (gl_azure_each(azure, &call, &pages, err) != 0)
        return -1;
    if (listing->count >= OURS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "azure: more than %d machines of ours", OURS_MAX);
    return view_all(azure, listing, err);
}

int gl_azure_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                  struct gl_error *err)
{
    struct listing listing = {0};

    if (list_all(gl_azure_of(cloud), &listing, err) != 0) {
        free(listing.rows);
        return -1;
    }
    *out = listing.rows != NULL ? listing.rows : gl_alloc(sizeof **out);
    *out_count = listing.count;
    return 0;
}

/* 1 and the machine of the token, 0 there is none, 2 one is named that does not show (yet); -1. */
static int look_for(struct gl_azure *azure, const char *token, struct gl_instance *out,
                    struct gl_error *err)
{
    struct listing listing = {.token = token};
    const struct gl_instance *found;
    int rc = list_all(azure, &listing, err);

    if (rc == 0) {
        found = gl_instance_of_token(listing.rows, listing.count, token);
        if (found != NULL)
            *out = *found;
        rc = found != NULL ? 1 : listing.unshown > 0 ? 2 : 0;
    }
    free(listing.rows);
    return rc;
}

/* One list covers all locations. Absent is said only when no disk of that token waits either. */
int gl_azure_find(struct gl_cloud *cloud, const char *region, const char *token,
                  struct gl_instance *out, struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    const struct gl_world *world = azure->remote.world;
    int64_t until = world->monotonic_ms(world->cookie) + GL_REMOTE_SETTLE_MS;
    int rc;

    (void)region;
    while ((rc = look_for(azure, token, out, err)) == 2) {
        if (world->monotonic_ms(world->cookie) >= until)
            return gl_fail(err, GL_E_PROVIDER,
                           "azure: the list names a machine of that launch, which does not show");
        if (gl_remote_wait(&azure->remote, LOOK_MS, err) != 0)
            return -1;
    }
    return rc != 0 ? rc : gl_azure_disks_sweep(azure, token, err);
}

/* ---- ending, halting ---- */

int gl_azure_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    char path[GL_AZURE_PATH];

    if (path_of(azure, id, path, err) != 0)
        return -1;
    return gl_azure_delete(azure, GL_AZURE_COMPUTE, path, err);
}

/* A verb on a machine, followed to its end. */
static int act(struct gl_cloud *cloud, const char *id, const char *verb, struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    struct gl_remote_call call = {0};
    char path[GL_AZURE_PATH];
    int rc;

    if (path_of(azure, id, path, err) != 0)
        return -1;
    gl_azure_call(azure, &call, "POST", GL_AZURE_COMPUTE, "%s/%s", path, verb);
    rc = gl_azure_operate(azure, &call, NULL, err);
    gl_remote_call_done(&call);
    return rc;
}

/* Deallocated, not only stopped: a stopped machine is billed like a running one. */
int gl_azure_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    return act(cloud, id, "deallocate", err);
}

/* Without stock it stays halted with its disk: nothing is ended here. */
int gl_azure_start(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    return act(cloud, id, "start", err);
}

/* powerOff asks the guest to shut down, so that the meter writes its last reading, and keeps the
 * console; what stops being billed is up to terminate. */
int gl_azure_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait, struct gl_error *err)
{
    struct gl_instance instance;
    struct gl_error gone = {0};
    struct gl_azure_id parts;

    (void)wait;
    if (gl_azure_id_read(id, &parts, err) != 0)
        return -1;
    if (gl_azure_describe(cloud, id, &instance, &gone) != 0)
        return gone.code == GL_E_NOT_FOUND ? 0 : gl_fail(err, gone.code, "%s", gone.text);
    if (instance.state == GL_STATE_HALTED || instance.state == GL_STATE_STOPPING)
        return 0;
    if (act(cloud, id, "powerOff", &gone) == 0 || gone.code == GL_E_NOT_FOUND)
        return 0;
    return gl_fail(err, gone.code, "%s", gone.text);
}

/* ---- console ---- */

/* Azure's own storage over https, or this machine: nowhere else an address that is a key goes. */
static bool is_storage(const char *url)
{
    static const char *const domains[] = {".blob.core.windows.net", ".blob.core.usgovcloudapi.net",
                                          ".blob.core.chinacloudapi.cn", ".blob.storage.azure.net"};
    size_t length;

    if (gl_azure_is_loopback(url))
        return true;
    if (strncmp(url, "https://", 8) != 0)
        return false;
    length = strcspn(url + 8, "/?#");
    if (strspn(url + 8, "abcdefghijklmnopqrstuvwxyz0123456789.-") != length)
        return false;
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
        size_t tail = strlen(domains[i]);

        if (length > tail && strncmp(url + 8 + length - tail, domains[i], tail) == 0)
            return true;
    }
    return false;
}

/* Where the log can be read for a while; the address is as good as a key. */
static int ask_log(struct gl_azure *azure, const char *path, struct gl_remote_call *out,
                   struct gl_error *err)
{
    struct gl_remote_call call = {.has_secret = true};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const char *url;

    gl_azure_call(azure, &call, "POST", GL_AZURE_COMPUTE, "%s/retrieveBootDiagnosticsData", path);
    root = gl_remote_json(&azure->remote, &call, err);
    gl_remote_call_done(&call);
    if (root == NULL)
        return -1;
    url = json_string_value(json_object_get(root, "serialConsoleLogBlobUri"));
    if (url == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "azure: the answer names no console log");
    if (strlen(url) >= 2 * GL_AZURE_URL || !is_storage(url))
        return gl_fail(err, GL_E_BAD_REPLY, "azure: the console log is not in Azure's storage");
    out->method = "GET";
    gl_str_add(&out->url, url);
    return 0;
}

/* The log of a machine that was started anew may be shorter than what was read of the last one. */
static void take_log(const struct gl_http_reply *reply, uint64_t offset, struct gl_str *out,
                     uint64_t *out_next)
{
    size_t from = offset <= reply->body_length ? (size_t)offset : 0, before = out->length;

    gl_str_add_bytes(out, reply->body + from, reply->body_length - from);
    *out_next = from + (out->length - before);
}

int gl_azure_console(struct gl_cloud *cloud, const char *id, uint64_t offset, struct gl_str *out,
                     uint64_t *out_next, struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    struct gl_remote_call log = {.is_open = true, .has_secret = true};
    struct gl_error trouble = {0};
    char path[GL_AZURE_PATH];
    int rc;

    if (path_of(azure, id, path, err) != 0)
        return -1;
    if (ask_log(azure, path, &log, err) != 0) {
        gl_remote_call_done(&log);
        return -1;
    }
    rc = gl_remote_send(&azure->remote, &log, &trouble);
    if (rc == 0)
        take_log(&log.reply, offset, out, out_next);
    else if (trouble.code == GL_E_NOT_FOUND) { /* it has written nothing yet */
        *out_next = offset;
        rc = 0;
    } else
        gl_fail(err, trouble.code, "azure: the console log: %s", trouble.text);
    gl_remote_call_done(&log);
    return rc;
}
