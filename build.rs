//! Tells the program the commit it was built from, for the facts of a run.

use std::process::Command;

fn main() {
    let commit = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let commit =
        commit.ok().filter(|found| found.status.success()).and_then(|found| String::from_utf8(found.stdout).ok());
    println!("cargo::rustc-env=PATCHCLAMP_COMMIT={}", commit.as_deref().map_or("unknown", str::trim));
    println!("cargo::rerun-if-changed=.git/HEAD");
}
