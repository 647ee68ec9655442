/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/http_server.h"

#include "tests/support/http_tls.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_BODY_CEILING ((size_t)4 << 20)
#define SERVER_STACK_BYTES  ((size_t)512 << 10)

struct server_connection {
    struct gl_test_server *server;
    struct server_connection *next;
    pthread_t thread;
    int fd;
    unsigned number;
    struct gl_test_tls_link *tls;
    enum gl_test_handshake handshake;
    struct gl_str in; /* received, not yet understood */
    size_t left;      /* bytes until the cut; SIZE_MAX = never */
};

struct gl_test_server {
    gl_test_handler *handler;
    void *cookie;
    struct gl_test_tls_side *tls;
    enum gl_test_handshake (*handshake)(void *cookie); /* NULL = all are fine */
    void *handshake_cookie;
    int listener, port;
    int stop[2]; /* the read end hangs up when the write end is closed */
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock; /* of all below, and of the handler */
    struct server_connection *connections;
    unsigned connection_count, open, most_open, requests;
    int64_t latency_ms; /* of every answer, beside its own delay */
    struct gl_str log;
};

/* ---- bytes ---- */

/* False when the server is being stopped. */
static bool server_pause_ms(const struct gl_test_server *server, int64_t ms)
{
    struct pollfd stop = {.fd = server->stop[0]};

    return ms <= 0 || poll(&stop, 1, (int)ms) == 0;
}

static bool server_receive(struct server_connection *connection)
{
    char bytes[16384];
    ssize_t got = connection->tls != NULL ? gl_test_tls_read(connection->tls, bytes, sizeof bytes)
                                          : recv(connection->fd, bytes, sizeof bytes, 0);

    if (got <= 0)
        return false;
    gl_str_add_bytes(&connection->in, bytes, (size_t)got);
    return !connection->in.is_cut;
}

/* False when the connection is over: by the peer, or cut as the answer wants. */
static bool server_say(struct server_connection *connection, const char *bytes, size_t length)
{
    bool is_last = length >= connection->left;

    if (is_last)
        length = connection->left;
    while (length > 0) {
        int piece = length < 65536 ? (int)length : 65536;
        ssize_t sent = connection->tls != NULL
                           ? gl_test_tls_write(connection->tls, bytes, piece)
                           : send(connection->fd, bytes, (size_t)piece, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
        if (connection->left != SIZE_MAX)
            connection->left -= (size_t)sent;
    }
    return !is_last;
}

/* ---- requests ---- */

char *gl_test_request_header(const struct gl_test_request *request, const char *name, char *out,
                             size_t size)
{
    size_t length = strlen(name);

    out[0] = '\0';
    for (const char *line = request->header_text; *line != '\0'; line += strcspn(line, "\n") + 1)
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            snprintf(out, size, "%.*s", (int)strcspn(line + length + 2, "\n"), line + length + 2);
            break;
        }
    return out;
}

/* The lines of the head after the first, names in lower case. */
static void server_add_headers(const char *head, const char *end, struct gl_str *out)
{
    const char *line = strstr(head, "\r\n") + 2;

    while (line < end) {
        size_t length = strcspn(line, "\r");
        size_t name = strcspn(line, ":\r");
        size_t value = name + (line[name] == ':');

        for (size_t i = 0; i < name; i++)
            gl_str_add_char(out, (char)tolower((unsigned char)line[i]));
        value += strspn(line + value, " \t");
        gl_str_add(out, ": ");
        gl_str_add_bytes(out, line + value, length > value ? length - value : 0);
        gl_str_add_char(out, '\n');
        line += length + 2;
    }
}

static bool server_copy_text(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);

    if (length < size)
        memcpy(out, text, length + 1);
    return length < size;
}

static bool server_parse_line(const char *line, struct gl_test_request *out)
{
    char target[sizeof out->path + sizeof out->query];
    char *query;

    if (sscanf(line, "%15s %6143s HTTP/1.", out->method, target) != 2)
        return false;
    query = strchr(target, '?');
    if (query != NULL)
        *query++ = '\0';
    return server_copy_text(out->path, sizeof out->path, target) &&
           server_copy_text(out->query, sizeof out->query, query != NULL ? query : "");
}

