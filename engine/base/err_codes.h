/*
 * The error codes: one row each, never renumbered, never reused.
 *
 * X(symbol, stable code, exit status, what it means). The stable code is what messages print and
 * what `godwit explain CODE` opens (docs/codes/CODE.md). Exit statuses are the contract of cli.md.
 */
#ifndef GODWIT_BASE_ERR_CODES_H
#define GODWIT_BASE_ERR_CODES_H

#define ERR_CODES(X)                                                                               \
    X(ERR_RUN, "E001", 1, "a step failed; apply again resumes")                                    \
    X(ERR_SQL, "E002", 1, "a statement failed on one of the servers")                              \
    X(ERR_IO, "E003", 1, "a file or pipe could not be read or written")                            \
    X(ERR_TOOL, "E004", 1, "an external tool failed")                                              \
    X(ERR_CONFLICT, "E005", 1, "a replicated change did not meet the row it expected")             \
    X(ERR_ROW_COUNT, "E006", 1, "rows read and rows written differ")                               \
    X(ERR_DRIFT, "E007", 1, "an object is there but is not what the plan wants")                   \
    X(ERR_PROTOCOL, "E008", 1, "a replication message could not be understood")                    \
    X(ERR_LOST, "E010", 1, "the connection to a server was lost during the work")                  \
    X(ERR_PENDING, "E020", 2, "there are changes to make")                                         \
    X(ERR_PLAN, "E030", 3, "the plan is not valid")                                                \
    X(ERR_PREFLIGHT, "E040", 4, "a preflight finding blocks the run")                              \
    X(ERR_CONNECT, "E050", 5, "a server cannot be reached or refuses the login")                   \
    X(ERR_WAITING, "E060", 6, "the run waits for an approval")                                     \
    X(ERR_LOCKED, "E070", 7, "another engine holds the run's lock")                                \
    X(ERR_GATE, "E080", 8, "a gate was not reached in time; nothing changed")                      \
    X(ERR_DIFFERENCE, "E090", 9, "verification found a difference")                                \
    X(ERR_ROLLED_BACK, "E100", 10, "the cutover was rolled back; the source is writable")          \
    X(ERR_PAST_SWITCH, "E110", 11, "the cutover failed past the point of no return")               \
    X(ERR_STALE, "E120", 12, "the plan, an endpoint or a catalog is not what the run began with")  \
    X(ERR_STILL_FENCED, "E130", 13, "the rollback failed; the source is still fenced")             \
    X(ERR_CANNOT_RESUME, "E140", 14, "the run cannot resume")                                      \
    X(ERR_SLOT_LIMIT, "E141", 14, "the slot held more than the plan allows and was dropped")       \
    X(ERR_USAGE, "E640", 64, "the command line is not valid")                                      \
    X(ERR_BUG, "E700", 70, "a defect of godwit")                                                   \
    X(ERR_INTERRUPTED, "E901", 130, "interrupted; stopped at a checkpoint")                        \
    X(ERR_TERMINATED, "E902", 143, "terminated; stopped at a checkpoint")                          \
    X(ERR_PAUSED, "E903", 143, "paused; stopped at a checkpoint")

#endif
