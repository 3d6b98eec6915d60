//! Laws of steps: nothing is done twice, nothing half written is read, shards put together are the whole.

use super::*;
use std::path::Path;

const RUN: [u8; 32] = [7; 32];

/// Ten steps that give their own number squared, every other one long; `done` hears which were done and not read back.
fn squares(steps: &mut Steps, done: &mut Vec<u64>) -> Vec<Option<u64>> {
    let mut square = |number: u64| {
        let mut compute = || {
            done.push(number);
            Ok(number * number)
        };
        match number.is_multiple_of(2) {
            true => steps.step(1, compute).unwrap(),
            false => steps
                .watched(1, |heard| {
                    heard.advance(1);
                    compute()
                })
                .unwrap(),
        }
    };
    (0..10).map(&mut square).collect()
}

fn all() -> Vec<Option<u64>> {
    (0..10).map(|number| Some(number * number)).collect()
}

/// A run with the journal `name` in a folder: what it gave, and which steps it did.
fn run(folder: &Path, name: &str, shard: Shard) -> (Vec<Option<u64>>, Vec<u64>, bool) {
    let kept = kept_in(folder, &RUN).unwrap();
    let journal = Journal::open(&folder.join(name), &RUN).unwrap();
    let (mut done, mut nobody) = (Vec::new(), ());
    let mut steps = Steps::new(kept, Some(journal), shard, &mut nobody);
    let found = squares(&mut steps, &mut done);
    let complete = steps.complete().is_ok();
    (found, done, complete)
}

#[test]
fn a_journal_cut_anywhere_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1-of-1.steps");
    assert_eq!(run(folder.path(), "1-of-1.steps", Shard::WHOLE).0, all());
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let (found, done, _) = run(folder.path(), "1-of-1.steps", Shard::WHOLE);
        assert_eq!(found, all(), "cut at {length}");
        assert!(!done.is_empty() && std::fs::read(&path).unwrap() == whole, "cut at {length}");
    }
    assert_eq!(run(folder.path(), "1-of-1.steps", Shard::WHOLE).1, Vec::<u64>::new());
}

#[test]
fn an_entry_that_does_not_fit_its_sum_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1-of-1.steps");
    run(folder.path(), "1-of-1.steps", Shard::WHOLE);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 9; // the content of the last entry
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(run(folder.path(), "1-of-1.steps", Shard::WHOLE), (all(), vec![9], true));
}

#[test]
fn shards_put_together_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    for number in 1..=3 {
        let shard = Shard { number, of: 3 };
        let (_, done, complete) = run(folder.path(), &format!("{number}-of-3.steps"), shard);
        assert_eq!(done, (0..10).filter(|step| step % 3 + 1 == number as u64).collect::<Vec<_>>());
        assert_eq!(complete, number == 3);
    }
    assert_eq!(run(folder.path(), "1-of-1.steps", Shard::WHOLE), (all(), Vec::new(), true));
}

#[test]
fn a_journal_has_one_writer_and_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1-of-1.steps");
    let held = Journal::open(&path, &RUN).unwrap();
    assert!(matches!(Journal::open(&path, &RUN), Err(JournalError::Taken(_))));
    assert!(matches!(idle(folder.path(), |_| true), Err(JournalError::Taken(_))));
    assert!(idle(folder.path(), |name| name != "1-of-1.steps").is_ok());
    drop(held);
    assert!(idle(folder.path(), |_| true).is_ok());
    assert!(matches!(Journal::open(&path, &[8; 32]), Err(JournalError::Other(_))));
}

#[test]
fn what_prepares_goes_to_the_shard_of_the_step_behind_it_and_all_else_in_turn() {
    let owned = |number| {
        let (mut nobody, mut done) = ((), Vec::new());
        let mut steps = Steps::new(Kept::new(), None, Shard { number, of: 2 }, &mut nobody);
        for (step, work) in [None, Some(5), None, Some(5), Some(0), Some(0), Some(5)].into_iter().enumerate() {
            let compute = || {
                done.push(step);
                Ok(step)
            };
            match work {
                Some(work) => steps.step(work, compute).unwrap(),
                None => steps.prepare(compute).unwrap(),
            };
        }
        done
    };
    assert_eq!((owned(1), owned(2)), (vec![0, 1, 4, 6], vec![2, 3, 5]));
}

#[test]
fn shards_are_written_as_fractions() {
    assert_eq!("2/8".parse(), Ok(Shard { number: 2, of: 8 }));
    for wrong in ["0/8", "9/8", "2", "a/b", "2/8/1", ""] {
        assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
    }
}
