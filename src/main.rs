//! The program: everything it does is in the library.

use std::process::ExitCode;

/// Keeps memory between passes instead of asking the system for each tensor.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    patchclamp::cli::main()
}
