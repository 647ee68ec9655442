/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_kvm.h"

#include "base/file.h"
#include "base/json.h"
#include "providers/cloud/local_host.h"
#include "providers/cloud/local_qemu.h"

#include <string.h>

#define VERDICT_MAX 4096

static void qemu_key(const char *qemu, char out[GL_LOCAL_KEY])
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_local_fingerprint(qemu, &text);
    gl_local_key(&text, out);
}

static bool is_of(const json_t *object, const char *key, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL && wanted[0] != '\0' && strcmp(text, wanted) == 0;
}

enum gl_kvm_verdict gl_kvm_recall(const char *state, const char *qemu)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(state, "kvm.json");
    GL_AUTO(gl_auto_free) char *text = NULL;
    GL_AUTO(gl_auto_json) json_t *object = NULL;
    struct gl_error ignored = {0};
    char boot[GL_LOCAL_TAG], key[GL_LOCAL_KEY];
    size_t length;

    if (gl_file_read(path, VERDICT_MAX, &text, &length, &ignored) < 0)
        return GL_KVM_UNKNOWN;
    object = gl_json_parse(text, length, path, &ignored);
    gl_local_boot_id(boot);
    qemu_key(qemu, key);
    if (object == NULL || !is_of(object, "boot", boot) || !is_of(object, "qemu", key))
        return GL_KVM_UNKNOWN;
    return json_is_true(json_object_get(object, "works")) ? GL_KVM_WORKS : GL_KVM_FAILS;
}

void gl_kvm_remember(const char *state, const char *qemu, bool works)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(state, "kvm.json");
    GL_AUTO(gl_auto_free) char *text = NULL;
    GL_AUTO(gl_auto_json) json_t *object = NULL;
    struct gl_error ignored = {0};
    char boot[GL_LOCAL_TAG], key[GL_LOCAL_KEY];

    gl_local_boot_id(boot);
    qemu_key(qemu, key);
    object = json_pack("{s:s s:s s:b}", "boot", boot, "qemu", key, "works", works);
    text = gl_json_canonical(object, &ignored);
    if (text != NULL)
        gl_file_write(path, text, strlen(text), 0600, &ignored);
}

int gl_accel_choose(const struct gl_world *world, const char *state, const char *qemu,
                    struct gl_accel_choice *out, struct gl_error *err)
{
    static const struct {
        const char *word;
        struct gl_accel_choice choice;
    } words[] = {{"tcg", {.first = "tcg"}},
                 {"kvm", {.first = "kvm"}},
                 {"probe", {.first = "kvm", .is_probe = true}}};
    const char *forced = world->getenv(world->cookie, "GREENLAUNCH_ACCEL");
    enum gl_kvm_verdict verdict;
    int gid;

    if (forced != NULL && forced[0] != '\0') {
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strcmp(forced, words[i].word) == 0) {
                *out = words[i].choice;
                return 0;
            }
        return gl_fail(err, GL_E_BAD_VALUE, "GREENLAUNCH_ACCEL is tcg, kvm or probe, not %.20s",
                       forced);
    }
    verdict = gl_kvm_recall(state, qemu);
    if (!gl_qemu_may_use_kvm(&gid) || verdict == GL_KVM_FAILS)
        *out = (struct gl_accel_choice){.first = "tcg"};
    else
        *out = (struct gl_accel_choice){.first = "kvm", .is_probe = verdict == GL_KVM_UNKNOWN};
    return 0;
}
