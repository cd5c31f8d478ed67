# Apache Flink on this machine: fetched by Maven, and a class of ours run with it. Sourced by the scripts that ask it.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../setup.sh"

# in_flink FILE.java ARGUMENT.. : compiles the file where it has changed, and runs its class with Flink's jars. What Flink
# logs goes to last.log in the cache.
in_flink() {
    need_jdk
    local cache="${MILLSTREAM_CACHE:-$HOME/.cache/millstream}/flink" source=$1 class
    class=$(basename "$source" .java)
    shift
    if [ ! -e "$cache/fetched" ] || [ "$here/pom.xml" -nt "$cache/fetched" ]; then
        echo "fetching Flink into $cache" >&2
        mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$cache/jars" >&2
        touch "$cache/fetched"
    fi
    if [ ! -e "$cache/$class.class" ] || [ "$source" -nt "$cache/$class.class" ]; then
        javac -cp "$cache/jars/*" -d "$cache" "$source"
    fi
    local opens=() package
    for package in lang util nio time net io text lang.invoke util.concurrent util.concurrent.atomic; do
        opens+=("--add-opens=java.base/java.$package=ALL-UNNAMED")
    done
    opens+=("--add-opens=java.base/sun.nio.ch=ALL-UNNAMED")
    exec java "-Xmx${FLINK_HEAP:-2g}" "${opens[@]}" -cp "$cache:$cache/jars/*" "$class" "$@" 2>"$cache/last.log"
}
