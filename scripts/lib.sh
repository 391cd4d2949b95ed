# Shared by the scripts in this folder, which source it: finding java, building the project when that is
# needed, and running a main class of it. Written for bash 3.2, which macOS has.

unset CDPATH
. "$(dirname "${BASH_SOURCE[0]}")/build.sh"

# The modules of the library, each above those before it.
LIBRARY="xfuser-tensors xfuser-core xfuser-pipelines xfuser-models"

# fail STATUS SENTENCE: ends the script.
fail() {
  echo "$(basename "$0"): $2" >&2
  exit "$1"
}

# head_of SCRIPT: the comment that it begins with.
head_of() {
  awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$1"
}

# require_place WHAT FILE [FOLDER]: ends the script where WHAT could not be written to FILE, which may be in FOLDER, made
# later; an empty name is none.
require_place() {
  local folder later=${3-}
  [ -n "$2" ] || return 0
  folder=$(dirname "$2")
  [ "$folder" != "${later%/}" ] || return 0
  [ ! -d "$2" ] || fail 2 "$1: $2 is a folder"
  [ -d "$folder" ] || fail 2 "$1: there is no folder $folder"
  [ -e "$2" ] && folder=$2
  [ -w "$folder" ] || fail 2 "$1: $folder cannot be written to"
}

# require_dtypes WHAT TYPES: ends the script where one of TYPES, with commas between, is no type to compute in.
require_dtypes() {
  local dtype
  for dtype in ${2//,/ }; do
    case $dtype in
      float32 | bfloat16 | float16) ;;
      *) fail 2 "$1 has $dtype, which is none of float32, bfloat16 and float16" ;;
    esac
  done
}

