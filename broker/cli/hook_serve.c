/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/hook_serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/interrupt.h"

#define SECRET_MAX     ((size_t)64 << 10)
#define CERT_MAX       ((size_t)256 << 10)
#define HMAC_KEY_LEAST 16
#define STEP_MS        200
#define GRACE_MS       5000
#define LISTEN         "127.0.0.1:8443"

/* ---- secrets ---- */

/* Nobody else may read it: no others at all, and the group only of a file that was put there for us
 * by somebody else, as Kubernetes does. */
static int check_mode(const char *option, const char *path, struct gl_error *err)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return 0; /* reading it says why */
    if ((status.st_mode & 027) == 0 && ((status.st_mode & 040) == 0 || status.st_uid != geteuid()))
        return 0;
    return gl_fail(err, GL_E_USAGE, "%s %s: others may read it: chmod 600", option, path);
}

static int read_secret(const char *option, const char *path, struct gl_secret *out,
                       struct gl_error *err)
{
    char *text;
    size_t length;

    if (check_mode(option, path, err) != 0)
        return -1;
    if (gl_file_read_given(path, SECRET_MAX, &text, &length, err) != 0)
        return gl_wrap(err, "%s", option);
    gl_secret_init(out, text, length + 1); /* with its NUL */
    gl_wipe(text, length);
    free(text);
    return 0;
}

/* Without the line's end that editors add. */
static int read_hmac_key(struct gl_hook_serving *serving, struct gl_error *err)
{
    const char *path = serving->values->serve.hmac_key_file;
    struct gl_secret file = {0};
    size_t length;

    if (path == NULL)
        return 0;
    if (read_secret("--hmac-key-file", path, &file, err) != 0)
        return -1;
    length = file.length - 1;
    while (length > 0 && (file.bytes[length - 1] == '\n' || file.bytes[length - 1] == '\r'))
        length--;
    if (length >= HMAC_KEY_LEAST)
        gl_secret_init(&serving->hmac_key, file.bytes, length);
    gl_secret_done(&file);
    if (length < HMAC_KEY_LEAST)
        return gl_fail(err, GL_E_USAGE, "--hmac-key-file %s: a key of at least %d characters", path,
                       HMAC_KEY_LEAST);
    return 0;
}

int gl_hook_serving_tls(struct gl_hook_serving *serving, struct gl_error *err)
{
    const char *cert = serving->values->serve.tls_cert, *key = serving->values->serve.tls_key;
    size_t length;

    if ((cert == NULL) != (key == NULL))
        return gl_fail(err, GL_E_USAGE, "--tls-cert and --tls-key belong together");
    if (cert == NULL)
        return 0;
    if (gl_file_read_given(cert, CERT_MAX, &serving->certificate, &length, err) != 0)
        return gl_wrap(err, "--tls-cert");
    return read_secret("--tls-key", key, &serving->tls_key, err);
}

/* ---- start ---- */

static int check_options(const struct gl_context *context, const struct gl_hook_values *values,
                         struct gl_error *err)
{
    if (context->globals.at != NULL)
        return gl_fail(err, GL_E_USAGE, "--at does not apply: a server answers now");
    if (values->outputs.count > 0)
        return gl_fail(err, GL_E_USAGE, "--output does not apply: the protocol has its own form");
    if (values->baseline != NULL || values->write_baseline != NULL || values->prunes)
        return gl_fail(err, GL_E_USAGE, "baselines are for plans in files, not for servers");
    return 0;
}

int gl_hook_serving_init(struct gl_context *context, const struct gl_hook_values *values,
                         struct gl_hook_serving *out, struct gl_error *err)
{
    *out = (struct gl_hook_serving){.context = context, .values = values};
    /* A policy that cannot be read is told now, not to the first that asks; with it what the
     * configuration is warned of. */
    if (check_options(context, values, err) != 0 || read_hmac_key(out, err) != 0 ||
        gl_hook_serving_tls(out, err) != 0 || gl_hook_rules_check(context, values, err) != 0)
        return -1;
    out->mapping = gl_mapping_open(values->mapping_dir, err);
    return out->mapping != NULL ? 0 : -1;
}

void gl_hook_serving_done(struct gl_hook_serving *serving)
{
    gl_mapping_free(serving->mapping);
    gl_secret_done(&serving->hmac_key);
    gl_secret_done(&serving->tls_key);
    free(serving->certificate);
    *serving = (struct gl_hook_serving){0};
}

/* ---- serving ---- */

void gl_hook_serve_log(const struct gl_context *context, const char *line)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_error ignored = {0};

    gl_str_addf(&text, "%s%s\n", context->is_demo ? "DEMO " : "", line);
    if (!context->globals.is_quiet)
        gl_fd_write(STDERR_FILENO, text.text, text.length, &ignored);
}

void gl_hook_serve_health(void *cookie, const struct gl_server_request *request,
                          struct gl_server_answer *out)
{
    (void)cookie;
    (void)request;
    gl_str_add(&out->body, "ok\n");
}

void gl_hook_serve_refuse(struct gl_server_answer *out, int status, const char *why)
{
    out->status = status;
    snprintf(out->note, sizeof out->note, "%.150s", why);
    gl_str_addf(&out->body, "%s\n", why);
}

void gl_hook_serve_reply(struct gl_server_answer *out, char *json, const char *id, const char *note)
{
    out->content_type = "application/json";
    gl_str_add(&out->body, json);
    free(json);
    snprintf(out->note, sizeof out->note, "%.80s%s%.70s", id, id[0] != '\0' ? " " : "", note);
}

static void log_line(void *cookie, const char *line)
{
    const struct gl_hook_serving *serving = *(struct gl_hook_serving *const *)cookie;

    gl_hook_serve_log(serving->context, line);
}

static int serve(struct gl_server *server, const struct gl_hook_serve_loop *loop,
                 struct gl_error *err)
{
    while (!gl_interrupted()) {
        if (gl_server_run(server, STEP_MS, err) != 0)
            return -1;
        if (loop->tend != NULL)
            loop->tend(loop->cookie);
    }
    return 0;
}

int gl_hook_serve_loop(struct gl_hook_serving *serving, const struct gl_hook_serve_loop *loop,
                       struct gl_error *err)
{
    const char *listen = serving->values->serve.listen;
    struct gl_server *server =
        gl_server_start(&(struct gl_server_options){.listen = listen != NULL ? listen : LISTEN,
                                                    .certificate_pem = serving->certificate,
                                                    .key_pem = &serving->tls_key,
                                                    .routes = loop->routes,
                                                    .route_count = loop->route_count,
                                                    .cookie = loop->cookie,
                                                    .log = log_line,
                                                    .world = &serving->context->world},
                        err);
    int result;

    if (server == NULL)
        return -1;
    gl_say(serving->context, "listening on %s: %s", gl_server_url(server), loop->what);
    result = serve(server, loop, err);
    gl_server_stop(server, GRACE_MS);
    if (result == 0)
        gl_say(serving->context, "stopped");
    return result;
}
