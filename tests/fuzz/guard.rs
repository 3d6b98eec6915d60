//! What is watched while a case runs: panics, memory, time.
#![allow(unsafe_code)] // an allocator that counts

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, Write};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The most memory that a case may take on top of what was there: a hundred times what the largest honest one takes.
const MEMORY: isize = 512 << 20;

/// The longest that a case may take: ten thousand times what the slowest honest one takes, for busy machines.
const SECONDS: usize = 100;

/// Cases that `cargo test` runs, over all kinds, where `PATCHCLAMP_FUZZ` does not say.
const CASES: usize = 2000;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;
static HELD: AtomicIsize = AtomicIsize::new(0);
static MOST: AtomicIsize = AtomicIsize::new(0);

fn count(more: isize) {
    let held = HELD.fetch_add(more, Ordering::Relaxed) + more;
    MOST.fetch_max(held, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { System.realloc(pointer, layout, size) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What a panic said last, and where.
static SAID: Mutex<String> = Mutex::new(String::new());

/// Memory is counted for the whole process, so that kinds take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    let turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("a panic without words");
        *SAID.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = format!("{place}: {what}");
    }));
    turn
}

fn said() -> String {
    SAID.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
}

/// Cases of a kind that has `share` per cent of all; a later part of the same row of cases begins at `PATCHCLAMP_FUZZ_FIRST`.
fn cases(share: usize) -> Range<usize> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<usize>().expect("a number of cases"));
    let first = number("PATCHCLAMP_FUZZ_FIRST").unwrap_or(0);
    first..first + number("PATCHCLAMP_FUZZ").unwrap_or(CASES) * share / 100
}

fn input_of(kind: &str, what: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz_{kind}_{what}"))
}

/// Ends the process when one case takes too long; its input is in the file that the message names.
fn watch(kind: &'static str, at: Arc<AtomicUsize>, done: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let (mut last, mut seconds) = (usize::MAX, 0);
        while !done.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_secs(1));
            let now = at.load(Ordering::Relaxed);
            seconds = if now == last { seconds + 1 } else { 0 };
            last = now;
            if seconds > SECONDS {
                say(&format!("{kind}: case {now} takes more than {SECONDS} s: {}", input_of(kind, "last").display()));
                std::process::abort();
            }
        }
    });
}

/// Past the test runner, which would keep what a print macro says.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A case that failed.
pub struct Failure {
    pub case: usize,
    pub what: String,
    pub input: Vec<u8>,
}

/// Makes and tries every case of a kind. `good` says whether an input was taken; a panic or too much memory is a failure,
/// of which every place is told once, with the input that led there.
///
/// Each case has a seed of its own. A crash that ends the process leaves its input in `fuzz_KIND_last`.
pub fn hold(
    kind: &'static str,
    share: usize,
    make: impl FnMut(ChaCha8Rng) -> Vec<u8>,
    good: impl FnMut(usize, &[u8]) -> bool,
) {
    let (cases, begin) = (cases(share), Instant::now());
    let (taken, failures) = tried(kind, cases.clone(), make, good);
    let (count, seconds) = (cases.len(), begin.elapsed().as_secs());
    say(&format!("{kind}: {count} cases, {taken} of them taken, {} places fail, {seconds} s", failures.len()));
    for Failure { case, what, input } in &failures {
        let path = input_of(kind, &case.to_string());
        std::fs::write(&path, input).unwrap();
        let shown: String = String::from_utf8_lossy(input).chars().take(600).collect();
        say(&format!("{kind}, case {case}: {what}\ninput, all of it in {}:\n{shown}\n", path.display()));
    }
    assert!(failures.is_empty(), "{kind}: {} places fail", failures.len());
}

/// How many inputs were taken, and the first failure of every place.
pub fn tried(
    kind: &'static str,
    cases: Range<usize>,
    mut make: impl FnMut(ChaCha8Rng) -> Vec<u8>,
    mut good: impl FnMut(usize, &[u8]) -> bool,
) -> (usize, Vec<Failure>) {
    let _turn = turn();
    let (at, done) = (Arc::new(AtomicUsize::new(cases.start)), Arc::new(AtomicBool::new(false)));
    watch(kind, at.clone(), done.clone());
    let mut last = File::create(input_of(kind, "last")).unwrap();
    let (mut taken, mut failures) = (0, BTreeMap::new());
    for case in cases {
        at.store(case, Ordering::Relaxed);
        let input = make(ChaCha8Rng::seed_from_u64(case as u64));
        rewrite(&mut last, &input);
        match one(|| good(case, &input)) {
            Ok(good) => taken += usize::from(good),
            Err(what) => {
                let place = what.split(": ").next().unwrap_or("").to_string();
                failures.entry(place).or_insert(Failure { case, what, input });
            }
        }
    }
    done.store(true, Ordering::Relaxed);
    let _ = std::fs::remove_file(input_of(kind, "last"));
    (taken, failures.into_values().collect())
}

/// A file with another content; it is not made anew, since some systems wait for the disk then.
pub fn rewrite(file: &mut File, bytes: &[u8]) {
    file.rewind().and_then(|()| file.write_all(bytes)).and_then(|()| file.set_len(bytes.len() as u64)).unwrap();
}

/// One case: what it says, or the panic, or the memory it took.
fn one(good: impl FnOnce() -> bool) -> Result<bool, String> {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let outcome = catch_unwind(AssertUnwindSafe(good));
    let most = MOST.load(Ordering::Relaxed) - before;
    match outcome {
        Err(_) => Err(said()),
        Ok(_) if most > MEMORY => Err(format!("memory: it takes {} MiB", most >> 20)),
        Ok(good) => Ok(good),
    }
}
