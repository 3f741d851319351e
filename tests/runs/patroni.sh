#!/usr/bin/env bash
# The failover run over PostgreSQL as deploy/patroni sets it up: etcd and two servers under Patroni on this machine, the primary's killed with its Patroni.
# Usage: tests/runs/patroni.sh [SECONDS [CLIENTS]]     as root; needs PostgreSQL, HAProxy, Patroni, python3-etcd and etcd of Debian
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
work=$(mktemp -d /tmp/persistca-patroni-XXXXXX)
chown postgres "$work"
pids=()

finish() {
  for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  for n in 1 2; do
    [ -f "$work/data$n/postmaster.pid" ] && kill -QUIT "$(head -1 "$work/data$n/postmaster.pid")" 2>/dev/null || true
  done
  for _ in $(seq 30); do rm -rf "$work" 2>/dev/null && break; sleep 1; done
}
trap finish EXIT

# In the background only: the process is the program itself, so that its id kills it.
as_postgres() { exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

etcd=10801 peer=10802
as_postgres etcd --data-dir "$work/etcd" --listen-client-urls "http://127.0.0.1:$etcd" --advertise-client-urls "http://127.0.0.1:$etcd" \
  --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" --initial-cluster "default=http://127.0.0.1:$peer" >"$work/etcd.log" 2>&1 &
pids+=($!)

# The shipped file, with the rules of access for this machine: no TLS, addresses of loopback.
sed -e 's/hostssl/host/' -e 's#192\.0\.2\.0/24#127.0.0.1/32#' -e 's/local all postgres peer/local all all trust/' "$root/deploy/patroni/patroni.yml" >"$work/patroni.yml"
sql=(10811 10812) rest=(10821 10822)
for n in 1 2; do
  PATRONI_NAME=server$n PATRONI_ETCD3_HOSTS=127.0.0.1:$etcd \
  PATRONI_RESTAPI_LISTEN=127.0.0.1:${rest[n-1]} PATRONI_RESTAPI_CONNECT_ADDRESS=127.0.0.1:${rest[n-1]} \
  PATRONI_POSTGRESQL_LISTEN=127.0.0.1:${sql[n-1]} PATRONI_POSTGRESQL_CONNECT_ADDRESS=127.0.0.1:${sql[n-1]} PATRONI_POSTGRESQL_DATA_DIR="$work/data$n" PATRONI_POSTGRESQL_PGPASS="$work/pgpass$n" \
  PATRONI_SUPERUSER_PASSWORD=only-for-this-run PATRONI_REPLICATION_PASSWORD=only-for-this-run PATRONI_REWIND_PASSWORD=only-for-this-run \
  as_postgres patroni "$work/patroni.yml" >"$work/patroni$n.log" 2>&1 &
  pids+=($!)
  echo $! >"$work/patroni$n.pid"
done

export PGPASSWORD=only-for-this-run
primary() { psql -h 127.0.0.1 -p "$1" -U postgres -Atc "SELECT NOT pg_is_in_recovery()" 2>/dev/null; }
for _ in $(seq 120); do
  for n in 1 2; do
    if [ "$(primary "${sql[n-1]}")" = t ] && [ "$(psql -h 127.0.0.1 -p "${sql[n-1]}" -U postgres -Atc "SELECT sync_state FROM pg_stat_replication")" = sync ]; then first=$n; break 2; fi
  done
  sleep 1
done
[ -n "${first:-}" ] || { for log in "$work"/*.log; do tail -n 15 "$log"; done; echo "Patroni makes no synchronous pair" >&2; exit 1; }
for _ in $(seq 30); do
  psql -h 127.0.0.1 -p "${sql[first-1]}" -U postgres -qc "CREATE DATABASE persistca" && break # Patroni may just restart the server with its settings
  sleep 2
done
echo "server$first is the primary; the other is its synchronous standby"

# Its Patroni and every process of its PostgreSQL, at once, as the end of the machine.
cat >"$work/kill" <<KILL
#!/bin/sh
postmaster=\$(head -1 $work/data$first/postmaster.pid)
kill -9 \$(cat $work/patroni$first.pid) \$postmaster \$(ps -o pid= --ppid \$postmaster)
KILL
chmod +x "$work/kill"

export PERSISTCA_RUN_DATABASE="Host=127.0.0.1:${sql[0]},127.0.0.1:${sql[1]};Target Session Attributes=primary;Host Recheck Seconds=1;Timeout=3;Command Timeout=15;Username=postgres;Password=only-for-this-run;Database=persistca;Maximum Pool Size=20"
export PERSISTCA_RUN_KILL=$work/kill PERSISTCA_RUN_SECONDS=${1:-300} PERSISTCA_RUN_CLIENTS=${2:-4} PERSISTCA_RUN_STRICT=1 PERSISTCA_TEST_REQUIRE=all
dotnet test tests/PersistCa.Conformance -c Release --filter "FullyQualifiedName~FailoverRun" --logger "console;verbosity=detailed" || { status=$?; for log in "$work"/patroni*.log; do tail -n 15 "$log"; done; exit $status; }
