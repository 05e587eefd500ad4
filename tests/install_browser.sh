#!/bin/sh
# A Chromium for the browser tests, from whatever package manager this system has.
set -e
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then echo "found $name"; exit 0; fi
done
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
if command -v apt-get >/dev/null 2>&1; then
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
