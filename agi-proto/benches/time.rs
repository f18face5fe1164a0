//! The same cases by the clock, beside two floors in the same run: finding line ends in the same bytes by
//! `memchr`, and copying them.

mod cases;

use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    divan::main();
}

/// All but the smaller sizes of what grows.
fn names() -> Vec<String> {
    let names = cases::all().into_iter().map(|case| case.name);
    names.filter(|name| !name.ends_with(": 1 kB") && !name.ends_with(": 10 kB")).collect()
}

fn case(name: &str) -> cases::Case {
    cases::all().into_iter().find(|case| case.name == name).expect("the name is one of theirs")
}

#[divan::bench(args = names())]
fn a_ours(bencher: Bencher<'_, '_>, name: &str) {
    let mut case = case(name);
    bencher.counter(BytesCount::new(case.bytes.len())).bench_local(|| (case.run)());
}

#[divan::bench(args = names())]
fn b_memchr(bencher: Bencher<'_, '_>, name: &str) {
    let bytes = case(name).bytes;
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| memchr::memchr_iter(b'\n', divan::black_box(&bytes)).count());
}

#[divan::bench(args = names())]
fn c_copy(bencher: Bencher<'_, '_>, name: &str) {
    let bytes = case(name).bytes;
    let mut copy = bytes.clone();
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| divan::black_box(&mut copy).copy_from_slice(divan::black_box(&bytes)));
}
