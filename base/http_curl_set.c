/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_curl_part.h"
#include "base/sign.h"

#include <string.h>

/* The options of one request. */

/* Signals and the like give up early: a host that does not even take a connection is down. A
 * cloud's slower calls may wait longer for it. */
#define CONNECT_SHORT_MS 1500L
#define CONNECT_LONG_MS  10000L

/* Blobs are borrowed: the request outlives the exchange. libcurl copies what a kept connection
 * needs to be told apart, which is not the key. */
static void set_blob(const struct gl_curl *curl, CURL *easy, CURLoption option, const char *pem)
{
    struct curl_blob blob = {.flags = CURL_BLOB_NOCOPY};

    if (pem == NULL)
        return;
    memcpy(&blob.data, &pem, sizeof pem); /* it only reads; its type has no const */
    blob.len = strlen(pem);
    curl->easy_setopt(easy, option, &blob);
}

static void set_tls(const struct gl_curl *curl, CURL *easy, const struct gl_http_request *request)
{
    CURLcode (*setopt)(CURL *, CURLoption, ...) = curl->easy_setopt;

    setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (request->ca_pem != NULL) {
        setopt(easy, CURLOPT_CAINFO, (char *)NULL);
        setopt(easy, CURLOPT_CAPATH, (char *)NULL);
        set_blob(curl, easy, CURLOPT_CAINFO_BLOB, request->ca_pem);
    } else if (curl->has_ca_folder) {
        setopt(easy, CURLOPT_CAINFO, (char *)NULL);
        setopt(easy, CURLOPT_CAPATH, GL_CURL_CA_FOLDER);
    }
    if (request->client_cert_pem == NULL)
        return;
    setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
    setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
    set_blob(curl, easy, CURLOPT_SSLCERT_BLOB, request->client_cert_pem);
    set_blob(curl, easy, CURLOPT_SSLKEY_BLOB,
             request->client_key_pem != NULL ? request->client_key_pem : request->client_cert_pem);
}

static long connect_timeout_ms(int64_t timeout_ms)
{
    long most_ms = timeout_ms > GL_HTTP_TIMEOUT_MS ? CONNECT_LONG_MS : CONNECT_SHORT_MS;

    return timeout_ms < most_ms ? (long)timeout_ms : most_ms;
}

static size_t on_read(char *out, size_t size, size_t count, void *cookie)
{
    struct gl_view *unsent = cookie;
    size_t length = size * count < unsent->length ? size * count : unsent->length;

    if (length > 0)
        memcpy(out, unsent->text, length);
    unsent->text += length;
    unsent->length -= length;
    return length;
}

/* curl sends again by itself when a kept connection ends before the answer begins. That must not be
 * where a request may have changed something: a body that curl cannot rewind keeps it from doing
 * so, and without a body a new connection does. */
static void set_once(const struct gl_curl *curl, CURL *easy, struct gl_curl_question *question)
{
    CURLcode (*setopt)(CURL *, CURLoption, ...) = curl->easy_setopt;

    setopt(easy, CURLOPT_READFUNCTION, on_read);
    setopt(easy, CURLOPT_READDATA, &question->unsent);
    setopt(easy, CURLOPT_FRESH_CONNECT, question->unsent.length == 0 ? 1L : 0L);
}

static void set_method(const struct gl_curl *curl, CURL *easy,
                       const struct gl_http_request *request, struct gl_curl_question *question)
{
    CURLcode (*setopt)(CURL *, CURLoption, ...) = curl->easy_setopt;
    const char *method = request->method;
    bool is_sent_with_length = request->body != NULL || strcmp(method, "POST") == 0 ||
                               strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;

    if (strcmp(method, "HEAD") == 0) {
        setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (request->body != NULL)
        question->unsent = (struct gl_view){request->body, request->body_length};
    if (strcmp(method, "GET") != 0)
        set_once(curl, easy, question);
    else if (request->body != NULL)
        setopt(easy, CURLOPT_POSTFIELDS, request->body);
    if (is_sent_with_length) { /* servers want to know it even where it is 0 */
        setopt(easy, CURLOPT_POST, 1L);
        setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)question->unsent.length);
    }
    setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* What curl calls socks5 would tell the name server here where we are going. */
