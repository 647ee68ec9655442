/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_part.h"

#include <curl/curl.h>
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* https://curl.se/libcurl/c/ (easy interface). Only types and constants of its headers are used:
 * the functions come from dlopen(), because mapping libcurl and its TLS library costs several
 * milliseconds that a command without network must not pay. */

#define CONNECT_TIMEOUT_MS 1500L
#define CA_FOLDER          "/etc/ssl/certs"

struct curl_api {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    void (*easy_reset)(CURL *easy);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *easy);
    const char *(*easy_strerror)(CURLcode code);
    void (*easy_cleanup)(CURL *easy);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
};

struct curl_http {
    struct gl_http http;
    void *library; /* never closed: its TLS library leaves handlers for the exit behind */
    struct curl_api api;
    CURL *easy; /* one for all calls, so that connections are used again */
    bool has_ca_folder;
};

/* What the callbacks fill during one exchange. */
struct exchange {
    struct gl_http_headers headers;
    struct gl_http_reply reply;
    struct gl_str body;
    char trouble[CURL_ERROR_SIZE];
};

/* ISO C has no conversion from object to function pointers; POSIX dlsym() promises one. */
static bool find(void *library, const char *name, void *out_function)
{
    void *symbol = dlsym(library, name);

    memcpy(out_function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool find_all(void *library, struct curl_api *out)
{
    return find(library, "curl_global_init", &out->global_init) &&
           find(library, "curl_easy_init", &out->easy_init) &&
           find(library, "curl_easy_reset", &out->easy_reset) &&
           find(library, "curl_easy_setopt", &out->easy_setopt) &&
           find(library, "curl_easy_perform", &out->easy_perform) &&
           find(library, "curl_easy_strerror", &out->easy_strerror) &&
           find(library, "curl_easy_cleanup", &out->easy_cleanup) &&
           find(library, "curl_slist_append", &out->slist_append) &&
           find(library, "curl_slist_free_all", &out->slist_free_all);
}

/* A folder of certificates by hash is read one file a connection; the bundle costs 50 times as
 * much. Some systems keep only a bundle there: then libcurl's own default is right. */
static bool is_hashed_folder(const char *path)
{
    DIR *folder = opendir(path);
    bool is_hashed = false;
    const struct dirent *entry;

    if (folder == NULL)
        return false;
    while (!is_hashed && (entry = readdir(folder)) != NULL)
        is_hashed = strlen(entry->d_name) == 10 && entry->d_name[8] == '.' &&
                    strspn(entry->d_name, "0123456789abcdef") == 8;
    closedir(folder);
    return is_hashed;
}

static int load(struct curl_http *self, struct gl_error *err)
{
    if (self->easy != NULL)
        return 0;
    if (self->library == NULL)
        self->library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (self->library == NULL)
        return gl_fail(err, GL_E_NETWORK, "libcurl is not installed (libcurl.so.4)");
    if (!find_all(self->library, &self->api))
        return gl_fail(err, GL_E_NETWORK, "libcurl.so.4 lacks a function");
    if (self->api.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        self->easy = self->api.easy_init();
    if (self->easy == NULL)
        return gl_fail(err, GL_E_NETWORK, "libcurl does not start");
    self->has_ca_folder = is_hashed_folder(CA_FOLDER);
    return 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *cookie)
{
    struct exchange *exchange = cookie;
    size_t length = size * count;
    size_t bare = length;
    int status;

    while (bare > 0 && (line[bare - 1] == '\n' || line[bare - 1] == '\r'))
        bare--;
    status = gl_http_status_parse(line, bare);
    if (status >= 0) /* also of a proxy or an interim answer: the last block counts */
        gl_http_headers_init(&exchange->headers, &exchange->reply, status);
    else
        gl_http_headers_line(&exchange->headers, line, bare);
    return length;
}

/* A short count makes curl stop with CURLE_WRITE_ERROR. */
static size_t on_body(char *bytes, size_t size, size_t count, void *cookie)
{
    struct exchange *exchange = cookie;

    gl_str_add_bytes(&exchange->body, bytes, size * count);
    return exchange->body.is_cut ? 0 : size * count;
}

static void set_method(const struct curl_http *self, const struct gl_http_request *request)
{
    CURLcode (*setopt)(CURL *, CURLoption, ...) = self->api.easy_setopt;
    bool has_body = request->body != NULL;

    if (strcmp(request->method, "HEAD") == 0)
        setopt(self->easy, CURLOPT_NOBODY, 1L);
    else if (has_body || strcmp(request->method, "POST") == 0) {
        setopt(self->easy, CURLOPT_POSTFIELDS, has_body ? request->body : "");
        setopt(self->easy, CURLOPT_POSTFIELDSIZE_LARGE,
               (curl_off_t)(has_body ? request->body_length : 0));
        setopt(self->easy, CURLOPT_CUSTOMREQUEST, request->method);
    } else
        setopt(self->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* Redirects are not followed at all: a 3xx goes to the caller, who asked for one address. */
static void set_rules(const struct curl_http *self, const struct gl_http_request *request)
{
    CURLcode (*setopt)(CURL *, CURLoption, ...) = self->api.easy_setopt;
    long timeout_ms = (long)(request->timeout_ms > 0 ? request->timeout_ms : GL_HTTP_TIMEOUT_MS);

    setopt(self->easy, CURLOPT_NOSIGNAL, 1L);
    setopt(self->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    setopt(self->easy, CURLOPT_FOLLOWLOCATION, 0L);
    setopt(self->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    setopt(self->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (self->has_ca_folder) {
        setopt(self->easy, CURLOPT_CAINFO, (char *)NULL);
        setopt(self->easy, CURLOPT_CAPATH, CA_FOLDER);
    }
    setopt(self->easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    setopt(self->easy, CURLOPT_CONNECTTIMEOUT_MS,
           timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS);
    setopt(self->easy, CURLOPT_USERAGENT, "greenlaunch/" GL_VERSION);
    setopt(self->easy, CURLOPT_ACCEPT_ENCODING, "");
    setopt(self->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)gl_http_ceiling(request));
}

/* Header lines of a request; "Expect:" keeps curl from asking before it sends a body. */
static struct curl_slist *header_list(const struct curl_http *self,
                                      const struct gl_http_request *request)
{
    struct curl_slist *list = self->api.slist_append(NULL, "Expect:");

    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++) {
        struct curl_slist *longer = self->api.slist_append(list, request->headers[i]);

        if (longer == NULL)
            gl_die_of_memory();
        list = longer;
    }
    return list;
}

/* TLS libraries write without MSG_NOSIGNAL: a peer that hangs up would end the program. */
static CURLcode perform_without_sigpipe(const struct curl_http *self)
{
    const struct timespec no_time = {0};
    sigset_t pipe_only, before, pending;
    CURLcode code;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    code = self->api.easy_perform(self->easy);
    if (!sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe_only, NULL, &no_time);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static CURLcode exchange_run(struct curl_http *self, const struct gl_http_request *request,
                             struct exchange *exchange)
{
    CURLcode (*setopt)(CURL *, CURLoption, ...) = self->api.easy_setopt;
    struct curl_slist *list = header_list(self, request);
    CURLcode code;

    self->api.easy_reset(self->easy); /* options only; connections stay */
    set_rules(self, request);
    set_method(self, request);
    setopt(self->easy, CURLOPT_URL, request->url);
    setopt(self->easy, CURLOPT_HTTPHEADER, list);
    setopt(self->easy, CURLOPT_HEADERFUNCTION, on_header);
    setopt(self->easy, CURLOPT_HEADERDATA, exchange);
    setopt(self->easy, CURLOPT_WRITEFUNCTION, on_body);
    setopt(self->easy, CURLOPT_WRITEDATA, exchange);
    setopt(self->easy, CURLOPT_ERRORBUFFER, exchange->trouble);
    code = perform_without_sigpipe(self);
    self->api.easy_reset(self->easy); /* it points at our stack and the caller's body */
    self->api.slist_free_all(list);
    return code;
}

static int fail_exchange(const struct curl_http *self, const struct gl_http_request *request,
                         const struct exchange *exchange, CURLcode code, struct gl_error *err)
{
    char what[GL_HTTP_WHAT];

    gl_http_what(request, what);
    if (exchange->body.is_cut || code == CURLE_FILESIZE_EXCEEDED)
        return gl_fail(err, GL_E_TOO_LARGE, "%s: the answer is larger than %zu bytes", what,
                       gl_http_ceiling(request));
    return gl_fail(
        err, code == CURLE_OPERATION_TIMEDOUT ? GL_E_TIMEOUT : GL_E_NETWORK, "%s: %s", what,
        exchange->trouble[0] != '\0' ? exchange->trouble : self->api.easy_strerror(code));
}

static int curl_send(struct gl_http *http, const struct gl_http_request *request,
                     struct gl_http_reply *out, struct gl_error *err)
{
    struct curl_http *self = (struct curl_http *)http;
    struct exchange exchange = {.body.ceiling = gl_http_ceiling(request)};
    CURLcode code;
    int result = 0;

    if (load(self, err) < 0)
        return -1;
    gl_http_headers_init(&exchange.headers, &exchange.reply, 0);
    code = exchange_run(self, request, &exchange);
    if (code != CURLE_OK)
        result = fail_exchange(self, request, &exchange, code, err);
    else {
        gl_http_headers_end(&exchange.headers);
        exchange.reply.body_length = exchange.body.length;
        exchange.reply.body = gl_str_take(&exchange.body);
        *out = exchange.reply;
    }
    gl_str_done(&exchange.body);
    return result;
}

static void curl_close(struct gl_http *http)
{
    struct curl_http *self = (struct curl_http *)http;

    if (self->easy != NULL)
        self->api.easy_cleanup(self->easy);
    free(self);
}

static const struct gl_http_ops curl_ops = {.name = "curl", .send = curl_send, .close = curl_close};

struct gl_http *gl_http_curl_new(void)
{
    struct curl_http *self = gl_alloc(sizeof *self);

    self->http.ops = &curl_ops;
    return &self->http;
}
