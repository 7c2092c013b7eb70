#!/usr/bin/env bash
# Runs the tests that Git has of its own HTTP server against a host (docs/git-tests.md). Takes Git's source from
# Debian's source package and builds it, once, in a folder of its own; needs Debian 12 with dpkg-dev, a C
# compiler, make, and the headers of libcurl and zlib (apt-get install build-essential dpkg-dev
# libcurl4-openssl-dev zlib1g-dev). Arguments are scripts: scripts/git-tests.sh t5541 t5702. JOBS says how many
# run at a time; GIT_TESTS_DIR, where everything is kept; GIT_TEST_PROTOCOL_VERSION=0, what clients ask for.
set -euo pipefail
cd "$(dirname "$0")/.."

version=2.39.5 # the list is of this version: in another, the tests have other numbers
list=$PWD/internal/conformance/gitsuite/listed.txt
dir=${GIT_TESTS_DIR:-/var/tmp/refward-git-tests-$(id -u)}
scripts=("$@")
if [ ${#scripts[@]} -eq 0 ]; then
  # The long ones first.
  scripts=(t5551 t5541 t5702 t5812 t5703 t5539 t5558 t5561 t5548 t5601 t5616 t0410 t5500 t5510 t5537 t5542 t5545 t5549 t5700)
fi

for tool in apt-get dpkg-source cc make perl curl go; do
  command -v "$tool" >/dev/null || { echo "git-tests: $tool is missing" >&2; exit 1; }
done
mkdir -p -m 755 "$dir"
[ -O "$dir" ] || { echo "git-tests: $dir is somebody else's" >&2; exit 1; }

source=$dir/git-$version
if [ ! -e "$source/built" ]; then
  echo "== apt-get source git, in $dir"
  rm -rf "$dir/apt" "$source"
  mkdir -p "$dir/apt/sources" "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
  # The machine's own list of Debian's packages, of sources; nothing of the machine is changed.
  if [ -e /etc/apt/sources.list.d/debian.sources ]; then
    sed 's/^Types:.*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$dir/apt/sources/debian.sources"
  fi
  if [ -e /etc/apt/sources.list ]; then
    sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >"$dir/apt/sources/debian.list"
  fi
  apt=(apt-get -qq -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$dir/apt/sources"
    -o "Dir::State::Lists=$dir/apt/lists" -o "Dir::Cache=$dir/apt/cache" -o "APT::Sandbox::User=")
  "${apt[@]}" update
  (cd "$dir" && "${apt[@]}" source --only-source git >apt/log 2>&1) || { cat "$dir/apt/log" >&2; exit 1; }
  [ -d "$source" ] || { echo "git-tests: Debian's git is not $version here: $(ls -d "$dir"/git-*)" >&2; exit 1; }
  echo "== make, in $source"
  make -C "$source" -j "$(nproc)" CFLAGS=-O1 NO_GETTEXT=1 NO_TCLTK=1 NO_PYTHON=1 NO_EXPAT=1 NO_OPENSSL=1 all >"$dir/make.log" 2>&1 ||
    { tail -n 20 "$dir/make.log" >&2; exit 1; }
  touch "$source/built"
fi

echo "== go build ./cmd/refward ./internal/conformance/gitsuite"
mkdir -p "$dir/bin"
go build -o "$dir/bin/" ./cmd/refward ./internal/conformance/gitsuite

# Git's own library refuses to test a web server as root.
run=$(mktemp -d "$dir/run-XXXXXX")
chmod 755 "$run"
as=()
if [ "$(id -u)" -eq 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 "$run"
fi
export as_other="${as[*]}" bin=$dir/bin run source
# only tells which tests of a script to run: not the hundreds that come before it starts the server, but for
# what prepares those that come after.
only() {
  case $1 in
    t0410) echo 33- ;;
    t5500) echo 374- ;;
    t5510) echo 184- ;;
    t5537) echo 1,16- ;;
    t5545) echo 11- ;;
    t5548) echo 8- ;;
    t5601) echo 1,107- ;;
    t5616) echo 42- ;;
    t5700) echo 18- ;;
    t5702) echo 46- ;;
    t5703) echo 1,21- ;;
    *) echo 1- ;;
  esac
}
one() {
  local script
  script=$(cd "$source/t" && echo "$1"-*.sh)
  # shellcheck disable=SC2086 # words of a command, or none
  (cd "$source/t" && exec $as_other env -i PATH="$PATH" HOME="$run" TERM=dumb \
    GIT_TEST_PROTOCOL_VERSION="${GIT_TEST_PROTOCOL_VERSION:-2}" GIT_TEST_HTTPD=true \
    LIB_HTTPD_PATH="$bin/gitsuite" LIB_HTTPD_MODULE_PATH="$run" GITSUITE_HOST_PATH="$PATH" \
    TEST_OUTPUT_DIRECTORY="$run" timeout --foreground 1200 sh "./$script" --verbose-log --no-chain-lint --run="$(only "$1")" "--root=$run" >/dev/null 2>&1) || true
}
export -f one only
echo "== ${scripts[*]}, with protocol version ${GIT_TEST_PROTOCOL_VERSION:-2}"
printf '%s\n' "${scripts[@]}" | xargs -P "${JOBS:-$(nproc)}" -I{} bash -c 'one {}'

outputs=()
for s in "${scripts[@]}"; do
  outputs+=("$run/test-results/$s"-*.out)
done
"$bin/gitsuite" report "$list" "${outputs[@]}" || { echo "What the tests printed is in $run/test-results." >&2; exit 1; }
rm -rf "$run"
