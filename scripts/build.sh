# Building the project for the scripts, which source this by lib.sh. Written for bash 3.2, which macOS has.

# examples_jar FOLDER: the jar of the examples that was built last.
examples_jar() {
  # shellcheck disable=SC2010
  ls -t "$1"/xfuser-examples/target/xfuser-examples-*.jar 2>/dev/null | grep -v -e '-sources\.jar$' -e '-javadoc\.jar$' | head -n 1
}

# class_path FOLDER: what a main class needs to run.
class_path() {
  echo "$(examples_jar "$1"):$(cat "$1/xfuser-examples/target/classpath.txt")"
}

# is_built ROOT FOLDER: whether FOLDER has the classes of ROOT, with what CUDA needs if it is used, and no source is
# newer than they.
is_built() {
  local target=$2/xfuser-examples/target
  [ -r "$target/classpath.txt" ] && [ -f "$target/built" ] && [ -r "$(examples_jar "$2")" ] || return 1
  [ "$CUDA" = no ] || grep -q 'cuda-[^/]*-linux' "$target/classpath.txt" || return 1
  [ -z "$(unreadable "$target/classpath.txt")" ] || return 1
  # A folder's own time tells of removed files.
  [ -z "$(cd "$1" && find pom.xml .mvn xfuser-*/pom.xml xfuser-*/src/main -newer "$target/built" 2>/dev/null | head -n 1)" ]
}

# unreadable FILE: the first entry of the class path in FILE that this user cannot read.
unreadable() {
  local entry
  tr ':' '\n' <"$1" | while IFS= read -r entry || [ -n "$entry" ]; do
    [ -r "$entry" ] || { printf '%s\n' "$entry" && break; }
  done
}

# may_build ROOT: whether this user may write what a build writes. Another user's build is left alone.
may_build() {
  local folder file
  for folder in "$1"/xfuser-*/; do
    if [ -e "${folder}target" ]; then
      [ -w "${folder}target" ] && [ ! -e "${folder}target/classes" -o -w "${folder}target/classes" ] || return 1
    else
      [ -w "$folder" ] || return 1
    fi
  done
  for file in built build.lock; do
    [ ! -e "$1/xfuser-examples/target/$file" ] || [ -w "$1/xfuser-examples/target/$file" ] || return 1
  done
}

# copy_sources ROOT FOLDER: what the build reads.
copy_sources() {
  local part
  for part in "$1"/xfuser-*/; do
    part=$(basename "$part")
    [ -d "$1/$part/src/main" ] || continue # of modules that the scripts do not need
    mkdir -p "$2/$part/src" && rm -rf "$2/$part/src/main" || return
    cp "$1/$part/pom.xml" "$2/$part/" && cp -R "$1/$part/src/main" "$2/$part/src/" || return
  done
  rm -rf "$2/.mvn" && cp -R "$1/pom.xml" "$1/.mvn" "$1/mvnw" "$1/LICENSE" "$1/NOTICE" "$2/"
}

# Waits until no other script builds; the lock ends with unlock or with this process.
lock() {
  LOCK=$1
  if command -v flock >/dev/null 2>&1; then
    exec 9>>"$LOCK" && flock 9
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
  rmdir "$LOCK.d" 2>/dev/null || true # there is none where flock locks; under "set -e" that would end the script
  trap - EXIT INT TERM
}

# build ROOT: builds the project in ROOT if that is needed, and sets BUILT to the folder with the classes: ROOT, or one
# in the user's cache where ROOT is another user's or cannot be written.
build() {
  local root=$1 target
  BUILT=$root
  find_libtorch
  case $root in
    *:*) fail 1 "Java cannot load classes from a path with a colon: $root" ;;
  esac
  is_built "$root" "$BUILT" && return
  if ! may_build "$root"; then
    BUILT=${XDG_CACHE_HOME:-$HOME/.cache}/xfuser-build/$(printf '%s' "$root" | cksum | cut -d ' ' -f 1)
    is_built "$root" "$BUILT" && return
    echo "$root cannot be written or was built by another user; building in $BUILT" >&2
    mkdir -p "$BUILT" || fail 1 "no folder to build in: neither $root nor $BUILT can be written; set XDG_CACHE_HOME or HOME to a folder of yours"
  fi
  [ -x "$JAVA_HOME/bin/javac" ] \
    || fail 1 "building needs a JDK, but $JAVA_HOME has no javac; set JAVA_HOME to a JDK 17 or later"
  target=$BUILT/xfuser-examples/target
  mkdir -p "$target" || fail 1 "the folder $target cannot be made"
  lock "$target/build.lock"
  is_built "$root" "$BUILT" || build_locked "$root" "$target"
  unlock
}

# drop_moved FOLDER: removes what earlier builds made of files that are gone or in another module now. Maven leaves much of
# it, which would come before what is right.
drop_moved() {
  local module
  for module in "$1"/xfuser-*/; do
    drop_gone "${module%/}" main classes
    drop_gone "${module%/}" test test-classes
  done
}

