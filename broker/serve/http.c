/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/serve/http_part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"

/* Of a body that is too large, so many times the ceiling; then we hang up. Who is still sending
 * when it is closed loses the answer. */
#define SWALLOWED  4
#define PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"
#define PATH_SHOWN 48

/* A connection, as far as its time is concerned. */
struct link {
    struct link *next;
    int fd;
    int64_t began_ms; /* of the request under way, or of waiting for one */
};

struct gl_server {
    struct gl_server_options options;
    struct gl_mhd mhd;
    struct MHD_Daemon *daemon;
    int listen_fd;
    char url[GL_SERVER_ADDRESS + 8];
    struct link *links;
    size_t under_way;
};

/* One request until its answer is sent. */
struct exchange {
    struct gl_server *server;
    struct MHD_Connection *connection;
    const struct gl_server_route *route; /* NULL: refused at its headers */
    char method[12], path[PATH_SHOWN];
    struct gl_str body;
    size_t too_much; /* bytes beyond the ceiling */
    int64_t began_ms;
    int status;
    size_t sent;
    char note[GL_SERVER_NOTE];
    bool is_queued;
};

static int64_t now_ms(const struct gl_server *server)
{
    const struct gl_world *world = server->options.world;

    return world->monotonic_ms(world->cookie);
}

/* ---- answers ---- */

static enum MHD_Result queue(struct exchange *exchange, const struct gl_server_answer *answer,
                             const char *allow)
{
    const struct gl_mhd *mhd = &exchange->server->mhd;
    const char *type =
        answer->content_type != NULL ? answer->content_type : "text/plain; charset=utf-8";
    struct MHD_Response *response = mhd->create_response_from_buffer(
        answer->body.length, answer->body.text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (response == NULL)
        return MHD_NO;
    exchange->status = answer->status != 0 ? answer->status : 200;
    exchange->sent = answer->body.length;
    snprintf(exchange->note, sizeof exchange->note, "%s", answer->note);
    mhd->add_response_header(response, "Content-Type", type);
    mhd->add_response_header(response, "Cache-Control", "no-store");
    mhd->add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (allow != NULL)
        mhd->add_response_header(response, "Allow", allow);
    result = mhd->queue_response(exchange->connection, (unsigned)exchange->status, response);
    mhd->destroy_response(response);
    exchange->is_queued = true;
    return result;
}

static enum MHD_Result refuse(struct exchange *exchange, int status, const char *why,
                              const char *allow)
{
    struct gl_server_answer answer = {.status = status};
    enum MHD_Result result;

    gl_str_addf(&answer.body, "%s\n", why);
    result = queue(exchange, &answer, allow);
    gl_str_done(&answer.body);
    return result;
}

static const char *header(const struct exchange *exchange, const char *name)
{
    return exchange->server->mhd.lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
                                                         name);
}

static const char *header_of(const struct gl_server_request *request, const char *name)
{
    return header(request->cookie, name);
}

static enum MHD_Result answer(struct exchange *exchange)
{
    const struct gl_server_request request = {
        .path = exchange->route->path,
        .body = {gl_str_text(&exchange->body), exchange->body.length},
        .header = header_of,
        .cookie = exchange};
    struct gl_server_answer out = {0};
    enum MHD_Result result;

    exchange->route->answer(exchange->server->options.cookie, &request, &out);
    result = queue(exchange, &out, NULL);
    gl_str_done(&out.body);
    return result;
}

/* ---- requests ---- */

/* The row of method and path; NULL, and *out_allowed one method that the path has, or NULL. */
static const struct gl_server_route *route_of(const struct gl_server_options *options,
                                              const char *method, const char *path,
                                              const char **out_allowed)
{
    *out_allowed = NULL;
    for (size_t i = 0; i < options->route_count; i++) {
        const struct gl_server_route *route = &options->routes[i];

        if (strcmp(route->path, path) != 0)
            continue;
        if (strcmp(route->method, method) == 0)
            return route;
        *out_allowed = route->method;
    }
    return NULL;
}

/* What Content-Length says; SIZE_MAX when it is said otherwise or not at all. */
static size_t announced(const struct exchange *exchange)
{
    const char *text = header(exchange, "Content-Length");

    if (text == NULL || text[0] == '\0' || strlen(text) > 12 ||
        strspn(text, "0123456789") != strlen(text))
        return SIZE_MAX;
    return (size_t)strtoull(text, NULL, 10);
}