static void set_proxy(const struct gl_curl *curl, CURL *easy, const struct gl_http_request *request)
{
    CURLcode (*setopt)(CURL *, CURLoption, ...) = curl->easy_setopt;
    static const char socks[] = "socks5://";
    GL_AUTO(gl_str_done) struct gl_str proxy = {0};
    bool is_plain = strncmp(request->url, "http://", 7) == 0;

    if (request->is_direct || (request->carries_secret && is_plain)) {
        setopt(easy, CURLOPT_PROXY, "");
        return;
    }
    if (request->proxy_url == NULL)
        return;
    if (strncmp(request->proxy_url, socks, strlen(socks)) == 0)
        gl_str_addf(&proxy, "socks5h://%s", request->proxy_url + strlen(socks));
    else
        gl_str_add(&proxy, request->proxy_url);
    setopt(easy, CURLOPT_PROXY, proxy.text);
    setopt(easy, CURLOPT_NOPROXY, "");
    if (curl->has_ca_folder) {
        setopt(easy, CURLOPT_PROXY_CAINFO, (char *)NULL);
        setopt(easy, CURLOPT_PROXY_CAPATH, GL_CURL_CA_FOLDER);
    }
}

/* Redirects are not followed at all: a 3xx goes to the caller, who asked for one address. The limit
 * of the whole exchange ends a drip of bytes as well. */
static void set_rules(const struct gl_curl *curl, CURL *easy, const struct gl_http_request *request)
{
    CURLcode (*setopt)(CURL *, CURLoption, ...) = curl->easy_setopt;
    int64_t timeout_ms = gl_http_timeout_ms(request);
    bool is_plain = strncmp(request->url, "http://", 7) == 0;

    setopt(easy, CURLOPT_NOSIGNAL, 1L);
    setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms < INT32_MAX ? (long)timeout_ms : (long)INT32_MAX);
    setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms(timeout_ms));
    /* Many at once wait a moment to learn whether they can share one connection. */
    setopt(easy, CURLOPT_HTTP_VERSION, is_plain ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS);
    setopt(easy, CURLOPT_PIPEWAIT, is_plain ? 0L : 1L);
    set_proxy(curl, easy, request);
    setopt(easy, CURLOPT_USERAGENT, "greenlaunch/" GL_VERSION);
    setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)gl_http_ceiling(request));
#if LIBCURL_VERSION_NUM >= 0x075700
    setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a name server beyond the timeout */
#endif
}

static void add_line(const struct gl_curl *curl, struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl->slist_append(*list, line);

    if (longer == NULL)
        gl_die_of_memory();
    *list = longer;
}

/* Header lines of a request; "Expect:" keeps curl from asking before it sends a body. */
static struct curl_slist *header_list(const struct gl_curl *curl,
                                      const struct gl_http_request *request)
{
    struct curl_slist *list = curl->slist_append(NULL, "Expect:");

    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        add_line(curl, &list, request->headers[i]);
    return list;
}

/* curl verifies the host of the address: that becomes the wanted name, while the connection and the
 * Host line stay with the real one. https://curl.se/libcurl/c/CURLOPT_CONNECT_TO.html */
static void set_address(const struct gl_curl *curl, CURL *easy,
                        const struct gl_http_request *request, struct gl_curl_question *question)
{
    GL_AUTO(gl_str_done) struct gl_str url = {0}, to = {0}, host = {0};
    size_t start = strlen("https://"), end = gl_http_origin(request->url);
    const char *authority = request->url + start, *port;

    if (request->tls_name == NULL || strncmp(request->url, "https://", start) != 0) {
        curl->easy_setopt(easy, CURLOPT_URL, request->url);
        return;
    }
    port = authority[0] == '[' ? memchr(authority, ']', end - start) : authority;
    port = port != NULL ? memchr(port, ':', end - start - (size_t)(port - authority)) : NULL;
    gl_str_addf(&url, "https://%s%s", request->tls_name, port != NULL ? port : request->url + end);
    gl_str_addf(&to, "::%.*s%s", (int)(end - start), authority, port != NULL ? "" : ":");
    gl_str_addf(&host, "Host: %.*s", (int)(end - start), authority);
    add_line(curl, &question->connect_to, to.text);
    add_line(curl, &question->headers, host.text);
    curl->easy_setopt(easy, CURLOPT_CONNECT_TO, question->connect_to);
    curl->easy_setopt(easy, CURLOPT_URL, url.text);
}

void gl_curl_set(const struct gl_curl *curl, CURL *easy, const struct gl_http_request *request,
                 struct gl_curl_question *question)
{
    set_rules(curl, easy, request);
    set_tls(curl, easy, request);
    set_method(curl, easy, request, question);
    question->headers = header_list(curl, request);
    set_address(curl, easy, request, question);
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, question->headers);
}

void gl_curl_question_done(const struct gl_curl *curl, struct gl_curl_question *question)
{
    for (struct curl_slist *at = question->headers; at != NULL; at = at->next)
        gl_wipe(at->data, strlen(at->data));
    curl->slist_free_all(question->headers);
    curl->slist_free_all(question->connect_to);
    *question = (struct gl_curl_question){0};
}
