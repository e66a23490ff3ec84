/*
 * Slot: CREATE_REPLICATION_SLOT by the simple protocol, the only one a walsender speaks.
 */
#include "pg/slot.h"

#include "pg/conn_internal.h"
#include "pg/fault.h"

bool slot_export_snapshot(Arena *arena, Conn *replication, const char *name, const char *plugin,
                          SlotSnapshot *snapshot, Err *err)
{
    AUTO_RESULT PGresult *result = NULL;
    const char *sql = arena_printf(
        arena, "CREATE_REPLICATION_SLOT %s TEMPORARY LOGICAL %s EXPORT_SNAPSHOT", name, plugin);
    if (!fault_point(replication, FAULT_STATEMENT, sql, err))
        return err_detail(err, "Statement: %s", sql);
    if (PQsendQuery(replication->pg, sql) == 0) {
        conn_result_error(replication, NULL, err);
        return err_detail(err, "Statement: %s", sql);
    }
    if (!conn_next_result(replication, &result, err))
        return false;
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    if (!ok)
        conn_result_error(replication, result, err);
    conn_discard_results(replication);
    if (!ok)
        return err_detail(err, "Statement: %s", sql);
    /* Columns: slot_name, consistent_point, snapshot_name, output_plugin. */
    snapshot->snapshot = arena_strdup(arena, PQgetvalue(result, 0, 2));
    return lsn_parse(PQgetvalue(result, 0, 1), &snapshot->consistent_point, err);
}
