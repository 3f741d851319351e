#!/usr/bin/env bash
# The node with the periodic work hangs, and dies: another has to have it within 15 seconds, with sessions and behind PgBouncer.
# Usage: tests/runs/takeover.sh                     needs PostgreSQL, PgBouncer and HAProxy of Debian
set -euo pipefail
cd "$(dirname "$0")/../.."
export PERSISTCA_RUN_SECONDS=${1:-600} PERSISTCA_RUN_CLIENTS=${2:-4} PERSISTCA_RUN_STRICT=1 PERSISTCA_TEST_REQUIRE=all
exec dotnet test tests/PersistCa.Conformance -c Release --filter "FullyQualifiedName~TakeoverRun" --logger "console;verbosity=detailed"