# real_path FILE: its path without symbolic links.
real_path() {
  local path=$1 link
  while link=$(readlink "$path"); do
    case $link in
      /*) path=$link ;;
      *) path=$(dirname "$path")/$link ;;
    esac
  done
  printf '%s\n' "$path"
}

# Exports a locale in which Java can read every letter of prompts and paths, where the present one is only ASCII
# (containers, cron, systemd, or a locale that is not installed). Another encoding is the user's own.
find_locale() {
  local locale
  is_ascii "$(locale charmap 2>/dev/null)" || return 0
  for locale in C.UTF-8 C.utf8 en_US.UTF-8 $(locale -a 2>/dev/null | grep -i -m 1 'utf-\{0,1\}8$'); do
    if [ "$(LC_ALL=$locale locale charmap 2>/dev/null)" = UTF-8 ]; then
      # Nothing less will do: one locale of LANG's or LC_MESSAGES' that is not installed makes Java take ASCII.
      export LC_ALL=$locale
      return
    fi
  done
}

# Whether an encoding, as "locale charmap" names it, has no letters but ASCII's; unknown ones count as such.
is_ascii() {
  case $1 in
    '' | ANSI_X3.4* | US-ASCII | ASCII | 646 | C | POSIX) return 0 ;;
    *) return 1 ;;
  esac
}

# Exports HOME where it is not set, and tells Java of it where the system does not know the user.
find_home() {
  export HOME="${HOME:-$(echo ~)}"
  if ! id -un >/dev/null 2>&1; then
    export DJL_CACHE_DIR="${DJL_CACHE_DIR:-$HOME/.djl.ai}"
    export MAVEN_OPTS="${MAVEN_OPTS:+$MAVEN_OPTS }-Duser.home=$HOME"
  fi
}

# Sets JAVA and exports JAVA_HOME, for a JDK 17 or later: the one JAVA_HOME names, or the one on the path.
find_java() {
  local settings version major
  find_locale
  find_home
  JAVA=java
  if [ -n "${JAVA_HOME:-}" ]; then
    JAVA=$JAVA_HOME/bin/java
    [ -x "$JAVA" ] || fail 1 "JAVA_HOME is $JAVA_HOME, but there is no bin/java in it"
  fi
  # The release file saves starting Java only to ask it; some packagers leave the file out.
  JAVA_HOME=$(dirname "$(dirname "$(real_path "$(command -v "$JAVA" || echo "$JAVA")")")")
  version=$(sed -n 's/^JAVA_VERSION="\(.*\)"$/\1/p' "$JAVA_HOME/release" 2>/dev/null)
  if [ -z "$version" ] || [ ! -x "$JAVA_HOME/bin/java" ]; then
    settings=$("$JAVA" -XshowSettings:properties -version 2>&1) \
      || fail 1 "no working java found; install a JDK 17 and put it on the PATH or set JAVA_HOME"
    version=$(printf '%s\n' "$settings" | sed -n 's/^ *java\.specification\.version = //p')
    JAVA_HOME=$(printf '%s\n' "$settings" | sed -n 's/^ *java\.home = //p')
  fi
  major=${version%%.*}
  [ "${major:-0}" -ge 17 ] \
    || fail 1 "a JDK 17 or later is needed, but $JAVA is version ${version:-unknown}; set JAVA_HOME to one"
  JAVA_HOME=$(cd "$JAVA_HOME" && pwd -P) || fail 1 "there is no folder $JAVA_HOME"
  export JAVA_HOME
  JAVA=$JAVA_HOME/bin/java
}

# Whether this machine has NVIDIA's driver.
has_nvidia_driver() {
  [ -e /proc/driver/nvidia/version ] || PATH=$PATH:/sbin ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1'
}

# require_device DEVICE: ends the script where there is no such device for gpu-check.
require_device() {
  case $1 in
    cuda) has_nvidia_driver || fail 2 "this machine has no GPU for CUDA (no NVIDIA driver); --device cpu tries the check without one" ;;
    cpu) ;;
    *) fail 2 "the device must be cuda or cpu, but is $1" ;;
  esac
}

# find_libtorch: sets CUDA to yes where PYTORCH_LIBRARY_PATH names a libtorch for GPUs and there is a driver, which that
# libtorch cannot be loaded without. Exports what DJL needs to know of a libtorch that it did not bring.
find_libtorch() {
  CUDA=${PACK:-no}
  [ -n "${PYTORCH_LIBRARY_PATH:-}" ] || return 0
  local folder=$PYTORCH_LIBRARY_PATH library
  [ -d "$folder" ] || folder=$(dirname "$folder")
  if [ -e "$folder/libtorch_cuda.so" ] && has_nvidia_driver; then
    CUDA=yes
    # pip keeps CUDA's libraries beside torch; DJL and NCCL look for them by their names.
    for library in "$folder"/../../nvidia/{cuda_runtime,cu13,nccl}/lib; do
      [ ! -d "$library" ] || export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$library"
    done
  fi
  # DJL looks for a flavour of its JNI library that it does not have unless it is told which.
  if [ "$CUDA" = yes ]; then
    export PYTORCH_FLAVOR="${PYTORCH_FLAVOR:-cu128}"
  else
    export PYTORCH_FLAVOR="${PYTORCH_FLAVOR:-cpu}"
  fi
}

# run_main ROOT MAIN "JVM OPTIONS" ARGUMENTS...: becomes the JVM that runs MAIN, of the build in BUILT or with CLASS_PATH.
run_main() {
  local root=$1 main=$2 given=$3
  shift 3
  export OPT_OUT_TRACKING=true
  # What is drawn with where no model is given.
  [ -d "$root/xfuser-examples/demo-model" ] && export XFUSER_DEMO_MODEL=$root/xfuser-examples/demo-model
  unset XFUSER_STDERR_IS_TERMINAL
  # For the progress bar; the JVM cannot tell.
  [ -t 2 ] && export XFUSER_STDERR_IS_TERMINAL=yes
  # Threads that spin while they wait take the core from those that they wait for; sleeping costs little where nothing
  # else runs (docs/performance.md). Java sets this too, but then with less certainty.
  [ -n "${OMP_WAIT_POLICY:-}${GOMP_SPINCOUNT:-}${KMP_BLOCKTIME:-}${KMP_LIBRARY:-}" ] || export OMP_WAIT_POLICY=passive
  local built=${BUILT:-$root} path archive options
  path=${CLASS_PATH:-$(class_path "$built")}
  archive=$built/xfuser-examples/target/classes.jsa
  options=(-XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED)
  # The arithmetic is libtorch's: the quick compiler and the small collector start sooner and lose nothing, and what few
  # objects there are need no large nursery. Who chooses a collector or a heap chooses the nursery too.
  case "$given ${JAVA_TOOL_OPTIONS:-} ${JDK_JAVA_OPTIONS:-} ${_JAVA_OPTIONS:-}" in
    *Use*GC*) ;;
    *-Xm[nx]* | *MaxHeapSize* | *MaxRAM*) options+=(-XX:+UseSerialGC) ;;
    *) options+=(-XX:+UseSerialGC -Xmn16m) ;;
  esac
  # Java passes over an archive of other jars or of another Java, and need not say so.
  if [ -r "$archive" ] && [ "$archive" -nt "${path%%:*}" ]; then
    options+=("-XX:SharedArchiveFile=$archive" -Xlog:cds=off -Xlog:cds+dynamic=off)
  fi
  # JavaCPP's limit on resident memory would count the weights that are mapped; whoever gives another one gives it later.
  [ "${CUDA:-no}" = no ] || options+=(-Dorg.bytedeco.javacpp.maxPhysicalBytes=0)
  # The options given are words, not patterns.
  set -f
  # shellcheck disable=SC2086
  exec "$JAVA" "${options[@]}" $given -cp "$path" "$main" "$@"
}

# run_test_main ROOT MAIN ARGUMENTS...: compiles the models' tests and becomes the JVM that runs MAIN of them.
run_test_main() {
  local root=$1 main=$2
  shift 2
  find_java
  cd "$root" || exit 1
  drop_moved "$root"
  ./mvnw -q -B -pl "${LIBRARY// /,}" test-compile dependency:build-classpath \
    -Dmdep.outputFile=target/test-classpath.txt -Dmdep.includeScope=test -Dspotless.check.skip=true || exit 1
  cd xfuser-models || exit 1
  export OPT_OUT_TRACKING=true
  exec "$JAVA" -cp "target/test-classes:target/classes:$(cat target/test-classpath.txt)" "$main" "$@"
}

# real_size_folder VARIANT LAYERS TEXT_LAYERS: where scripts/checks/real_size writes unless it is told; empty layers are all.
real_size_folder() {
  echo "${XDG_CACHE_HOME:-$HOME/.cache}/xfuser-real-size/$1${2:+-$2}${3:+-text-$3}"
}

# find_python REQUIREMENTS INTERPRETER: sets PYTHON to the interpreter if one is given, else to that of an
# environment in the user's cache, which is made if it is not there.
find_python() {
  local requirements=$1 cache environment torch
  PYTHON=$2
  [ -z "$PYTHON" ] || return 0
  python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
    || fail 1 "python3 3.11 to 3.13 is needed, which torch 2.7.1 runs with"
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/xfuser-python
  environment=$cache/$(cksum <"$requirements" | cut -d ' ' -f 1)
  PYTHON=$environment/bin/python
  [ ! -f "$environment/complete" ] || [ ! -x "$PYTHON" ] || return 0
  [ -x "$PYTHON" ] || rm -rf "$environment" # a link to a Python that was removed would stay
  echo "installing what $(basename "$0") needs in $environment (once) ..." >&2
  mkdir -p "$cache" && python3 -m venv "$environment" || fail 1 "no Python environment could be made"
  torch=$(grep '^torch==' "$requirements") || true
  if [ -n "$torch" ] && ! command -v nvidia-smi >/dev/null 2>&1; then
    # The CPU build is a tenth of the size; where its index cannot be reached, the build on PyPI serves as well.
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --retries 1 \
      --index-url https://download.pytorch.org/whl/cpu "$torch" >/dev/null 2>&1 || true
  fi
  "$PYTHON" -m pip install --quiet --disable-pip-version-check -r "$requirements" >&2 \
    || fail 1 "installing $requirements failed; the messages are above"
  touch "$environment/complete"
}
