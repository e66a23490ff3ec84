/*
 * Inside lob: a pass, the known objects of a range, and a batch of objects on their way.
 */
#ifndef GODWIT_LOB_INTERNAL_H
#define GODWIT_LOB_INTERNAL_H

#include "base/vec.h"
#include "lob/lob.h"
#include "pg/query.h"
#include "roles/roles.h"

#define LOB_PIECE_BYTES 262144
#define LOB_PIECE_TEXT  "262144"
#define LOB_BATCH_BYTES (INT64_C(64) * 1024 * 1024)

typedef struct LobBound {
    uint32_t first;
    uint32_t last;
} LobBound;

typedef VEC(LobBound) LobBoundVec;

struct Lob {
    Arena arena;
    Run *run;
    LobPass pass;
    bool still;
    bool reads_pages;
    size_t batch; /* objects of a transaction: each takes a lock */
    RoleSet roles;
    LobBoundVec bounds;
    atomic_llong copied, bytes, deleted, compared, behind, different;
    pthread_mutex_t mutex; /* of the names */
    VEC(const char *) named;
};

/* An object as the journal knows it, or as it is read now. */
typedef struct LobObject {
    uint32_t oid;
    int64_t size;
    const char *hash;    /* NULL: not known yet */
    const char *access;  /* a digest of owner, privileges, comment */
    const char *horizon; /* a full transaction id, as text */
    const char *owner;   /* read now only */
    const char *comment;
} LobObject;

typedef VEC(LobObject) LobObjectVec;

typedef VEC(uint32_t) OidVec;

/** The oids as an array literal. */
char *lob_oids(Arena *arena, const uint32_t *oids, size_t count);

/** Where an object stands in a list that is sorted by oid; NULL: nowhere. */
LobObject *lob_find(const LobObjectVec *objects, uint32_t oid);

/** Reads what belongs to the objects, inside the caller's snapshot; those that are gone do not
 * come. */
MUSTCHECK bool lob_attributes(Arena *arena, Conn *source, const char *oids, LobObjectVec *objects,
                              Err *err);

/** Hashes objects on one side: fills `size` and `hash` of those that are there. A server that
 * cannot (before 11) sends their bytes.
 * \param arena owns the hashes */
MUSTCHECK bool lob_hashes(Arena *arena, Conn *conn, const char *oids, LobObjectVec *objects,
                          Err *err);

/* Takes one piece as it came: oid, place, bytes. */
typedef bool LobPassOn(void *data, const char *const *values, const int *lengths, Err *err);
#define LOB_PIECE_VALUES 3

/** Reads the bytes of objects piece by piece, fills `size` and `hash` of those that are there.
 * \param pass_on NULL: they are only hashed */
MUSTCHECK bool lob_pieces(Arena *arena, Conn *source, const char *oids, LobObjectVec *objects,
                          LobPassOn *pass_on, void *data, Err *err);

/** Brings the bytes of objects that are there and empty on the target; fills `hash` with that of
 * the bytes that were read. Both connections are inside their transactions. */
MUSTCHECK bool lob_transfer(Arena *arena, Run *run, Conn *source, Conn *target, const char *oids,
                            LobObjectVec *objects, Err *err);

/** Gives owner, privileges, comment on the target, as the plan says. */
MUSTCHECK bool lob_give_access(Arena *arena, const Lob *lob, Conn *source, Conn *target,
                               const char *oids, const LobObjectVec *objects, Err *err);

/** What the journal has of a range. */
MUSTCHECK bool lob_known(Arena *arena, const Lob *lob, const LobBound *bound, Conn *target,
                         LobObjectVec *known, Err *err);

/** Records objects as they were read, inside the transaction that wrote them. */
MUSTCHECK bool lob_record(Arena *arena, const Lob *lob, Conn *target, const LobObjectVec *objects,
                          Err *err);

/** One range of a comparison. \param known what the journal has of it */
MUSTCHECK bool lob_compare(Lob *lob, Arena *arena, const LobBound *bound, const LobObjectVec *known,
                           Conn *source, Conn *target, Err *err);

#endif
