#!/usr/bin/env bash
# Builds candle_mi/sweep.rs against the crate candle-mi from the registry, in a folder outside this package, and prints the
# path of the program. candle-mi is no dependency of ours: it would bring its own tensors along.
#
#   benches/candle_mi.sh [BUILD_FOLDER]
#
# The program reads a Llama-like folder (candle-mi 0.2 has no causal GPT-2): PROGRAM FOLDER BATCH POSITIONS [EFFECTS.json]
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
build="${1:-${TMPDIR:-/tmp}/patchclamp-candle-mi}"

mkdir -p "$build/src"
cp "$here/candle_mi/sweep.rs" "$build/src/main.rs"
cat > "$build/Cargo.toml" <<'MANIFEST'
[package]
name = "candle-mi-sweep"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
candle-mi = { version = "=0.2.2", default-features = false, features = ["transformer"] }
candle-core = "0.11"
candle-nn = "0.11"
serde_json = "1"
MANIFEST
cargo build --release --quiet --manifest-path "$build/Cargo.toml"
echo "$build/target/release/candle-mi-sweep"
