#!/usr/bin/env bash
# Installs what is missing for one purpose, on Debian 12 or Ubuntu 24.04, as root or with sudo.
# When everything is there it says nothing, needs no network, and takes no time.
#
# usage: install-deps.sh [build|test|lint|coverage]
set -euo pipefail

declare -A packages=(
    [build]='build-essential meson ninja-build pkg-config libmicrohttpd-dev
             libcurl4-openssl-dev libsqlite3-dev libjansson-dev libpq-dev
             libhiredis-dev libgnutls28-dev libssl-dev python3'
    [test]='libcmocka-dev postgresql postgresql-client redis-server redis-tools pgbouncer
            nodejs npm chromium clang libclang-rt-dev curl openssl python3-jsonschema python3-yaml'
    [lint]='clang clang-format'
    [coverage]='gcovr'
)
# How to see that a package is there: by its programs, by what pkg-config calls it, or by import.
declare -A probes=(
    [build-essential]='cc make' [meson]=meson [ninja-build]=ninja [pkg-config]=pkg-config
    [python3]=python3 [clang]=clang [clang-format]=clang-format [gcovr]=gcovr
    [postgresql-client]=psql [redis-server]=redis-server [redis-tools]=redis-cli
    [pgbouncer]=pgbouncer [nodejs]=node [npm]=npm [chromium]=chromium
    [curl]=curl [openssl]=openssl
)
declare -A modules=(
    [libmicrohttpd-dev]=libmicrohttpd [libcurl4-openssl-dev]=libcurl
    [libsqlite3-dev]=sqlite3 [libjansson-dev]=jansson [libcmocka-dev]=cmocka
    [libpq-dev]=libpq [libhiredis-dev]=hiredis [libgnutls28-dev]=gnutls [libssl-dev]=libcrypto
)

declare -A python_modules=([python3-jsonschema]=jsonschema [python3-yaml]=yaml)

is_there() {
    local package=$1 program
    if [ -n "${python_modules[$package]:-}" ]; then
        python3 -c "import ${python_modules[$package]}" 2>/dev/null
        return
    fi
    if [ "$package" = libclang-rt-dev ]; then
        compgen -G "$(clang -print-resource-dir 2>/dev/null)/lib/*/libclang_rt.fuzzer*.a" >/dev/null
        return
    fi
    if [ "$package" = postgresql ]; then
        compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null
        return
    fi
    if [ -n "${modules[$package]:-}" ]; then
        pkg-config --exists "${modules[$package]}" 2>/dev/null
        return
    fi
    for program in ${probes[$package]}; do
        PATH=$PATH:/usr/sbin command -v "$program" >/dev/null 2>&1 || return 1
    done
}

missing_of() {
    local package
    for package in "$@"; do
        is_there "$package" || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# The libraries of clang's sanitizers bear its version in their name.
names_of() {
    local package version
    version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p')
    for package in "$@"; do
        echo "${package/%libclang-rt-dev/libclang-rt-${version:-14}-dev}"
    done
}

install() {
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1 ||
        give_up 'neither root nor sudo, so this cannot install'
    as_root apt-get update -qq ||
        echo 'install-deps.sh: going on with the package lists that are here' >&2
    trap allow_services EXIT
    trap 'exit 1' INT TERM HUP
    forbid_services
    # What matters is not how this ends but whether everything is there afterwards.
    # shellcheck disable=SC2046 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $(names_of "$@") </dev/null || true
    keep_down "$@"
}

# The tests start servers of their own. Those that the packages bring are not started: not now,
# where invoke-rc.d asks the policy, and not with the machine. No database is made for them either.
policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d
made=()
forbid_services() {
    if [ ! -e "$policy" ]; then
        made+=("$policy")
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    if ! is_there postgresql; then
        made+=("$clusters/posthaste.conf")
        as_root mkdir -p "$clusters"
        echo 'create_main_cluster = false' | as_root tee "$clusters/posthaste.conf" >/dev/null
    fi
}

allow_services() {
    [ ${#made[@]} -eq 0 ] || as_root rm -f "${made[@]}"
    made=()
}

keep_down() {
    local package
    command -v systemctl >/dev/null 2>&1 || return 0
    for package in "$@"; do
        case $package in
        redis-server | pgbouncer) as_root systemctl disable --quiet "$package" || true ;;
        esac
    done
}

give_up() {
    {
        echo "install-deps.sh: $1."
        echo "Please install these yourself (names as in Debian; a library needs its headers):"
        local package
        for package in $missing; do
            echo "  $package${modules[$package]:+ (pkg-config: ${modules[$package]})}"
        done
    } >&2
    exit 1
}

case ${1:-build} in
build) wanted=${packages[build]} ;;
test) wanted="${packages[build]} ${packages[test]}" ;;
lint) wanted="${packages[build]} ${packages[test]} ${packages[lint]}" ;;
coverage) wanted="${packages[build]} ${packages[test]} ${packages[coverage]}" ;;
*)
    sed -n 's/^# usage: /usage: /p' "$0" >&2
    exit 2
    ;;
esac

# Ubuntu has Chromium only as a snap, which needs a service: without it, its test is skipped.
if grep -qx 'ID=ubuntu' /etc/os-release 2>/dev/null; then
    wanted=${wanted/ chromium/}
fi

# shellcheck disable=SC2086 # lists of words
missing=$(missing_of $wanted)
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null 2>&1 || give_up "there is no apt-get here"
echo "installing: $missing"
# shellcheck disable=SC2086
install $missing
# shellcheck disable=SC2086
missing=$(missing_of $missing)
[ -z "$missing" ] || give_up "apt-get could not install all of it"
