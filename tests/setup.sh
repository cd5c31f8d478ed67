# Installs what is missing on a Debian machine. Sourced by the scripts that need it; changes nothing that is there.

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/millstream/target}"

# install PACKAGE.. : through apt, as root or with sudo.
install() {
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    echo "installing: $*" >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# What compiling takes beside Rust: a C++ compiler for RocksDB and librdkafka, libclang for their bindings, and OpenSSL for
# librdkafka.
need_build_tools() {
    command -v cargo >/dev/null || { echo "Rust is missing: see https://rustup.rs" >&2; exit 1; }
    local missing=()
    command -v g++ >/dev/null || missing+=(g++)
    command -v make >/dev/null || missing+=(make)
    ldconfig -p | grep -Eq 'libclang(-[0-9.]+)?\.so' || missing+=(libclang-dev)
    command -v pkg-config >/dev/null || missing+=(pkg-config)
    pkg-config --exists openssl 2>/dev/null || missing+=(libssl-dev)
    [ ${#missing[@]} = 0 ] || install "${missing[@]}"
}

# What a real Apache Kafka takes: Java, and Maven to fetch it.
need_java() {
    local missing=()
    command -v java >/dev/null || missing+=(default-jre-headless)
    command -v mvn >/dev/null || missing+=(maven)
    [ ${#missing[@]} = 0 ] || install "${missing[@]}"
}
