/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_curl_mail.h"

#include "base/http_curl_part.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TIMEOUT_MS 30000
#define WAIT_MS    250

/* One message under way. */
struct mailing {
    const struct gl_mail *mail;
    struct gl_curl curl;
    struct gl_view unsent;
    bool has_begun; /* the server has asked for the message */
    char trouble[CURL_ERROR_SIZE];
};

static size_t on_read(char *out, size_t size, size_t count, void *cookie)
{
    struct mailing *mailing = cookie;
    size_t length = size * count;

    if (length > mailing->unsent.length)
        length = mailing->unsent.length;
    mailing->has_begun = true;
    memcpy(out, mailing->unsent.text, length);
    mailing->unsent.text += length;
    mailing->unsent.length -= length;
    return length;
}

static bool is_this_machine(const char *server)
{
    const char *host = strstr(server, "://") + 3;
    size_t length = strcspn(host, ":/");

    return (length == 9 &&
            (strncmp(host, "127.0.0.1", 9) == 0 || strncmp(host, "localhost", 9) == 0)) ||
           strncmp(host, "[::1]", 5) == 0;
}

static int check(const struct gl_mail *mail, struct gl_error *err)
{
    bool has_scheme =
        strncmp(mail->server, "smtps://", 8) == 0 || strncmp(mail->server, "smtp://", 7) == 0;

    if (!has_scheme || strpbrk(mail->server, "\r\n@ ") != NULL ||
        strpbrk(mail->from, "\r\n<> ") != NULL || strpbrk(mail->to, "\r\n<> ") != NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "not a mail server or mailbox");
    return 0;
}

static struct curl_slist *set_up(struct mailing *mailing, CURL *easy)
{
    CURLcode (*setopt)(CURL *, CURLoption, ...) = mailing->curl.easy_setopt;
    const struct gl_mail *mail = mailing->mail;
    bool has_password = mail->password != NULL && mail->password[0] != '\0';
    bool is_open = !has_password && mail->ca_pem == NULL && is_this_machine(mail->server);
    struct curl_slist *to = mailing->curl.slist_append(NULL, mail->to);
    struct curl_blob ca = {.flags = CURL_BLOB_COPY};
    char from[300];

    snprintf(from, sizeof from, "<%.280s>", mail->from);
    setopt(easy, CURLOPT_NOSIGNAL, 1L);
    setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    setopt(easy, CURLOPT_PROXY, "");
    setopt(easy, CURLOPT_URL, mail->server);
    setopt(easy, CURLOPT_USE_SSL, (long)(is_open ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    setopt(easy, CURLOPT_TIMEOUT_MS, (long)(mail->timeout_ms > 0 ? mail->timeout_ms : TIMEOUT_MS));
    setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
    if (has_password) {
        setopt(easy, CURLOPT_USERNAME, mail->user);
        setopt(easy, CURLOPT_PASSWORD, mail->password);
    }
    if (mail->ca_pem != NULL) {
        ca.data = (void *)(uintptr_t)mail->ca_pem;
        ca.len = strlen(mail->ca_pem);
        setopt(easy, CURLOPT_CAINFO_BLOB, &ca);
        setopt(easy, CURLOPT_CAPATH, NULL);
    } else if (mailing->curl.has_ca_folder) {
        setopt(easy, CURLOPT_CAINFO, NULL);
        setopt(easy, CURLOPT_CAPATH, GL_CURL_CA_FOLDER);
    }
    setopt(easy, CURLOPT_MAIL_FROM, from);
    setopt(easy, CURLOPT_MAIL_RCPT, to);
    setopt(easy, CURLOPT_UPLOAD, 1L);
    setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->message.length);
    setopt(easy, CURLOPT_READFUNCTION, on_read);
    setopt(easy, CURLOPT_READDATA, mailing);
    setopt(easy, CURLOPT_ERRORBUFFER, mailing->trouble);
    return to;
}

static CURLcode transfer(struct mailing *mailing, CURL *easy)
{
    CURLM *multi = mailing->curl.multi_init();
    CURLcode result = CURLE_FAILED_INIT;
    const CURLMsg *message;
    int running = 1, left;

    if (multi == NULL)
        return CURLE_FAILED_INIT;
    if (mailing->curl.multi_add_handle(multi, easy) == CURLM_OK)
        while (mailing->curl.multi_perform(multi, &running) == CURLM_OK && running > 0)
            mailing->curl.multi_poll(multi, NULL, 0, WAIT_MS, NULL);
    while ((message = mailing->curl.multi_info_read(multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            result = message->data.result;
    mailing->curl.multi_remove_handle(multi, easy);
    mailing->curl.multi_cleanup(multi);
    return result;
}

static enum gl_errc code_of(CURLcode result, long said)
{
    if (result == CURLE_LOGIN_DENIED || said == 530 || said == 534 || said == 535)
        return GL_E_NO_CREDENTIAL;
    if (said >= 500)
        return GL_E_PERMISSION;
    if (said >= 400)
        return GL_E_RATE_LIMIT;
    return result == CURLE_OPERATION_TIMEDOUT ? GL_E_TIMEOUT : GL_E_NETWORK;
}

/* What a server says may repeat what it was told: only its code is. */
static int fail_mailing(const struct mailing *mailing, CURLcode result, long said,
                        struct gl_error *err)
{
    const char *what = mailing->curl.easy_strerror(result);
    enum gl_errc code = code_of(result, said);

    if (mailing->has_begun && said < 400)
        return gl_fail(err, GL_E_OUTCOME,
                       "%s: it is not known whether the server took the message: %s",
                       mailing->mail->server, what);
    if (said > 0)
        return gl_fail(err, code, "%s: the server answered %ld: %s", mailing->mail->server, said,
                       what);
    return gl_fail(err, code, "%s: %s", mailing->mail->server, what);
}

/* TLS libraries write without MSG_NOSIGNAL: a server that hangs up would end the program. */
static CURLcode transfer_quietly(struct mailing *mailing, CURL *easy)
{
    const struct timespec no_time = {0};
    sigset_t pipe_only, before, pending;
    CURLcode result;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    result = transfer(mailing, easy);
    if (!sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe_only, NULL, &no_time);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

int gl_mail_send(const struct gl_mail *mail, long *out_code, struct gl_error *err)
{
    struct mailing mailing = {.mail = mail, .unsent = mail->message};
    struct curl_slist *to;
    CURLcode result;
    CURL *easy;
    long said = 0;

    if (check(mail, err) < 0 || gl_curl_load(&mailing.curl, err) < 0)
        return -1;
    easy = mailing.curl.easy_init();
    if (easy == NULL)
        gl_die_of_memory();
    to = set_up(&mailing, easy);
    result = transfer_quietly(&mailing, easy);
    mailing.curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &said);
    mailing.curl.easy_cleanup(easy);
    mailing.curl.slist_free_all(to);
    *out_code = said;
    return result == CURLE_OK ? 0 : fail_mailing(&mailing, result, said, err);
}
