#!/bin/sh
# A Chromium for the browser tests, from whatever package manager this system has, and axe-core from npm.
set -e
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"

chromium=""
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then chromium="$name"; break; fi
done
if [ -n "$chromium" ]; then echo "found $chromium"
elif command -v apt-get >/dev/null 2>&1; then
    $as_root apt-get update -qq
    $as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
elif command -v dnf >/dev/null 2>&1; then $as_root dnf install -y chromium
elif command -v pacman >/dev/null 2>&1; then $as_root pacman -S --noconfirm chromium
elif command -v apk >/dev/null 2>&1; then $as_root apk add chromium
elif command -v brew >/dev/null 2>&1; then brew install --cask chromium
else
    echo "No known package manager: install Chromium by hand, or set REJUDGE_CHROMIUM to its path." >&2
    exit 1
fi

# axe-core is pinned by its hash in the lock file; it goes into .venv/ like everything that is installed.
here=$(cd "$(dirname "$0")" && pwd)
into="$here/../.venv/npm"
if ! command -v npm >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
    $as_root apt-get update -qq
    $as_root apt-get install -y -qq --no-install-recommends npm
fi
if command -v npm >/dev/null 2>&1; then
    mkdir -p "$into"
    cp "$here/browser/package.json" "$here/browser/package-lock.json" "$into/"
    npm ci --prefix "$into" --ignore-scripts --no-audit --no-fund --loglevel=error
else
    echo "No npm: the accessibility tests will be skipped." >&2
fi
