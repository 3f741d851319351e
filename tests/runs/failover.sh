#!/usr/bin/env bash
# The primary database is killed and its synchronous standby promoted, under load: nothing acknowledged may be lost.
# Usage: tests/runs/failover.sh [SECONDS [CLIENTS]]     needs PostgreSQL and HAProxy of Debian
set -euo pipefail
cd "$(dirname "$0")/../.."
export PERSISTCA_RUN_SECONDS=${1:-600} PERSISTCA_RUN_CLIENTS=${2:-4} PERSISTCA_RUN_STRICT=1 PERSISTCA_TEST_REQUIRE=all
exec dotnet test tests/PersistCa.Conformance -c Release --filter "FullyQualifiedName~FailoverRun" --logger "console;verbosity=detailed"
