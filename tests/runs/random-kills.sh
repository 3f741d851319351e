#!/usr/bin/env bash
# Nodes and the database are killed at random, under load: every certificate seen must be stored, every order must end.
# Usage: tests/runs/random-kills.sh [SECONDS [CLIENTS]]     needs PostgreSQL and HAProxy of Debian
set -euo pipefail
cd "$(dirname "$0")/../.."
export PERSISTCA_RUN_SECONDS=${1:-600} PERSISTCA_RUN_CLIENTS=${2:-4} PERSISTCA_RUN_STRICT=1 PERSISTCA_TEST_REQUIRE=all
exec dotnet test tests/PersistCa.Conformance -c Release --filter "FullyQualifiedName~RandomKillsRun" --logger "console;verbosity=detailed"
