/*
 * Transfer: the bytes of some large objects out of the source into the target by lo_put() in a
 * pipeline. Values pass as they come: oid, place and bytes have the same binary form as parameters.
 */
#include "lob/lob_internal.h"
#include "pg/pipeline.h"

static const char PUT[] = "SELECT pg_catalog.lo_put($1::pg_catalog.oid, $2::bigint, $3::bytea)";

typedef struct Transfer {
    Run *run;
    Conn *target;
} Transfer;

static bool put(void *data, const char *const *values, const int *lengths, Err *err)
{
    static const int BINARY[LOB_PIECE_VALUES] = {1, 1, 1};
    Transfer *transfer = data;
    atomic_fetch_add(&transfer->run->counters.bytes_copied, (long long)lengths[2]);
    return pipe_execute(transfer->target, "",
                        &(PipeArgs){LOB_PIECE_VALUES, values, lengths, BINARY}, err);
}

bool lob_transfer(Arena *arena, Run *run, Conn *source, Conn *target, const char *oids,
                  LobObjectVec *objects, Err *err)
{
    AUTO_ERR Err written = {0};
    Transfer transfer = {run, target};
    bool ok = pipe_begin(target, err);
    if (ok) {
        ok = pipe_prepare(target, "", PUT, err) &&
             lob_pieces(arena, source, oids, objects, put, &transfer, err);
        if (!pipe_end(target, NULL, NULL, &written) && ok)
            ok = err_move(err, &written);
    }
    return ok || err_context(err, "could not copy large objects");
}