static struct exchange *exchange_new(struct gl_server *server, struct MHD_Connection *connection,
                                     const char *path, const char *method)
{
    struct exchange *exchange = gl_alloc(sizeof *exchange);
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    exchange->server = server;
    exchange->connection = connection;
    exchange->began_ms = now_ms(server);
    gl_str_add_printable(&shown, path, strlen(path));
    snprintf(exchange->path, sizeof exchange->path, "%s", gl_str_text(&shown));
    gl_str_clear(&shown);
    gl_str_add_printable(&shown, method, strlen(method));
    snprintf(exchange->method, sizeof exchange->method, "%s", gl_str_text(&shown));
    server->under_way++;
    return exchange;
}

/* All of it from the start, so that no half of a secret is left behind by growing. */
static void reserve(struct exchange *exchange, size_t length)
{
    size_t ceiling = exchange->route->body_ceiling;

    exchange->body.capacity = (length < ceiling ? length : ceiling) + 1;
    exchange->body.text = gl_alloc(exchange->body.capacity);
}

static enum MHD_Result begin(struct exchange *exchange, const char *path, const char *method)
{
    const char *allowed;
    size_t length = announced(exchange), most;

    exchange->route = route_of(&exchange->server->options, method, path, &allowed);
    if (exchange->route == NULL)
        return allowed != NULL ? refuse(exchange, 405, "not by this method", allowed)
                               : refuse(exchange, 404, "not here", NULL);
    most = exchange->route->body_ceiling;
    if (header(exchange, "Expect") == NULL) /* it does not wait for our word */
        most *= SWALLOWED;
    if (length != SIZE_MAX && length > most)
        return refuse(exchange, 413, "the body is too large", NULL);
    reserve(exchange, length);
    return MHD_YES;
}

static enum MHD_Result add(struct exchange *exchange, const char *bytes, size_t *length)
{
    size_t ceiling = exchange->route->body_ceiling;

    if (*length > ceiling - exchange->body.length) {
        exchange->too_much += *length;
        if (exchange->too_much > SWALLOWED * ceiling)
            return MHD_NO;
    }
    if (exchange->too_much == 0)
        gl_str_add_bytes(&exchange->body, bytes, *length);
    *length = 0;
    return MHD_YES;
}

static enum MHD_Result on_request(void *cookie, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_length, void **request)
{
    struct exchange *exchange = *request;

    (void)version;
    if (exchange == NULL) {
        *request = exchange = exchange_new(cookie, connection, url, method);
        return begin(exchange, url, method);
    }
    if (exchange->is_queued)
        return MHD_YES;
    if (*upload_length > 0)
        return add(exchange, upload, upload_length);
    return exchange->too_much > 0 ? refuse(exchange, 413, "the body is too large", NULL)
                                  : answer(exchange);
}

/* ---- what became of them ---- */

static void tell(const struct exchange *exchange, bool is_whole)
{
    const struct gl_server *server = exchange->server;
    const union MHD_ConnectionInfo *info =
        server->mhd.get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct gl_instant at = gl_now(server->options.world);
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char peer[GL_SERVER_ADDRESS], time[GL_INSTANT_TEXT];

    gl_str_addf(&line, "%s %s %s %s %d %zuB %" PRId64 "ms%s%s%s", gl_instant_text(at, time),
                gl_peer_text(info != NULL ? info->client_addr : NULL, peer), exchange->method,
                exchange->path, exchange->status, exchange->sent,
                now_ms(server) - exchange->began_ms, is_whole ? "" : " (cut)",
                exchange->note[0] != '\0' ? " " : "", exchange->note);
    server->options.log(server->options.cookie, gl_str_text(&line));
}

