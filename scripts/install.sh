#!/usr/bin/env bash
# Installs what the tests need and this machine lacks, from Debian's packages.
set -euo pipefail
cd "$(dirname "$0")"

packages=()
./postgres-bin.sh >/dev/null || packages+=(postgresql)
# Only root can start postfix, and where there is a mail server, it stays.
[ "$(id -u)" -ne 0 ] || [ -e /usr/sbin/sendmail ] || packages+=(postfix)
command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || packages+=(pgbouncer)
command -v slapd >/dev/null || [ -x /usr/sbin/slapd ] || packages+=(slapd)
command -v chromium >/dev/null || packages+=(chromium)

[ ${#packages[@]} -gt 0 ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "The tests need ${packages[*]}. Install it, with its programs in PATH." >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "The tests need packages that only root can install: apt-get install ${packages[*]}" >&2
	exit 1
fi

# Debian's packages would start servers of their own. The tests need none.
debconf-set-selections <<-ANSWERS
	postfix postfix/main_mailer_type select No configuration
	slapd slapd/no_configuration boolean true
ANSWERS
quiet=/etc/postgresql-common/createcluster.d/roster-tests.conf
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
made=()
trap 'rm -f "$log" "$quiet" "${made[@]}"' EXIT
mkdir -p "$(dirname "$quiet")"
echo "create_main_cluster = false" >"$quiet"
if [ ! -e "$policy" ]; then
	made+=("$policy")
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi

get() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1
}
echo "Installing ${packages[*]}"
# The package lists may be missing or old: fetch them, and try once more.
if ! get install --no-install-recommends "${packages[@]}" &&
	! { get update && get install --no-install-recommends "${packages[@]}"; }; then
	cat "$log" >&2
	exit 1
fi
