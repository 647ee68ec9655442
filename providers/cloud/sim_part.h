/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIM_PART_H
#define GL_PROVIDERS_SIM_PART_H

/* The insides of the simulated cloud: sim_time.c says what has become of an instance by now, sim.c
 * are the operations. */

#include "providers/cloud/sim.h"

struct gl_sim_type {
    const char *name;
    uint32_t vcpus, memory_mib;
};

/* From `from_ms` until the next one begins. */
struct gl_sim_span {
    int64_t from_ms;
    uint32_t place;
    bool is_running;
};

struct gl_sim_instance {
    char launch_id[GL_CLOUD_ID], token[GL_HASH_HEX];
    uint8_t enrol[32];
    uint32_t attempt, type, interval_s, place;
    enum gl_instance_state state;
    int64_t started_ms, expires_ms; /* expires 0 = never */
    int64_t thaw_ms;                /* moved while running: it goes on then; 0 = it is not frozen */
    int64_t ended_ms;
    bool was_in_order; /* its end */
    uint32_t span_count;
    struct gl_sim_span spans[GL_SIM_SPANS_MAX];
};

struct gl_sim_known_place {
    char name[40];
    int64_t price_u_usd_per_h;
    uint32_t capacity;
};

struct gl_sim_known_fault {
    enum gl_sim_fault_kind kind;
    uint32_t place;
    int64_t from_ms, until_ms, extra_ms;
};

/* Lies in memory that child processes share. */
struct gl_sim {
    size_t bytes;
    int fd; /* of that memory, for the lock */
    const struct gl_world *world;
    int64_t move_ms;
    void *cookie;
    void (*console)(void *cookie, const struct gl_sim_guest *guest, struct gl_str *out);
    uint32_t place_count, fault_count;
    struct gl_sim_known_place places[GL_SIM_PLACES_MAX];
    struct gl_sim_known_fault faults[GL_SIM_FAULTS_MAX];
    const char *regions[GL_SIM_PLACES_MAX + 1];
    size_t count, capacity;
    struct gl_sim_instance instances[];
};

/* The memory of a handle, locked until the end of the scope. Advisory and by process: one that is
 * killed gives it back. */
#define GL_SIM_LOCKED(name, of) GL_AUTO(gl_sim_unlock) struct gl_sim *name = gl_sim_locked(of)
struct gl_sim *gl_sim_locked(struct gl_sim *sim);
void gl_sim_unlock(struct gl_sim **sim);
int64_t gl_sim_now_ms(const struct gl_sim *sim);

/* ---- what follows expects the lock ---- */

/* UNKNOWN_NAME. */
int gl_sim_find_place(const struct gl_sim *sim, const char *name, uint32_t *out,
                      struct gl_error *err);
/* "sim-12", brought to the present; NULL: NOT_FOUND. */
struct gl_sim_instance *gl_sim_find(struct gl_sim *sim, const char *id, struct gl_error *err);
/* -1 NETWORK while the place does not answer. */
int gl_sim_reach(const struct gl_sim *sim, uint32_t place, struct gl_error *err);
/* May one more begin there? NETWORK, LAUNCH (gone), RATE_LIMIT (no stock). */
int gl_sim_admit(struct gl_sim *sim, uint32_t place, struct gl_error *err);

/* Bring an instance to the present: what was to happen until now has happened. */
void gl_sim_settle(struct gl_sim *sim, struct gl_sim_instance *instance, int64_t now_ms);
/* It goes on from now in `place`, running or not; false when it has had too many stretches. */
bool gl_sim_note(struct gl_sim_instance *instance, int64_t now_ms, uint32_t place, bool is_running);
void gl_sim_end(struct gl_sim_instance *instance, enum gl_instance_state state, int64_t at_ms,
                bool is_in_order);
/* The fault of this kind that the place has now, NULL = none. */
const struct gl_sim_known_fault *gl_sim_fault_now(const struct gl_sim *sim,
                                                  enum gl_sim_fault_kind kind, uint32_t place,
                                                  int64_t now_ms);
/* When its lease ends as known now: a spot notice brings it forward. 0 = never. */
int64_t gl_sim_expires(const struct gl_sim *sim, const struct gl_sim_instance *instance,
                       int64_t now_ms);
/* Its stretches as spans() tells them; to be freed. */
struct gl_instance_span *gl_sim_spans(const struct gl_sim *sim,
                                      const struct gl_sim_instance *instance, size_t *out_count);
bool gl_sim_is_alive(const struct gl_sim_instance *instance);

#endif