/* Wait for a whole head; its end, or NULL. */
static const char *server_receive_head(struct server_connection *connection)
{
    const char *end;

    while ((end = strstr(gl_str_text(&connection->in), "\r\n\r\n")) == NULL)
        if (!server_receive(connection))
            return NULL;
    return end;
}

/* A whole request: headers and body in their own buffers. */
static bool server_receive_request(struct server_connection *connection,
                                   struct gl_test_request *out, struct gl_str *headers,
                                   struct gl_str *body)
{
    const char *end = server_receive_head(connection);
    size_t head, length;
    char value[32];

    if (end == NULL || !server_parse_line(connection->in.text, out))
        return false;
    server_add_headers(connection->in.text, end + 2, headers);
    out->header_text = gl_str_text(headers);
    head = (size_t)(end + 4 - connection->in.text);
    length = strtoul(gl_test_request_header(out, "content-length", value, sizeof value), NULL, 10);
    if (gl_test_request_header(out, "expect", value, sizeof value)[0] != '\0' &&
        !server_say(connection, "HTTP/1.1 100 Continue\r\n\r\n", 25))
        return false;
    while (connection->in.length < head + length)
        if (!server_receive(connection))
            return false;
    gl_str_add_bytes(body, connection->in.text + head, length);
    out->body = gl_str_text(body);
    out->body_length = length;
    memmove(connection->in.text, connection->in.text + head + length,
            connection->in.length - head - length + 1);
    connection->in.length -= head + length;
    return true;
}

/* ---- answers ---- */

void gl_test_answer_text(struct gl_test_answer *answer, int status, const char *content_type,
                         const char *body)
{
    answer->status = status;
    if (content_type != NULL)
        gl_str_addf(&answer->headers, "Content-Type: %s\r\n", content_type);
    gl_str_add(&answer->body, body);
}

static bool server_has_length(const struct gl_test_answer *answer)
{
    return answer->flood_bytes > 0 ||
           strcasestr(gl_str_text(&answer->headers), "content-length:") != NULL ||
           strcasestr(gl_str_text(&answer->headers), "transfer-encoding:") != NULL;
}

static bool server_say_head(struct server_connection *connection,
                            const struct gl_test_answer *answer)
{
    GL_AUTO(gl_str_done) struct gl_str head = {0};

    gl_str_addf(&head, "HTTP/1.1 %d Scripted\r\n", answer->status != 0 ? answer->status : 200);
    gl_str_add_bytes(&head, gl_str_text(&answer->headers), answer->headers.length);
    if (!server_has_length(answer) && answer->status != 204 && answer->status != 304)
        gl_str_addf(&head, "Content-Length: %zu\r\n", answer->body.length);
    if (answer->is_last || answer->flood_bytes > 0)
        gl_str_add(&head, "Connection: close\r\n");
    gl_str_add(&head, "\r\n");
    return server_say(connection, head.text, head.length);
}

static bool server_say_body(struct server_connection *connection,
                            const struct gl_test_answer *answer)
{
    static const char filling[4096] = "";
    const char *body = gl_str_text(&answer->body);

    if (answer->drip_ms <= 0 && answer->body.length > 0 &&
        !server_say(connection, body, answer->body.length))
        return false;
    for (size_t i = 0; answer->drip_ms > 0 && i < answer->body.length; i++)
        if (!server_say(connection, body + i, 1) ||
            !server_pause_ms(connection->server, answer->drip_ms))
            return false;
    for (size_t left = answer->flood_bytes; left > 0;) {
        size_t piece = left < sizeof filling ? left : sizeof filling;

        if (!server_say(connection, filling, piece))
            return false;
        left -= piece;
    }
    return true;
}

/* Until the peer hangs up or the server stops. */
static void server_keep_silent(const struct server_connection *connection)
{
    struct pollfd both[2] = {{.fd = connection->fd, .events = POLLRDHUP},
                             {.fd = connection->server->stop[0]}};

    poll(both, 2, -1);
}

