/*
 * Slot: CREATE_REPLICATION_SLOT by the simple protocol, the only one a walsender speaks.
 */
#include "pg/slot.h"

#include "pg/conn_internal.h"
#include "pg/fault.h"

bool slot_may_be_temporary(const Conn *conn)
{
    return conn_version(conn) >= 100000;
}

static bool command(Conn *replication, const char *sql, ExecStatusType wanted, PGresult **result,
                    Err *err)
{
    if (!fault_point(replication, FAULT_STATEMENT, sql, err))
        return err_detail(err, "Statement: %s", sql);
    if (PQsendQuery(replication->pg, sql) == 0) {
        conn_result_error(replication, NULL, err);
        return err_detail(err, "Statement: %s", sql);
    }
    if (!conn_next_result(replication, result, err))
        return false;
    bool ok = PQresultStatus(*result) == wanted;
    if (!ok)
        conn_result_error(replication, *result, err);
    conn_discard_results(replication);
    return ok || err_detail(err, "Statement: %s", sql);
}

bool slot_export_snapshot(Arena *arena, Conn *replication, const char *name, const char *plugin,
                          SlotSnapshot *snapshot, Err *err)
{
    AUTO_RESULT PGresult *result = NULL;
    bool modern = slot_may_be_temporary(replication);
    const char *sql =
        arena_printf(arena, "CREATE_REPLICATION_SLOT %s%s LOGICAL %s%s", name,
                     modern ? " TEMPORARY" : "", plugin, modern ? " EXPORT_SNAPSHOT" : "");
    if (!command(replication, sql, PGRES_TUPLES_OK, &result, err))
        return false;
    if (PQntuples(result) != 1)
        return err_set(err, ERR_PROTOCOL, "the server made slot %s without telling what it is",
                       name);
    /* Columns: slot_name, consistent_point, snapshot_name, output_plugin. */
    snapshot->snapshot = arena_strdup(arena, PQgetvalue(result, 0, 2));
    return lsn_parse(PQgetvalue(result, 0, 1), &snapshot->consistent_point, err);
}

bool slot_release(Arena *arena, Conn *replication, const char *name, Err *err)
{
    AUTO_RESULT PGresult *result = NULL;
    if (slot_may_be_temporary(replication))
        return true;
    const char *sql = arena_printf(arena, "DROP_REPLICATION_SLOT %s", name);
    return command(replication, sql, PGRES_COMMAND_OK, &result, err);
}