static void on_completed(void *cookie, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode how)
{
    struct gl_server *server = cookie;
    struct exchange *exchange = *request;
    const union MHD_ConnectionInfo *info =
        server->mhd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    if (info != NULL && info->socket_context != NULL)
        ((struct link *)info->socket_context)->began_ms = now_ms(server);
    if (exchange == NULL)
        return;
    tell(exchange, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    if (exchange->body.text != NULL)
        gl_wipe(exchange->body.text, exchange->body.capacity);
    gl_str_done(&exchange->body);
    free(exchange);
    *request = NULL;
    server->under_way--;
}

static void on_connection(void *cookie, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct gl_server *server = cookie;
    struct link *link = *context, **at = &server->links;
    const union MHD_ConnectionInfo *info;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        info = server->mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        link = gl_alloc(sizeof *link);
        *link = (struct link){server->links, info != NULL ? info->connect_fd : -1, now_ms(server)};
        server->links = *context = link;
        return;
    }
    while (*at != NULL && *at != link)
        at = &(*at)->next;
    if (*at != NULL)
        *at = link->next;
    free(link);
    *context = NULL;
}

/* A peer that drips bytes is never silent: its time in all is up as well. */
static void end_the_slow(const struct gl_server *server)
{
    int64_t now = now_ms(server);

    for (const struct link *link = server->links; link != NULL; link = link->next)
        if (now - link->began_ms > GL_SERVER_REQUEST_MS && link->fd >= 0)
            shutdown(link->fd, SHUT_RDWR);
}

/* ---- start, run, stop ---- */

static struct MHD_Daemon *start_daemon(struct gl_server *server)
{
    const struct gl_secret *key = server->options.key_pem;
    bool has_tls = server->options.certificate_pem != NULL;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)server->options.certificate_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, key != NULL ? key->bytes : NULL},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES},
        {MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem no_tls[] = {{MHD_OPTION_END, 0, NULL}};

    return server->mhd.start_daemon(
        MHD_USE_AUTO | (has_tls ? MHD_USE_TLS : 0U), 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, server->listen_fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)GL_SERVER_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)GL_SERVER_PER_PEER, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)GL_SERVER_SILENCE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, GL_SERVER_HEADER_BYTES, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY,
        has_tls ? tls : no_tls, MHD_OPTION_END);
}

static int start(struct gl_server *server, struct gl_error *err)
{
    bool has_tls = server->options.certificate_pem != NULL;
    struct gl_listening listening;

    if (gl_mhd_load(&server->mhd, err) != 0)
        return -1;
    if (has_tls && server->mhd.is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return gl_fail(err, GL_E_NETWORK, "this libmicrohttpd was built without TLS");
    if (gl_listen(server->options.listen, &listening, err) != 0)
        return -1;
    server->listen_fd = listening.fd;
    if (!has_tls && !listening.is_loopback)
        return gl_fail(err, GL_E_USAGE,
                       "--listen %s: beyond this machine only with --tls-cert and --tls-key",
                       listening.address);
    snprintf(server->url, sizeof server->url, "%s://%s", has_tls ? "https" : "http",
             listening.address);
    server->daemon = start_daemon(server);
    if (server->daemon == NULL)
        return gl_fail(err, GL_E_USAGE, "the server does not start%s",
                       has_tls ? ": do --tls-cert and --tls-key belong together, as PEM?" : "");
    return 0;
}

struct gl_server *gl_server_start(const struct gl_server_options *options, struct gl_error *err)
{
    struct gl_server *server = gl_alloc(sizeof *server);

    server->options = *options;
    server->listen_fd = -1;
    if (start(server, err) == 0)
        return server;
    gl_server_stop(server, 0);
    return NULL;
}

const char *gl_server_url(const struct gl_server *server)
{
    return server->url;
}

int gl_server_run(struct gl_server *server, int wait_ms, struct gl_error *err)
{
    if (server->mhd.run_wait(server->daemon, wait_ms) != MHD_YES)
        return gl_fail(err, GL_E_NETWORK, "the server at %s has broken down", server->url);
    end_the_slow(server);
    return 0;
}

void gl_server_stop(struct gl_server *server, int64_t grace_ms)
{
    int64_t until;

    if (server == NULL)
        return;
    if (server->daemon != NULL) {
        server->listen_fd = server->mhd.quiesce_daemon(server->daemon);
        until = now_ms(server) + grace_ms;
        while (server->under_way > 0 && now_ms(server) < until)
            server->mhd.run_wait(server->daemon, 50);
        server->mhd.stop_daemon(server->daemon);
    }
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    free(server);
}
