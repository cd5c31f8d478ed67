# Finds out what is missing to build and test on this machine, and installs it on a Debian one. Sourced by the scripts that
# need it; changes nothing that is there.
#
# Everything is tried as the build scripts of the dependencies use it, before anything is compiled: a name that a package or
# a library goes by says little. tests/bare_machine tries this file where nothing is there.

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/millstream/target}"
. "$(dirname "${BASH_SOURCE[0]}")/rocksdb.sh"

# install PACKAGE.. : through apt, as root or with sudo.
install() {
    command -v apt-get >/dev/null || { echo "missing, and this is no Debian to install it: $*" >&2; exit 1; }
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    echo "installing: $*" >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@" >/dev/null
}

# compiles FLAG.. : whether the C++ compiler makes a program of standard input with these flags.
compiles() {
    c++ -x c++ - -o /dev/null "$@" 2>/dev/null
}

# RocksDB is C++20, and wants its standard library.
has_compiler() {
    command -v c++ >/dev/null && command -v cc >/dev/null &&
        echo '#include <string>
              #include <semaphore>
              int main() { return std::string("x").size() == 1 ? 0 : 1; }' | compiles -std=c++20
}

# librdkafka is configured and made by shell scripts and make.
has_make() {
    command -v make >/dev/null && command -v pkg-config >/dev/null
}

# librdkafka's TLS: found by pkg-config, and linked.
has_openssl() {
    local flags
    flags=$(pkg-config --cflags --libs openssl 2>/dev/null) || return 1
    # shellcheck disable=SC2086 # several flags
    echo '#include <openssl/ssl.h>
          int main() { return SSL_CTX_new(TLS_method()) == nullptr; }' | compiles $flags
}

# The bindings of RocksDB and librdkafka are made by libclang, which is loaded by one of these names while the build runs,
# and needs its own headers beside it. libclang-cpp is another library, and a libclang without headers is of no use.
has_libclang() {
    local program code=1
    program=$(mktemp)
    if c++ -x c++ - -o "$program" -ldl 2>/dev/null <<'CPP'; then
#include <dlfcn.h>
#include <glob.h>
#include <cstdlib>
#include <cstring>
#include <string>

struct File { const char *name; const char *text; unsigned long length; };

// Whether it is there and can read a header that includes those of the compiler.
static bool works(const char *path) {
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (!library) return false;
    auto create = (void *(*)(int, int))dlsym(library, "clang_createIndex");
    auto parse = (void *(*)(void *, const char *, const char *const *, int, File *, unsigned, unsigned))dlsym(
        library, "clang_parseTranslationUnit");
    auto problems = (unsigned (*)(void *))dlsym(library, "clang_getNumDiagnostics");
    if (!create || !parse || !problems) return false;
    const char *text = "#include <stdarg.h>\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n";
    File file = {"probe.h", text, strlen(text)};
    void *unit = parse(create(0, 0), "probe.h", nullptr, 0, &file, 1, 0);
    return unit && problems(unit) == 0;
}

int main() {
    // Where the build looks, on Linux.
    std::string directories[] = {"",
                                 "/usr/local/llvm*/lib*/",
                                 "/usr/local/lib*/*/*/",
                                 "/usr/local/lib*/*/",
                                 "/usr/local/lib*/",
                                 "/usr/lib*/*/*/",
                                 "/usr/lib*/*/",
                                 "/usr/lib*/"};
    if (const char *path = getenv("LIBCLANG_PATH")) directories[0] = std::string(path) + "/";
    for (auto &directory : directories)
        for (const char *name : {"libclang.so", "libclang-*.so", "libclang.so.*", "libclang-*.so.*"}) {
            if (directory.empty()) continue;
            glob_t found;
            if (glob((directory + name).c_str(), 0, nullptr, &found) == 0)
                for (size_t at = 0; at < found.gl_pathc; at++)
                    if (!strstr(found.gl_pathv[at], "libclang-cpp") && works(found.gl_pathv[at])) return 0;
        }
    return 1;
}
CPP
        "$program" 2>/dev/null && code=0
    fi
    rm -f "$program"
    return $code
}

# What compiling takes beside Rust.
need_build_tools() {
    command -v cargo >/dev/null || { echo "Rust is missing: see https://rustup.rs" >&2; exit 1; }
    local missing=()
    has_compiler || missing+=(g++)
    has_make || missing+=(make pkg-config)
    # What is tried with a compiler is tried once there is one.
    [ ${#missing[@]} = 0 ] || { missing+=(libssl-dev libclang-dev); install "${missing[@]}"; }
    missing=()
    has_openssl || missing+=(libssl-dev)
    has_libclang || missing+=(libclang-dev)
    [ ${#missing[@]} = 0 ] || install "${missing[@]}"
    local probe
    for probe in has_compiler has_make has_openssl has_libclang; do
        "$probe" && continue
        echo "what is needed to build is not usable although it is installed: $probe in tests/setup.sh shows how it is tried" >&2
        exit 1
    done
    say_what_a_build_takes
}

# Before a first build, so that nobody thinks that it hangs.
say_what_a_build_takes() {
    [ -e "$CARGO_TARGET_DIR/release/deps" ] && return
    echo "The first build compiles RocksDB, librdkafka and DataFusion, about 500 crates: some half an hour on two" >&2
    echo "cores. What is compiled is kept in $CARGO_TARGET_DIR; later builds take a minute." >&2
}

# What a real Apache Kafka takes: Java, and Maven to fetch it.
need_java() {
    local missing=()
    command -v java >/dev/null || missing+=(default-jre-headless)
    command -v mvn >/dev/null || missing+=(maven)
    [ ${#missing[@]} = 0 ] || install "${missing[@]}"
}

# What Flink takes, beside Maven: its planner is fetched as classes, and what drives it is compiled.
need_jdk() {
    need_java
    command -v javac >/dev/null || install default-jdk-headless
}

# PostgreSQL's own client, which asks a server as people do.
need_psql() {
    psql --version >/dev/null 2>&1 || install postgresql-client
}
