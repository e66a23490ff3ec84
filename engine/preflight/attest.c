/*
 * Attestations: what no SQL can see and a run depends on all the same, by provider and side. Each
 * is a finding until an entry of `attest` in the plan says how it stands, why, and until when.
 */
#include "preflight/check.h"

#include "base/units.h"

typedef struct Attestation {
    Code code;
    ConnSide side;
    const char *kinds; /* separated by blanks */
    FindingSeverity severity;
    const char *message;
    const char *why;
    const char *remedy;
} Attestation;

#define MANAGED "rds aurora neon supabase azure mst tiger_cloud"

/* Sources: the providers' documentation of migrations (2024 to 2026). */
static const Attestation attestations[] = {
    {CODE_ATTEST_HA, CONN_TARGET, "azure", FINDING_ERROR,
     "SQL cannot see whether high availability is off",
     "Azure asks for it: while rows stream in, the standby's synchronous replication slows every "
     "commit, and a failover in the middle of the copy begins it anew.",
     "-- az postgres flexible-server update -g GROUP --name SERVER --high-availability Disabled; "
     "turn it on again after the switch"},
    {CODE_ATTEST_HA, CONN_TARGET, "rds aurora mst tiger_cloud", FINDING_INFO,
     "SQL cannot see whether high availability is off",
     "A synchronous standby slows the copy; it can be added after the switch.",
     "-- turn high availability of the target off until the switch, or accept the slower copy"},
    {CODE_ATTEST_REPLICAS, CONN_TARGET, "azure", FINDING_ERROR,
     "SQL cannot see whether the server has read replicas",
     "Azure asks for none until the migration is complete: each holds WAL on the target's disk "
     "while it lags behind the copy.",
     "-- az postgres flexible-server replica list -g GROUP --name SERVER; delete them, and make "
     "them anew after the switch"},
    {CODE_ATTEST_MAINTENANCE, CONN_SOURCE, MANAGED, FINDING_WARNING,
     "SQL cannot see when the provider's maintenance window is",
     "A restart of the source ends the copy's snapshot and the stream: what was being copied "
     "begins anew, and on some providers a slot does not outlive it.",
     "-- move the maintenance window behind the planned switch"},
    {CODE_ATTEST_MAINTENANCE, CONN_TARGET, MANAGED, FINDING_WARNING,
     "SQL cannot see when the provider's maintenance window is",
     "A restart of the target in the cutover rolls it back, or lengthens the downtime.",
     "-- move the maintenance window behind the planned switch"},
    {CODE_ATTEST_SIZE, CONN_TARGET, MANAGED, FINDING_WARNING,
     "SQL cannot see the target's processors, memory and disk throughput",
     "A target smaller than the source builds indexes longer, may fall behind the stream, and "
     "carries the applications worse after the switch; burstable sizes slow down without notice.",
     "-- choose the source's size or more, at least until the switch; not a burstable one"},
    {CODE_ATTEST_TARGET_DISK, CONN_TARGET, "tiger_cloud", FINDING_WARNING,
     "SQL cannot see how much disk is free",
     "Storage grows by itself, but only once in six hours; a disk that fills ends every session. "
     "Over 400 GB, support has to provide the room before.",
     "-- Console: Operations, Compute and storage; over 400 GB ask support before the run"},
    {CODE_ATTEST_TARGET_DISK, CONN_TARGET, "azure", FINDING_WARNING,
     "SQL cannot see how much disk is free",
     "A disk that is nearly full makes the server read-only.",
     "-- az postgres flexible-server update -g GROUP --name SERVER --storage-size GB "
     "--storage-auto-grow Enabled; and parameter set --name "
     "azure.enable_temp_tablespaces_on_local_ssd --value off until the switch"},
    {CODE_ATTEST_TARGET_DISK, CONN_TARGET, "rds aurora", FINDING_WARNING,
     "SQL cannot see how much disk is free",
     "A disk that fills stops the instance; autoscaling takes hours between two steps.",
     "-- aws rds modify-db-instance --db-instance-identifier ID --allocated-storage GB "
     "--max-allocated-storage GB (Aurora's own volume grows by itself; its local storage for "
     "sorting does not)"},
    {CODE_ATTEST_TARGET_DISK, CONN_TARGET, "supabase", FINDING_WARNING,
     "SQL cannot see how much disk is free",
     "At 95 percent of the disk the project becomes read-only; it grows only once in six hours.",
     "-- Dashboard: Database settings, Disk size; set it before the run"},
    {CODE_ATTEST_TARGET_DISK, CONN_TARGET, "neon mst", FINDING_WARNING,
     "SQL cannot see how much disk is free",
     "When the disk is full every write fails, and the run with them.",
     "-- choose a plan with room for it, with WAL and sorting beside: twice the sum is safe"},
    {CODE_ATTEST_TARGET_DISK, CONN_TARGET, "self_hosted", FINDING_INFO,
     "SQL cannot see how much disk is free",
     "When the disk is full every write fails, and the run with them.",
     "-- df on the target's data directory and pg_wal: twice the sum is safe, with WAL and "
     "sorting"},
    {CODE_ATTEST_SOURCE_DISK, CONN_SOURCE, MANAGED, FINDING_WARNING,
     "SQL cannot see how much disk is free",
     "From the first second until the switch the slot keeps every byte of WAL that the target has "
     "not applied; a full disk stops production.",
     "-- leave room for the WAL of the copy's time (see the forecast), turn storage autoscaling "
     "on, watch it with an alarm"},
    {CODE_ATTEST_SOURCE_DISK, CONN_SOURCE, "self_hosted", FINDING_INFO,
     "SQL cannot see how much disk is free",
     "From the first second until the switch the slot keeps every byte of WAL that the target has "
     "not applied; a full disk stops production.",
     "-- df on the source's pg_wal: leave room for the WAL of the copy's time (see the forecast), "
     "or set replication.slot.max_retained_wal in the plan"},
    {CODE_ATTEST_BACKUP, CONN_SOURCE, MANAGED " self_hosted", FINDING_INFO,
     "SQL cannot see whether a backup can be restored",
     "The run only reads the source, but a switch is the moment at which one wants to have one.",
     "-- restore the last backup somewhere, once, before the switch"},
};

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

/* How much the target's disk must take. */
static const char *disk_why(Check *check, const char *why)
{
    const CheckSizes *sizes = &check->sizes;
    const char *spaces =
        sizes->tablespaces == NULL
            ? ""
            : check_text(check, " (tablespaces of the source: %s)", sizes->tablespaces);
    return check_text(check,
                      "The run brings about %s of tables and %s of indexes to the %s that are "
                      "there%s. %s",
                      units_size_text(check->arena, sizes->tables),
                      units_size_text(check->arena, sizes->indexes),
                      units_size_text(check->arena, sizes->target_database), spaces, why);
}

void check_attestations(Check *check)
{
    for (size_t i = 0; i < sizeof(attestations) / sizeof(attestations[0]); i++) {
        const Attestation *row = &attestations[i];
        const Side *side = row->side == CONN_SOURCE ? &check->source : &check->target;
        if (!has_word(row->kinds, side->endpoint->kind))
            continue;
        check_add(check, row->code, row->severity, side, side->endpoint->kind, row->message,
                  row->code == CODE_ATTEST_TARGET_DISK ? disk_why(check, row->why) : row->why,
                  row->remedy);
    }
}