/* False to hang up. */
static bool server_say_answer(struct server_connection *connection,
                              const struct gl_test_answer *answer, bool has_body)
{
    if (answer->is_silent)
        server_keep_silent(connection);
    if (answer->is_silent || answer->is_hung_up ||
        !server_pause_ms(connection->server, answer->delay_ms + connection->server->latency_ms))
        return false;
    connection->left = answer->cut_after > 0 ? answer->cut_after : SIZE_MAX;
    return server_say_head(connection, answer) &&
           (!has_body || server_say_body(connection, answer)) && !answer->is_last &&
           answer->flood_bytes == 0;
}

/* ---- connections ---- */

static void server_ask_handler(struct server_connection *connection,
                               struct gl_test_request *request, struct gl_test_answer *out)
{
    struct gl_test_server *server = connection->server;

    pthread_mutex_lock(&server->lock);
    request->connection = connection->number;
    request->handshake = connection->handshake;
    request->number = ++server->requests;
    gl_str_addf(&server->log, "%s %s%s%s\n", request->method, request->path,
                request->query[0] != '\0' ? "?" : "", request->query);
    server->handler(request, out, server->cookie);
    pthread_mutex_unlock(&server->lock);
}

static bool server_serve_one(struct server_connection *connection)
{
    GL_AUTO(gl_str_done) struct gl_str headers = {0}, body = {.ceiling = SERVER_BODY_CEILING};
    struct gl_test_request request = {0};
    struct gl_test_answer answer = {0};
    bool goes_on;

    connection->left = SIZE_MAX;
    if (!server_receive_request(connection, &request, &headers, &body))
        return false;
    server_ask_handler(connection, &request, &answer);
    goes_on = server_say_answer(connection, &answer, strcmp(request.method, "HEAD") != 0);
    gl_str_done(&answer.headers);
    gl_str_done(&answer.body);
    return goes_on;
}

static void server_shake_hands(struct server_connection *connection)
{
    struct gl_test_server *server = connection->server;

    if (server->handshake != NULL) {
        pthread_mutex_lock(&server->lock);
        connection->handshake = server->handshake(server->handshake_cookie);
        pthread_mutex_unlock(&server->lock);
    }
    connection->tls = gl_test_tls_accept(server->tls, connection->fd, connection->handshake);
}

static void *server_serve_connection(void *cookie)
{
    struct server_connection *connection = cookie;
    struct gl_test_server *server = connection->server;

    if (server->tls != NULL)
        server_shake_hands(connection);
    if (server->tls == NULL || connection->tls != NULL)
        while (server_serve_one(connection))
            continue;
    if (connection->tls != NULL)
        gl_test_tls_close(connection->tls);
    gl_str_done(&connection->in);
    pthread_mutex_lock(&server->lock);
    close(connection->fd);
    connection->fd = -1;
    server->open--;
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void server_start_thread(pthread_t *out, void *(*run)(void *cookie), void *cookie)
{
    sigset_t all, before;
    pthread_attr_t attributes;

    sigfillset(&all); /* signals are for the test */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, SERVER_STACK_BYTES);
    if (pthread_create(out, &attributes, run, cookie) != 0)
        gl_die_of_memory();
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void server_welcome(struct gl_test_server *server, int fd)
{
    struct server_connection *connection = gl_alloc(sizeof *connection);
    int yes = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    connection->server = server;
    connection->fd = fd;
    connection->in.ceiling = SERVER_BODY_CEILING;
    pthread_mutex_lock(&server->lock);
    connection->number = ++server->connection_count;
    connection->next = server->connections;
    server->connections = connection;
    server->open++;
    if (server->open > server->most_open)
        server->most_open = server->open;
    pthread_mutex_unlock(&server->lock);
    server_start_thread(&connection->thread, server_serve_connection, connection);
}

static void *server_serve(void *cookie)
{
    struct gl_test_server *server = cookie;
    struct pollfd both[2] = {{.fd = server->listener, .events = POLLIN}, {.fd = server->stop[0]}};

    while (poll(both, 2, -1) >= 0 && both[1].revents == 0) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            server_welcome(server, fd);
    }
    return NULL;
}

