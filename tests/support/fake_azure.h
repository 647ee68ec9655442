/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_FAKE_AZURE_H
#define GL_TESTS_FAKE_AZURE_H

/* A Resource Manager of our own on a loopback port: machines with tags and power states, disks,
 * snapshots, operations that are accepted first and done some looks later, sign-in with a secret, a
 * certificate, another issuer's token or the machine's identity, retail prices, a console log
 * behind an address that is a key. Strict: what the real one would refuse (unknown members, a
 * missing api-version, a token where none belongs) is a 4xx here and noted in `complaints`. Sizes
 * of machines that misbehave: Standard_Stockout   accepted, then AllocationFailed: the machine is
 * left over, Failed Standard_Stuck      the same, and the leftover cannot be deleted
 *   Standard_Refused    refused, SkuNotAvailable        Standard_Quota     refused, cores
 *   Standard_Policy     refused by a policy, nested     Standard_Forbidden AuthorizationFailed
 *   Standard_Unknown    no such size                    Standard_Slow      429 once, Retry-After
 *   Standard_Lost       made, and the answer is cut     Standard_Silent    not made, no answer
 *   Standard_Late       made, and 404 for two looks     Standard_Endless   never done
 *   Standard_Elsewhere  the operation is at another host
 *   Standard_Racy       another launcher of the same token was faster: 412
 *   Standard_Foreign    the name was taken by somebody else meanwhile: 412
 *   Standard_Shaky      the operation's address answers 500 five times */

#include "base/json.h"
#include "tests/support/http_server.h"

#define FAKE_AZURE_SUBSCRIPTION "11111111-2222-3333-4444-555555555555"
#define FAKE_AZURE_TENANT       "99999999-8888-7777-6666-555555555555"
#define FAKE_AZURE_CLIENT       "12345678-1234-1234-1234-123456789abc"
#define FAKE_AZURE_GROUP        "green"
#define FAKE_AZURE_VM_ID        "02aab8a4-74ef-476e-8182-f6d2ba4166a6" /* of every machine */
#define FAKE_AZURE_SECRET       "planted~client.secret_0123456789abcdefABCDEF"
#define FAKE_AZURE_TOKEN        "planted-azure-access-token-0123456789"
#define FAKE_AZURE_SIGNATURE    "planted-signature-of-the-log-0123456789"
#define FAKE_AZURE_ISSUED       "planted-token-of-another-issuer-0123456789"

struct fake_azure {
    struct gl_test_server *server;
    json_t *vms, *disks, *snapshots; /* by name, as the API shows them */
    json_t *operations;              /* by number */
    json_t *requests;                /* every one: method, path, query, body, if-none-match */
    unsigned operation_count, made, tokens_given;
    unsigned looks;       /* an operation is done after so many */
    unsigned slow_left;   /* answers 429 so often */
    unsigned late_left;   /* looks that are 404 */
    unsigned shaky_left;  /* looks at operations that are 500 */
    unsigned deny_tokens; /* so many API calls are answered 401 */
    int cores_left, percent;
    bool is_start_full;  /* start: AllocationFailed, later */
    bool is_read_only;   /* the role lacks virtualMachines/write */
    bool is_restricted;  /* the size is NotAvailableForSubscription */
    bool has_evil_pages; /* lists go on at another host */
    bool has_evil_log;   /* the console log is elsewhere */
    bool is_echoing;     /* sign-in fails and quotes what it was sent */
    const char *log;     /* of the console; NULL = none yet */
    struct gl_str complaints;
};

void fake_azure_start(struct fake_azure *fake);
void fake_azure_stop(struct fake_azure *fake);
size_t fake_azure_running(const struct fake_azure *fake);
/* Was there such a request? Bodies without regard to order; to be asked between two calls. */
bool fake_azure_was_asked(const struct fake_azure *fake, const json_t *request);

#endif
