# shellcheck shell=bash
# Sourced by the scripts beside it: where things are, messages, timed phases.

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="${RENE_VENV:-$ROOT/.venv}"
PYTHON="$VENV/bin/python"
VENV_TORCH26="${RENE_VENV_TORCH26:-$ROOT/.venv-torch26}"
CHECKS="$ROOT/Tests/CrossChecks"
LOGS="$(mktemp -d "${TMPDIR:-/tmp}/rene-logs.XXXXXX")"
trap 'rm -rf "$LOGS"' EXIT

# A message and what to do about it; ends the script.
die() {
    printf 'error: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '  remedy: %s\n' "$2" >&2
    exit 1
}

# phase NAME COMMAND…: runs it with its output in a log, which is shown only when it fails; prints the seconds it took.
# The log of the last phase stays in $PHASE_LOG. Lines that name what failed come once more at the end, where readers of
# a long log look first.
phase() {
    local name="$1" start=$SECONDS status=0
    shift
    PHASE_LOG="$LOGS/${name//[^a-z0-9]/-}.log"
    "$@" </dev/null >"$PHASE_LOG" 2>&1 || status=$?
    if [ "$status" -eq 0 ]; then
        printf '%-34s %4d s\n' "$name" $((SECONDS - start))
    else
        tail -n "${RENE_LOG_LINES:-200}" "$PHASE_LOG"
        grep -E '^✘ Test|^FAILED|error:' "$PHASE_LOG" | tail -n 40 || true
        printf '%-34s %4d s  FAILED (status %d)\n' "$name" $((SECONDS - start)) "$status"
    fi
    return "$status"
}