/* ---- the server ---- */

static struct gl_test_server *server_start(gl_test_handler *handler, void *cookie,
                                           struct gl_test_tls_side *side,
                                           const struct gl_test_tls *tls)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    struct gl_test_server *server = gl_alloc(sizeof *server);

    server->handler = handler;
    server->cookie = cookie;
    server->tls = side;
    server->handshake = tls != NULL ? tls->handshake : NULL;
    server->handshake_cookie = tls != NULL ? tls->handshake_cookie : NULL;
    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&at, size) < 0 ||
        listen(server->listener, 256) < 0 ||
        getsockname(server->listener, (struct sockaddr *)&at, &size) < 0 ||
        pipe2(server->stop, O_CLOEXEC) < 0) {
        perror("test server");
        abort();
    }
    server->port = ntohs(at.sin_port);
    snprintf(server->url, sizeof server->url, "http%s://127.0.0.1:%d", side != NULL ? "s" : "",
             server->port);
    server_start_thread(&server->thread, server_serve, server);
    return server;
}

struct gl_test_server *gl_test_server_start(gl_test_handler *handler, void *cookie)
{
    return server_start(handler, cookie, NULL, NULL);
}

struct gl_test_server *gl_test_server_start_tls(gl_test_handler *handler, void *cookie,
                                                const struct gl_test_tls *tls)
{
    struct gl_test_tls_side *side = gl_test_tls_new(tls);

    return side != NULL ? server_start(handler, cookie, side, tls) : NULL;
}

void gl_test_server_stop(struct gl_test_server *server)
{
    if (server == NULL)
        return;
    close(server->stop[1]);
    pthread_join(server->thread, NULL);
    pthread_mutex_lock(&server->lock);
    for (const struct server_connection *at = server->connections; at != NULL; at = at->next)
        if (at->fd >= 0)
            shutdown(at->fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    while (server->connections != NULL) {
        struct server_connection *connection = server->connections;

        server->connections = connection->next;
        pthread_join(connection->thread, NULL);
        free(connection);
    }
    close(server->listener);
    close(server->stop[0]);
    pthread_mutex_destroy(&server->lock);
    if (server->tls != NULL)
        gl_test_tls_free(server->tls);
    gl_str_done(&server->log);
    free(server);
}

const char *gl_test_server_url(const struct gl_test_server *server)
{
    return server->url;
}

int gl_test_server_port(const struct gl_test_server *server)
{
    return server->port;
}

const char *gl_test_server_ca(const struct gl_test_server *server)
{
    return server->tls != NULL ? gl_test_tls_ca(server->tls) : NULL;
}

const char *gl_test_server_client_cert(const struct gl_test_server *server)
{
    return server->tls != NULL ? gl_test_tls_client_cert(server->tls) : NULL;
}

const char *gl_test_server_client_key(const struct gl_test_server *server)
{
    return server->tls != NULL ? gl_test_tls_client_key(server->tls) : NULL;
}

static unsigned server_read_count(struct gl_test_server *server, const unsigned *count)
{
    unsigned value;

    pthread_mutex_lock(&server->lock);
    value = *count;
    pthread_mutex_unlock(&server->lock);
    return value;
}

unsigned gl_test_server_connections(struct gl_test_server *server)
{
    return server_read_count(server, &server->connection_count);
}

unsigned gl_test_server_most_at_once(struct gl_test_server *server)
{
    return server_read_count(server, &server->most_open);
}

unsigned gl_test_server_requests(struct gl_test_server *server)
{
    return server_read_count(server, &server->requests);
}

char *gl_test_server_log(struct gl_test_server *server)
{
    char *log;

    pthread_mutex_lock(&server->lock);
    log = gl_strdup(gl_str_text(&server->log));
    pthread_mutex_unlock(&server->lock);
    return log;
}

void gl_test_server_set_latency(struct gl_test_server *server, int64_t ms)
{
    server->latency_ms = ms;
}
