/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_HTTP_CURL_PART_H
#define GL_BASE_HTTP_CURL_PART_H

/* https://curl.se/libcurl/c/ (easy and multi interface), by dlopen() on first use: mapping libcurl
 * and its TLS library costs several milliseconds that a command without network must not pay. Only
 * types and constants of its headers are used. */

#include "base/http_part.h"

#include <curl/curl.h>

#define GL_CURL_CA_FOLDER "/etc/ssl/certs"

struct gl_curl {
    void *library; /* never closed: its TLS library leaves handlers for the exit behind */
    bool has_ca_folder;

    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    void (*easy_reset)(CURL *easy);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    void (*easy_cleanup)(CURL *easy);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
    CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_perform)(CURLM *multi, int *out_running);
    CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd *more, unsigned count, int wait_ms,
                            int *out_ready);
    CURLMsg *(*multi_info_read)(CURLM *multi, int *out_left);
    CURLMcode (*multi_cleanup)(CURLM *multi);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
};

/* Fine to call again. NETWORK when it is not installed. */
int gl_curl_load(struct gl_curl *curl, struct gl_error *err);

/* What a request leaves with curl until the exchange is over; zeroed at first. */
struct gl_curl_question {
    struct curl_slist *headers, *connect_to;
    struct gl_view unsent; /* of the body */
};
/* Everything of one request but the callbacks for its answer. Request and question must stay in
 * place until the exchange is over. */
void gl_curl_set(const struct gl_curl *curl, CURL *easy, const struct gl_http_request *request,
                 struct gl_curl_question *question);
void gl_curl_question_done(const struct gl_curl *curl, struct gl_curl_question *question);

#endif
