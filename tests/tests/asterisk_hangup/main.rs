//! What hangups, dropped calls and ends look like on a real Asterisk, in every setting: each cell of the
//! tables in `docs/hangup.md` is measured and compared.
//!
//! `HANGUP_MATRIX=print` prints what was measured instead of comparing it.
#![allow(clippy::unwrap_used, missing_docs)]

mod cell;
mod ends;
mod guide;
mod latency;
mod more;
mod scenario;

use agi_tests::asterisk::{Asterisk, Version};
use agi_tests::script::{Blocking, Script, Smol, Tokio};
use cell::Cell;
use guide::Guide;
use scenario::Scenario;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Calls at once.
const CALLS: usize = 12;

const SIGHUP: [Option<&str>; 5] = [None, Some("yes"), Some("no"), Some("0"), Some("false")];
const EXIT: [Option<&str>; 3] = [None, Some("yes"), Some("no")];

/// What the two variables of the dialplan are set to.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    sighup: Option<&'static str>,
    exit: Option<&'static str>,
}

fn all_settings() -> impl Iterator<Item = Setting> {
    SIGHUP.into_iter().flat_map(|sighup| EXIT.map(|exit| Setting { sighup, exit }))
}

/// Runs all cells, some at once, and gives the failures.
fn matrix<S: Script>(version: Version) {
    let asterisk = Asterisk::shared(version);
    let guide = Guide::read();
    let cells: Vec<_> =
        all_settings().flat_map(|setting| Scenario::all().map(move |scenario| (setting, scenario))).collect();
    let (next, failures, seen) = (AtomicUsize::new(0), Mutex::default(), Mutex::default());
    let began = Instant::now();
    let work = || {
        while let Some(&(setting, scenario)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
            let class = guide.class(setting);
            let run = || Cell::run::<S>(asterisk, setting, &class, scenario);
            let why = match catch_unwind(AssertUnwindSafe(run)) {
                Ok(cell) => {
                    let wrong = guide.compare(&class, scenario, &cell);
                    let mut seen: std::sync::MutexGuard<'_, BTreeMap<_, BTreeSet<_>>> = seen.lock().unwrap();
                    seen.entry((scenario.name(), class.clone())).or_default().insert(format!("{cell:?}"));
                    wrong
                }
                Err(panic) => Some(match panic.downcast::<String>() {
                    Ok(text) => *text,
                    Err(panic) => panic.downcast::<&str>().map_or("a panic".into(), |text| (*text).into()),
                }),
            };
            if let Some(why) = why {
                let text = format!("{} ({class}, {setting:?}): {why}", scenario.name());
                Mutex::<Vec<String>>::lock(&failures).unwrap().push(text);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..CALLS {
            scope.spawn(work);
        }
    });
    let time = began.elapsed().as_secs_f64();
    eprintln!("{} cells on {version:?} over {}: {time:.1} s", cells.len(), S::ADAPTER);
    if std::env::var_os("HANGUP_MATRIX").is_some() {
        for ((name, class), cells) in seen.into_inner().unwrap() {
            eprintln!("{name} | {class} | {cells:?}");
        }
    }
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} cells:\n{}", failures.len(), cells.len(), failures.join("\n"));
}

#[test]
fn every_hangup() {
    matrix::<Tokio>(Version::V22);
    matrix::<Smol>(Version::V22);
    matrix::<Blocking>(Version::V22);
}

#[test]
fn every_hangup_on_16() {
    matrix::<Tokio>(Version::V16);
    matrix::<Smol>(Version::V16);
    matrix::<Blocking>(Version::V16);
}
