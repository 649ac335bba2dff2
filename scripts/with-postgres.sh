#!/usr/bin/env bash
# with-postgres.sh COMMAND... runs the command beside a throw-away PostgreSQL
# server, which is stopped and removed however this ends. The command finds the
# server in ROSTER_TEST_POSTGRES, and ends as this script does.
#
# The server listens on a socket in its own directory and not on the network,
# so any number of them can run at once. Root hands it to the user "postgres".
set -euo pipefail

if ! bin=$("$(dirname "$0")/postgres-bin.sh"); then
	echo "There is no PostgreSQL server here. As root, scripts/install.sh installs one." >&2
	exit 1
fi

# Nothing in the environment may lead the server or the tests elsewhere.
for name in $(compgen -e PG); do
	unset "$name"
done

owner=()
if [ "$(id -u)" -eq 0 ]; then
	if ! id postgres >/dev/null 2>&1; then
		echo "PostgreSQL refuses to run as root, and there is no user \"postgres\" to run it as." >&2
		exit 1
	fi
	owner=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
# as_owner runs a program as the owner of the server, where that one may be.
as_owner() {
	(cd / && exec env HOME=/ "${owner[@]}" "$@")
}

# discard stops the server in the directory, if it runs, and removes both.
discard() {
	local pid
	if [ -e "$1/data/postmaster.pid" ] &&
		! as_owner "$bin/pg_ctl" stop -D "$1/data" -m immediate -t 20 -s >/dev/null 2>&1 &&
		pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null); then
		kill -KILL "$pid" 2>/dev/null || true
	fi
	rm -rf "$1"
}

# A run that was killed outright has left its server behind. The name of the
# directory has the process that made it.
for old in /tmp/roster-postgres.*.*; do
	[ -O "$old" ] && [ -d "$old" ] && [ ! -L "$old" ] || continue
	maker=${old#/tmp/roster-postgres.}
	kill -0 "${maker%%.*}" 2>/dev/null || discard "$old"
done

dir=
child=
finish() {
	trap '' INT TERM HUP PIPE
	if [ -n "$child" ]; then
		# The whole group of the command: first politely, then not.
		kill -INT -- "-$child" 2>/dev/null || true
		for _ in $(seq 50); do
			kill -0 -- "-$child" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL -- "-$child" 2>/dev/null || true
	fi
	[ -z "$dir" ] || discard "$dir"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

dir=$(mktemp -d "/tmp/roster-postgres.$$.XXXXXX")
mkdir "$dir/data" "$dir/socket"
if [ ${#owner[@]} -gt 0 ]; then
	chmod 711 "$dir"
	chown postgres:postgres "$dir/data" "$dir/socket"
fi
chmod 700 "$dir/data"

die() {
	echo "PostgreSQL: $1" >&2
	cat "$dir"/initdb.log "$dir/data/server.log" >&2 2>/dev/null || true
	exit 1
}

as_owner "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
	>"$dir/initdb.log" 2>&1 || die "initdb failed."
cat >>"$dir/data/postgresql.conf" <<-CONF
	listen_addresses = ''
	unix_socket_directories = '$dir/socket'
	unix_socket_permissions = 0700
	max_connections = 200
	fsync = off
	full_page_writes = off
	max_wal_size = 4GB
	log_min_messages = log
CONF
as_owner "$bin/pg_ctl" start -D "$dir/data" -l "$dir/data/server.log" -w -t 60 -s || die "it does not start."

icu="SELECT count(*) > 0 FROM pg_collation WHERE collprovider = 'i'"
[ "$(as_owner "$bin/psql" -X -A -t -h "$dir/socket" -U postgres -d postgres -c "$icu")" = t ] ||
	die "it was built without ICU, which the tests need."

export ROSTER_TEST_POSTGRES="host=$dir/socket user=postgres dbname=postgres"

# In a group of its own, so that nothing the command starts can outlive it.
set -m
"$@" </dev/null &
child=$!
set +m
status=0
wait "$child" || status=$?
exit "$status"
