#!/bin/sh
# Checks this folder's program, and installs it for one user without an administrator.
#   ./install.sh           says which shared libraries are missing, and the line that installs them
#   ./install.sh --user    checks, then adds the command `affectograph`, the menu entry, the icon and the file type
#   ./install.sh --remove  removes what --user of this folder added; recordings and preferences stay
# The folder may lie anywhere. Several versions may lie side by side: --user makes this one the user's.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
program=$here/lib/affectograph/affectograph
bin=$HOME/.local/bin
data=${XDG_DATA_HOME:-$HOME/.local/share}
entry=$data/applications/affectograph.desktop
icon=$data/icons/hicolor/scalable/apps/affectograph.svg
type=$data/mime/packages/affectograph.xml

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# What ldd does not find, and what the program opens at run time and the loader does not know.
missing_libraries() {
  linked=$(ldd "$program" "$here/lib/affectograph/libonnxruntime.so" "$here/lib/affectograph/liblsl.so" 2>/dev/null | sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p')
  known=$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p)
  tab=$(printf '\t')
  while IFS=$tab read -r library package; do
    case $library in ld-linux*) continue ;; esac
    if printf '%s\n' "$linked" | grep -qxF -- "$library" || ! printf '%s\n' "$known" | grep -qF -- "$library "; then
      printf '%s\t%s\n' "$library" "$package"
    fi
  done <"$here/share/affectograph/libraries.tsv"
}

check() {
  if ldd "$program" 2>&1 | grep -q 'version .* not found'; then
    ldd "$program" 2>&1 | grep 'version .* not found' >&2
    fail "This system's C library is too old for this program. The manual names the systems that it runs on."
  fi
  missing=$(missing_libraries)
  [ -n "$missing" ] || { say "All shared libraries are here."; return 0; }
  say "These shared libraries are missing:"
  printf '%s\n' "$missing" | cut -f1 | sed 's/^/  /'
  say "An administrator installs them with this line:"
  if command -v apt-get >/dev/null; then
    say "  apt-get install $(printf '%s\n' "$missing" | cut -f2 | sort -u | tr '\n' ' ')"
  elif command -v dnf >/dev/null; then
    say "  dnf install $(printf '%s\n' "$missing" | cut -f1 | sed "s/.*/'&()(64bit)'/" | tr '\n' ' ')"
  elif command -v zypper >/dev/null; then
    say "  zypper install $(printf '%s\n' "$missing" | cut -f1 | sed "s/.*/'&()(64bit)'/" | tr '\n' ' ')"
  else
    say "  (this system's package manager is not known; search for the names above)"
  fi
  return 1
}

# A text in double quotes of a desktop entry: the characters " ` $ \ get a backslash, and that backslash one more.
quoted() { printf '%s' "$1" | sed 's/[\\"`$]/\\\\&/g; s/%/%%/g'; }

# The user's command is a link to another version, or to another program. A link to a folder that was deleted is not.
is_of_another() {
  [ -L "$bin/affectograph" ] && [ -e "$bin/affectograph" ] && [ "$(readlink "$bin/affectograph")" != "$program" ]
}

install_for_user() {
  if [ -e "$bin/affectograph" ] && [ ! -L "$bin/affectograph" ]; then
    fail "$bin/affectograph is a file of another program. Nothing was changed."
  fi
  if is_of_another; then say "This replaces the command of $(readlink "$bin/affectograph")."; fi
  mkdir -p "$bin" "$(dirname "$entry")" "$(dirname "$icon")" "$(dirname "$type")"
  ln -sfn "$program" "$bin/affectograph"
  sed -e '/^Exec=/d' "$here/share/applications/affectograph.desktop" | while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in
    '[Desktop Entry]') printf 'Exec="%s"\n' "$(quoted "$program")" ;;
    '[Desktop Action manual]') printf 'Exec=xdg-open "%s"\n' "$(quoted "$here/share/doc/affectograph/manual/index.html")" ;;
    esac
  done >"$entry.new"
  mv "$entry.new" "$entry"
  cp "$here/share/icons/hicolor/scalable/apps/affectograph.svg" "$icon"
  cp "$here/share/mime/packages/affectograph.xml" "$type"
  refresh
  say "The command is $bin/affectograph, and the menu has an entry."
  case :$PATH: in
  *":$bin:"*) ;;
  *) say "Your shell does not search $bin. Add this line to ~/.profile and log in again:"
     say "  export PATH=\"\$HOME/.local/bin:\$PATH\"" ;;
  esac
}

remove_for_user() {
  if is_of_another; then
    say "The command is that of $(readlink "$bin/affectograph"). Nothing was removed."
    return 0
  fi
  [ ! -L "$bin/affectograph" ] || rm -f "$bin/affectograph"
  rm -f "$entry" "$icon" "$type"
  refresh
  say "The command, the menu entry, the icon and the file type are removed. This folder, recordings and preferences stay."
}

# Menus and file managers read these lists. Systems without the programs need no lists.
refresh() {
  ! command -v update-mime-database >/dev/null || update-mime-database "$data/mime" || say "The list of file types could not be updated."
  ! command -v update-desktop-database >/dev/null || update-desktop-database "$data/applications" || say "The list of programs could not be updated."
}

case ${1:-} in
'') check ;;
--user) install_for_user; check ;;
--remove) remove_for_user ;;
*) fail "Usage: ./install.sh [--user | --remove]" ;;
esac
