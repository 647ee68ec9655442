/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_USERDATA_H
#define GL_PROVIDERS_USERDATA_H

/* What a rented machine is told at its first boot (cloud-init user-data): install the meter, pinned
 * by its SHA-256, run the command under it, and end the machine when the command or the lease ends.
 * Pure text. https://cloudinit.readthedocs.io/en/latest/explanation/format.html */

#include "base/identity_source.h"
#include "providers/cloud/cloud.h"

/* How the guest gets its meter, and where its readings go. */
struct gl_carried_meter {
    const char *url;    /* https; NULL = embedded from `path`, where it fits */
    const char *sha256; /* of the program, hex; compulsory with a url */
    const char *path;   /* the program on this machine, or its gzip, to embed; NULL = only by URL */
    /* The same for machines of that architecture; gone once it was chosen (broker/carried.h). */
    const char *arm64_url, *arm64_sha256, *arm64_path;
    const char *gpu_url, *gpu_sha256; /* of greenlaunch-meter-gpu; NULL = without */
    const char *push;                 /* https address for readings; NULL = console only */
};

/* How the machine is ended from inside. */
enum gl_guest_end {
    GL_GUEST_POWEROFF, /* shutdown ends it: EC2 with terminate, GCE with a deadline */
    GL_GUEST_STAYS,    /* powering off is still billed: only the broker can end it; it powers off
                        * all the same, to use less */
};

struct gl_userdata {
    const struct gl_launch *launch;
    enum gl_guest_end end;
    const char *console;  /* "/dev/ttyS0", on Arm /dev/ttyAMA0 where that is there; NULL = the cloud
                           * shows none: readings by push only */
    const char *identity; /* whose signed identity it fetches and puts on the console: a provider of
                           * base/identity_source.h; NULL = none */
    const char *notice;   /* at the spot price: whose notice of an early end it watches for ("aws",
                           * "gcp", "azure"); NULL = none */
    bool is_script_only;  /* no cloud-init there: user data of the launch must be a script, too */
    size_t ceiling;       /* bytes that the provider takes */
};

/* The document into *out: a shell script, or a MIME archive of it and the launch's own user data
 * (which begins with #! or #cloud-config). It sets the lease's timer first, then fetches the meter
 * and refuses any but the pinned one, runs the command under it (or the meter alone until the
 * lease ends; the command finds the file of $GREENLAUNCH_NOTICE once the cloud gives notice of an
 * early end, and the console "GLN1 {"kind":CLOUD,"launch":ID}"), writes "GLX1
 * {"exit":N,"launch":ID}" on the console and powers off. After a halt and a start it goes on at
 * boot. Without launch->meter there is a timer and a command, and no reading. TOO_LARGE when it
 * does not fit, and by how much; BAD_VALUE for user data of another kind, a meter without a pin, an
 * address that is not https. The enrolment token is in it: wipe it after use. */
int gl_userdata_make(const struct gl_userdata *wanted, struct gl_str *out, struct gl_error *err);
/* Would it be made? */
int gl_userdata_check(const struct gl_userdata *wanted, struct gl_error *err);

/* The console line of a signed identity: "GLI1 " and this, the document as base64 of the bytes that
 * came: {"document":BASE64,"kind":"aws"}. The challenge that it must hold is a hash of the
 * enrolment token, and Google's audience that of gl_identity_audience(launch, challenge). */
void gl_userdata_challenge(const char *enrol_token, char out[GL_IDENTITY_CHALLENGE]);

#endif
