# RocksDB's C++, compiled in eight pieces instead of 343. Sourced by tests/setup.sh.
#
# Most of what compiling RocksDB takes is reading the same headers again for each file: as eight files that include the
# others it takes nine minutes of a core instead of 57. RocksDB's own tests compile it as one such file (`make unity_test`),
# so its files get along in one. The crate that binds it takes a library that is there (ROCKSDB_LIB_DIR), and compiles its
# own where there is none: slower, and the same otherwise.

# need_rocksdb : compiles it once per version and has the build use it. Where that does not work nothing is lost but time.
need_rocksdb() {
    [ "$(uname -sm)" = "Linux x86_64" ] || return 0
    [ -z "${ROCKSDB_LIB_DIR:-}" ] || return 0
    local version place
    version=$(rocksdb_version)
    place=$CARGO_TARGET_DIR/rocksdb/$version
    if [ ! -e "$place/librocksdb.a" ]; then
        echo "compiling RocksDB $version" >&2
        compile_rocksdb "$version" "$place" || {
            echo "it did not compile this way; cargo will compile it file by file" >&2
            return 0
        }
    fi
    export ROCKSDB_LIB_DIR=$place ROCKSDB_STATIC=1
}

# The version of the crate that brings its source, as the lock file has it.
rocksdb_version() {
    awk '/^name = / { name = $3 } /^version = / && name == "\"librocksdb-sys\"" { gsub("\"", "", $3); print $3; exit }' Cargo.lock
}

# crate_source NAME : where cargo keeps the source of a dependency; it is fetched if it isn't there.
crate_source() {
    cargo metadata --locked --format-version 1 --filter-platform x86_64-unknown-linux-gnu |
        grep -o "\"manifest_path\":\"[^\"]*/$1-[0-9][^/\"]*/Cargo.toml\"" | head -1 | sed 's/.*:"//; s|/Cargo.toml"||'
}

# compile_rocksdb VERSION PLACE : the library, with the flags that the crate's own build script gives.
compile_rocksdb() {
    local source lz4 work
    source=$(crate_source librocksdb-sys) && lz4=$(crate_source lz4-sys)/liblz4/lib || return 1
    [ -e "$source/rocksdb_lib_sources.txt" ] && [ -e "$lz4/lz4.h" ] || return 1
    mkdir -p "${2%/*}"
    work=$(mktemp -d "$2.XXXXXX")
    # Its own file of the version is one that the crate has made.
    { grep -v 'util/build_version.cc' "$source/rocksdb_lib_sources.txt" | tr -d ' '; echo build_version.cc; } |
        sed 's/.*/#include "&"/' >"$work/files"
    split -n l/8 --additional-suffix=.cc "$work/files" "$work/piece-"
    local flags=(
        -std=c++20 -O2 -fPIC -m64 -msse2 -ffunction-sections -fdata-sections -w -include cstdint
        -I "$source/rocksdb/include" -I "$source/rocksdb" -I "$source" -I "$lz4"
        -DNDEBUG=1 -DLZ4=1 -DHAVE_ALIGNED_NEW -DHAVE_UINT128_EXTENSION -DOS_LINUX -DROCKSDB_PLATFORM_POSIX
        -DROCKSDB_LIB_IO_POSIX -DROCKSDB_SCHED_GETCPU_PRESENT -DROCKSDB_AUXV_GETAUXVAL_PRESENT
        -DROCKSDB_FALLOCATE_PRESENT -DROCKSDB_RANGESYNC_PRESENT
    )
    # The piece is the last argument.
    printf '%s\0' "$work"/piece-*.cc | xargs -0 -n 1 -P "$(nproc)" bash -c '
        piece=${*: -1}
        c++ -c -o "${piece%.cc}.o" "$@" && echo "  ${piece##*/} is compiled" >&2' compile "${flags[@]}" &&
        ar crs "$work/librocksdb.a" "$work"/piece-*.o || { rm -r "$work"; return 1; }
    rm "$work"/piece-* "$work/files"
    chmod 755 "$work"
    # All of it is there, or nothing is; somebody else may have been as quick.
    mv -T "$work" "$2" 2>/dev/null || { rm -r "$work"; [ -e "$2/librocksdb.a" ]; }
}
