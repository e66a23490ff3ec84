#!/bin/bash
# gitops.sh: one migration, from a pull request to the cutover. The workflow beside it calls this
# script and nothing else; so does whoever wants to do the same by hand.
#
#   gitops.sh review               what would happen: refuses a wrong plan, writes the pinned plan
#   gitops.sh approve FINGERPRINT  a reviewer: this pinned plan, and no other, may be applied
#   gitops.sh apply                runs the approved pinned plan up to the gate before the cutover
#   gitops.sh cutover              approves the cutover as the role of TARGET, and does it
#
# Exit statuses are those of godwit; 12: what was reviewed moved, 6: an approval is missing.
#
#   SOURCE, TARGET   connection strings, as plan.yaml names them
#   GODWIT_BIN       the engine (default: godwit)
#   GITOPS_DIR       where the plan lies and the results go (default: the script's directory)
set -euo pipefail

cd "${GITOPS_DIR:-$(dirname "$0")}"
godwit=${GODWIT_BIN:-godwit}
plan=plan.yaml
pinned=migration.pinned
approved=migration.approved
format=${GITHUB_ACTIONS:+github}

die()
{
    printf 'gitops: %s\n' "$2" >&2
    exit "$1"
}

# One line of what a pinned plan pins: "fingerprint" or "digest". No server is asked.
pin()
{
    "$godwit" show "$pinned" | awk -v key="$1" '$1 == key && !found { print $2; found = 1 }'
}

review()
{
    "$godwit" validate "$plan" --format "${format:-text}"
    "$godwit" check "$plan"
    "$godwit" plan "$plan" --out "$pinned" >review.txt
    "$godwit" show "$pinned" --format sql >review.sql
    printf 'fingerprint %s\ndigest      %s\n' "$(pin fingerprint)" "$(pin digest)"
    tail -n 4 review.txt
}

approve()
{
    local wanted=$1 fingerprint
    [ -f "$pinned" ] || die 64 "there is no $pinned to approve: run \"review\" first"
    fingerprint=$(pin fingerprint)
    [ "${#wanted}" -ge 12 ] || die 64 "a fingerprint has at least 12 digits"
    case $fingerprint in
        "$wanted"*) ;;
        *) die 12 "$pinned is $fingerprint, not $wanted" ;;
    esac
    pin digest >"$approved"
    printf 'approved %s\n' "$fingerprint"
}

# The digest is over the whole pinned plan: plan, both databases, what was found in them, every step.
approved_or_die()
{
    local digest
    [ -f "$approved" ] || die 6 "$pinned is not approved: run \"approve FINGERPRINT\""
    digest=$(pin digest)
    [ "$digest" = "$(cat "$approved")" ] || die 12 "another $pinned was approved than this one"
}

apply()
{
    local status=0
    approved_or_die
    "$godwit" apply "$pinned" --exit-at-gate || status=$?
    [ "$status" -eq 6 ] || return "$status"
    printf 'the target has caught up; the cutover waits for its approval\n'
}

cutover()
{
    approved_or_die
    "$godwit" approve "$pinned"
    "$godwit" cutover "$pinned"
}

case "${1:-} $#" in
    "review 1" | "apply 1" | "cutover 1") "$1" ;;
    "approve 2") approve "$2" ;;
    *) die 64 'usage: gitops.sh review | approve FINGERPRINT | apply | cutover' ;;
esac
