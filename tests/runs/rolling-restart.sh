#!/usr/bin/env bash
# Three nodes are restarted one after the other, under load behind HAProxy: no request may fail.
# Usage: tests/runs/rolling-restart.sh [SECONDS [CLIENTS]]     needs PostgreSQL and HAProxy of Debian
set -euo pipefail
cd "$(dirname "$0")/../.."
export PERSISTCA_RUN_SECONDS=${1:-600} PERSISTCA_RUN_CLIENTS=${2:-4} PERSISTCA_RUN_STRICT=1 PERSISTCA_TEST_REQUIRE=all
exec dotnet test tests/PersistCa.Conformance -c Release --filter "FullyQualifiedName~RollingRestartRun" --logger "console;verbosity=detailed"