# drop_gone MODULE KIND FOLDER: of what is in target/FOLDER, and the jars, which Maven would not make anew for what lacks.
drop_gone() {
  local module=$1 kind=$2 built=$1/target/$3 file source from
  [ -d "$built/io" ] || return 0
  (cd "$built" && find io -type f) | while IFS= read -r file; do
    source=$file
    case $file in *.class) source=${file%.class} && source=${source%%\$*}.java ;; esac
    for from in "$module/src/$kind"/{java,resources} "$module"/target/generated-*{,/*}; do
      [ ! -e "$from/$source" ] || continue 2
    done
    ! declares "$module/src/$kind/java/${source%/*}" "$(basename "$source" .java)" || continue
    rm -f "$built/$file" "$module"/target/*.jar
  done
}

# declares PACKAGE CLASS: whether a file of another name declares a class.
declares() {
  grep -qsE "^([a-z@-]+ +)*(class|interface|enum|record) $2([^[:alnum:]_]|\$)" "$1"/*.java
}

# build_locked ROOT TARGET: the build itself.
build_locked() {
  local root=$1 target=$2 profile=
  [ "$CUDA" = no ] || profile=-Pcuda
  echo "building xfuser (on first use and after changes; the first time it downloads 230 MB) ..." >&2
  # Made before the build: what changes during it is newer.
  touch "$target/building"
  [ "$BUILT" = "$root" ] || copy_sources "$root" "$BUILT" || fail 1 "the sources cannot be copied to $BUILT"
  drop_moved "$BUILT"
  (
    set -o pipefail
    cd "$BUILT" && MVNW_VERBOSE=true ./mvnw -B ${profile:+"$profile"} -Dquick package 2>&1 </dev/null 9>&- \
      | tee "$target/build.log" | tell_build >&2
  ) || {
    # What went wrong is at the end, or said before Maven starts.
    grep '^\[ERROR\]' "$target/build.log" >&2 || tail -n 20 "$target/build.log" >&2
    fail 1 "the build failed; its messages are above, and everything it wrote is in $target/build.log"
  }
  mv "$target/building" "$target/built"
  echo "  archiving classes, which lets later commands start sooner" >&2
  archive_classes "$root"
}

# Reads what Maven writes and tells the user what it does: modules, large files, and every few seconds that it goes on.
tell_build() {
  local line status text files=0 last=$SECONDS current= module=
  while :; do
    IFS= read -r -t 5 line
    status=$?
    if [ $status -gt 128 ]; then
      line=
    elif [ $status != 0 ]; then
      cat >/dev/null # bash 3.2 says the same of silence as of the end
      return
    fi
    text=
    case $line in
      *'Downloading from: '*) text="downloading Maven" ;;
      *'Downloading from '*) current=${line##*/} ;;
      *'Downloaded from '*' MB at '*) text="downloaded $(large_file "$line")" ;;
      *'] Building xfuser '*) module=${line#*Building } && module=${module% [0-9]*} ;;
      *'] Compiling '*) text="compiling $module" ;;
    esac
    case $line in *'Downloaded from '*)
      files=$((files + 1))
      case ${line%% (*} in */"$current") current= ;; esac
    esac
    if [ -z "$text" ] && [ -n "$current" ] && [ $((SECONDS - last)) -ge 5 ]; then
      text="$files files downloaded, now $current"
    elif [ -z "$text" ] && [ $((SECONDS - last)) -ge 15 ]; then
      text="still at it"
    fi
    if [ -n "$text" ]; then
      last=$SECONDS
      echo "  $text"
    fi
  done
}

# large_file LINE: "[INFO] Downloaded from central: https://host/folder/name.jar (112 MB at 5 MB/s)" as "name.jar, 112 MB".
large_file() {
  local name=${1%% (*} size=${1##*(}
  echo "${name##*/}, ${size%% at *}"
}

# archive_classes ROOT: draws a picture and keeps the classes that were loaded for it in the form in which Java maps
# them, which saves a tenth of the first command's time. Where that fails, Java reads the jars.
archive_classes() {
  local root=$1 target=$BUILT/xfuser-examples/target
  rm -f "$target/classes.jsa" "$target/classes.new"
  OPT_OUT_TRACKING=true OMP_WAIT_POLICY=passive "$JAVA" -XX:ArchiveClassesAtExit="$target/classes.new" \
    -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
    -cp "$(class_path "$BUILT")" io.xfuser.cli.XDiT --model "$root/xfuser-examples/demo-model" --prompt "a fox" \
    --num_inference_steps 2 --pipefusion_parallel_degree 2 --output_directory "$target/first" \
    >/dev/null 2>&1 </dev/null && mv "$target/classes.new" "$target/classes.jsa"
  rm -rf "$target/first"
  true
}
