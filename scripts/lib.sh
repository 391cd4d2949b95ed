# Shared by the scripts in this folder, which source it: finding java, building the project when that is
# needed, and running a main class of it. Written for bash 3.2, which macOS has.

# fail STATUS SENTENCE: ends the script.
fail() {
  echo "$(basename "$0"): $2" >&2
  exit "$1"
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

# Sets JAVA and exports JAVA_HOME, for a JDK 17 or later: the one JAVA_HOME names, or the one on the path.
find_java() {
  local settings version major
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

# find_libtorch: sets CUDA to yes where PYTORCH_LIBRARY_PATH names a libtorch for GPUs and there is a driver, which that
# libtorch cannot be loaded without. Exports what DJL needs to know of a libtorch that it did not bring.
find_libtorch() {
  CUDA=no
  [ -n "${PYTORCH_LIBRARY_PATH:-}" ] || return 0
  local folder=$PYTORCH_LIBRARY_PATH library
  [ -d "$folder" ] || folder=$(dirname "$folder")
  if [ -e "$folder/libtorch_cuda.so" ] && has_nvidia_driver; then
    CUDA=yes
    # pip keeps CUDA's libraries beside torch; DJL and NCCL look for them by their names.
    for library in "$folder"/../../nvidia/cuda_runtime/lib "$folder"/../../nvidia/nccl/lib; do
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

# examples_jar ROOT: the jar of the examples that was built last.
examples_jar() {
  # shellcheck disable=SC2010
  ls -t "$1"/xfuser-examples/target/xfuser-examples-*.jar 2>/dev/null | grep -v -e '-sources\.jar$' -e '-javadoc\.jar$' | head -n 1
}

# class_path ROOT: what a main class needs to run.
class_path() {
  echo "$(examples_jar "$1"):$(cat "$1/xfuser-examples/target/classpath.txt")"
}

# Whether the classes are built, with what CUDA needs if it is used, and no source is newer than they.
is_built() {
  local target=$1/xfuser-examples/target entry newer
  [ -f "$target/classpath.txt" ] && [ -f "$target/built" ] && [ -n "$(examples_jar "$1")" ] || return 1
  [ "$CUDA" = no ] || grep -q 'cuda-[^/]*-linux' "$target/classpath.txt" || return 1
  local IFS=:
  for entry in $(cat "$target/classpath.txt"); do
    [ -e "$entry" ] || return 1
  done
  # A folder's own time tells of removed files.
  newer=$(cd "$1" && find pom.xml .mvn xfuser-*/pom.xml xfuser-*/src/main -newer "$target/built" 2>/dev/null | head -n 1)
  [ -z "$newer" ]
}

# Waits until no other script builds; the lock ends with unlock or with this process.
lock() {
  LOCK=$1
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$LOCK" && flock 9
    return
  fi
  local told=
  until mkdir "$LOCK.d" 2>/dev/null; do
    [ -n "$told" ] || echo "waiting for another build (if none is running, remove $LOCK.d)" >&2
    told=yes
    sleep 1
  done
  trap 'rmdir "$LOCK.d" 2>/dev/null' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

unlock() {
  exec 9>&-
  rmdir "$LOCK.d" 2>/dev/null
  trap - EXIT INT TERM
}

# Builds the project in ROOT if that is needed.
build() {
  local root=$1
  local target=$root/xfuser-examples/target profile=
  find_libtorch
  [ "$CUDA" = no ] || profile=-Pcuda
  is_built "$root" && return
  [ -x "$JAVA_HOME/bin/javac" ] \
    || fail 1 "building needs a JDK, but $JAVA_HOME has no javac; set JAVA_HOME to a JDK 17 or later"
  mkdir -p "$target" || exit 1
  lock "$target/build.lock"
  if ! is_built "$root"; then
    echo "building xfuser (on first use and after changes; the first time it downloads libraries) ..." >&2
    # Made before the build: what changes during it is newer.
    touch "$target/building"
    (cd "$root" && ./mvnw -B ${profile:+"$profile"} -Dquick -Dorg.slf4j.simpleLogger.defaultLogLevel=warn package) \
      >"$target/build.log" 2>&1 </dev/null || {
      cat "$target/build.log" >&2
      fail 1 "the build failed; its messages are above"
    }
    mv "$target/building" "$target/built"
    archive_classes "$root"
  fi
  unlock
}

# archive_classes ROOT: draws a picture and keeps the classes that were loaded for it in the form in which Java maps
# them, which saves a tenth of the first command's time. Where that fails, Java reads the jars.
archive_classes() {
  local root=$1 target=$1/xfuser-examples/target
  rm -f "$target/classes.jsa" "$target/classes.new"
  OPT_OUT_TRACKING=true "$JAVA" -XX:ArchiveClassesAtExit="$target/classes.new" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
    -cp "$(class_path "$root")" io.xfuser.examples.XDiT --model "$root/xfuser-examples/demo-model" --prompt "a fox" \
    --no_use_resolution_binning --num_inference_steps 2 --pipefusion_parallel_degree 2 --output_directory "$target/first" \
    >/dev/null 2>&1 && mv "$target/classes.new" "$target/classes.jsa"
  true
}

# run_main ROOT MAIN "JVM OPTIONS" ARGUMENTS...: becomes the JVM that runs MAIN.
run_main() {
  local root=$1 main=$2 options=$3
  shift 3
  local target=$root/xfuser-examples/target
  export OPT_OUT_TRACKING=true
  # What is drawn with where no model is given.
  [ -d "$root/xfuser-examples/demo-model" ] && export XFUSER_DEMO_MODEL=$root/xfuser-examples/demo-model
  unset XFUSER_STDERR_IS_TERMINAL
  # For the progress bar; the JVM cannot tell.
  [ -t 2 ] && export XFUSER_STDERR_IS_TERMINAL=yes
  local archive=$target/classes.jsa path
  path=$(class_path "$root")
  # The options are words, not patterns.
  set -f
  # The arithmetic is libtorch's: the quick compiler and the small collector start sooner and lose nothing, and what few
  # objects there are need no large nursery.
  case $options in
    *Use*GC*) ;;
    *) options="-XX:+UseSerialGC -Xmn16m $options" ;;
  esac
  # Java passes over an archive of other jars or of another Java, and need not say so.
  [ "$archive" -nt "${path%%:*}" ] && options="-XX:SharedArchiveFile=$archive -Xlog:cds=off -Xlog:cds+dynamic=off $options"
  # JavaCPP's limit on resident memory would count the weights that are mapped; whoever gives another one gives it later.
  [ "${CUDA:-no}" = no ] || options="-Dorg.bytedeco.javacpp.maxPhysicalBytes=0 $options"
  # shellcheck disable=SC2086
  exec "$JAVA" -XX:TieredStopAtLevel=1 $options -cp "$path" "$main" "$@"
}

# run_test_main ROOT MAIN ARGUMENTS...: compiles the models' tests and becomes the JVM that runs MAIN of them.
run_test_main() {
  local root=$1 main=$2
  shift 2
  find_java
  cd "$root" || exit 1
  ./mvnw -q -B -pl xfuser-core,xfuser-models test-compile dependency:build-classpath \
    -Dmdep.outputFile=target/test-classpath.txt -Dmdep.includeScope=test -Dspotless.check.skip=true || exit 1
  cd xfuser-models || exit 1
  export OPT_OUT_TRACKING=true
  exec "$JAVA" -cp "target/test-classes:target/classes:$(cat target/test-classpath.txt)" "$main" "$@"
}

# find_python REQUIREMENTS INTERPRETER: sets PYTHON to the interpreter if one is given, else to that of an
# environment in the user's cache, which is made if it is not there.
find_python() {
  local requirements=$1 cache environment
  PYTHON=$2
  [ -z "$PYTHON" ] || return 0
  python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
    || fail 1 "python3 3.11 to 3.13 is needed to run diffusers with torch 2.7.1"
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/xfuser-python
  environment=$cache/$(cksum <"$requirements" | cut -d ' ' -f 1)
  PYTHON=$environment/bin/python
  [ ! -f "$environment/complete" ] || return 0
  echo "installing diffusers and torch in $environment (once) ..." >&2
  mkdir -p "$cache" && python3 -m venv "$environment" || fail 1 "no Python environment could be made"
  if ! command -v nvidia-smi >/dev/null 2>&1; then
    # The CPU build is a tenth of the size; where its index cannot be reached, the build on PyPI serves as well.
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --retries 1 \
      --index-url https://download.pytorch.org/whl/cpu "$(grep '^torch==' "$requirements")" >/dev/null 2>&1
  fi
  "$PYTHON" -m pip install --quiet --disable-pip-version-check -r "$requirements" >&2 \
    || fail 1 "installing $requirements failed; the messages are above"
  touch "$environment/complete"
}
