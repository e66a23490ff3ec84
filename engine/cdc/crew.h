/*
 * Crew: the lanes of one session. The intake hands over whole groups; the crew shares a group out
 * by route, every lane applies its share in a transaction of its own that moves its own row, and
 * when all are done the next group may come. So every group is a barrier, and lanes stand apart
 * only while a group is under way, or when an engine died then:
 *
 *   kill, crash or error between two lanes' commits -> the rows differ. The next session begins at
 *       the lowest; each lane skips what its own row covers, by the recorded routes, until all have
 *       reached the highest. Until then every group is shared out.
 *   what concerns several lanes (ROUTE_BARRIER, TRUNCATE), a transaction that is larger than a
 * group, a small group -> lane 0 applies it alone, and moves all rows in that transaction. So a
 *       transaction of this kind is never half applied, and lanes never stand apart within one.
 *   another number of lanes, other routes -> only while all rows are at one position; else first
 *       the recorded ones bring the rows together.
 */
#ifndef GODWIT_CDC_CREW_H
#define GODWIT_CDC_CREW_H

#include "cdc/route.h"
#include "cdc/stream_internal.h"

typedef struct CrewLane {
    Crew *crew;
    LaneRow row;
    Lsn began; /* its row when the session began */
    Conn *target;
    Applier *applier;
    Group share; /* of the group at hand: changes of its own, the group's transactions */
    LaneStep step;
    bool ok;
    Err err;
    unsigned random;
    /* not of lane 0, which is the intake's thread and session */
    Relmap relmap;
    Applier own;
    pthread_t thread;
    bool started;
    bool busy; /* under the crew's mutex */
} CrewLane;

struct Crew {
    StreamSession *session;
    Stream *stream;
    Router router;
    CrewLane *lanes;
    unsigned count;
    Lsn top; /* the highest row while rows differ, else 0 */
    LaneRow *rows;
    pthread_mutex_t mutex;
    pthread_cond_t given;
    pthread_cond_t done;
    bool ending;
};

/** Reads the rows, decides on lanes and routes, opens the lanes beside the session's connection;
 * sets the session's position. \return false with ERR_LOCKED (another engine took over),
 * ERR_CONNECT, ERR_SQL, ERR_LOST, ERR_RUN. */
MUSTCHECK bool crew_open(StreamSession *session, Err *err);
void crew_close(Crew *crew);

/** Where a change goes; *skip tells that its lane has it already. \return false with ERR_PROTOCOL.
 */
MUSTCHECK bool crew_route(Crew *crew, Lsn commit_lsn, const LeafState *leaf,
                          const PgoMessage *message, uint16_t *lane, bool *skip, Err *err);

/** Whether the lanes share this group. While rows differ they must.
 * \return false with ERR_PROTOCOL in *err when they must and cannot. */
MUSTCHECK bool crew_shares(const Crew *crew, const Group *group, bool *shares, Err *err);

/** Tells that. */
bool crew_cannot_share(const Crew *crew, Err *err);

/** All lanes apply their shares and commit them. \return false with the first lane's error; others
 * may have committed. */
MUSTCHECK bool crew_apply(Crew *crew, const Group *group, const LaneStep *step, Err *err);

/** The rows were moved to this. Where that makes them equal again, lanes and routes become what the
 * plan wants. */
MUSTCHECK bool crew_moved(Crew *crew, Lsn to, Err *err);

/** Of all lanes. */
uint64_t crew_conflicts(const Crew *crew);

#endif
