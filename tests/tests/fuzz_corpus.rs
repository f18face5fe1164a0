//! The bodies of the fuzz targets, without a fuzzer: over the corpus, over every input that was once a
//! finding, and over the recorded conversations.
//!
//! `cargo test -p agi-tests --test fuzz_corpus -- --ignored` makes the seeds of the corpus anew.

use std::fs;
use std::path::{Path, PathBuf};

use agi_tests::fuzz::BODIES;
use agi_tests::trace::{Line, Trace};

fn folder(kind: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(kind).join(target)
}

/// The inputs in a folder, by file name.
fn inputs(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let read = |entry: fs::DirEntry| {
        let bytes = fs::read(entry.path()).expect("a file that can be read");
        (entry.path().display().to_string(), bytes)
    };
    let mut inputs: Vec<_> = entries.map(|entry| read(entry.expect("an entry"))).collect();
    inputs.sort();
    inputs
}

#[test]
fn the_corpus_holds() {
    for (name, body) in BODIES {
        let corpus = inputs(&folder("corpus", name));
        assert!(corpus.len() >= 10, "{name}: only {} inputs", corpus.len());
        for (path, bytes) in corpus {
            println!("{path}"); // shown where it fails
            body(&bytes);
        }
    }
}

#[test]
fn what_was_once_a_finding_holds() {
    let mut count = 0;
    for (name, body) in BODIES {
        for (path, bytes) in inputs(&folder("regressions", name)) {
            println!("{path}");
            body(&bytes);
            count += 1;
        }
    }
    assert!(count > 0, "no regressions found");
}

#[test]
fn recorded_conversations_hold() {
    for (name, seed) in seeds() {
        let (_, body) = BODIES.into_iter().find(|(other, _)| *other == name).expect("a target");
        body(&seed);
    }
}

/// Writes what the recordings hold into the corpus; `fuzz/minimise` then leaves out what adds nothing.
#[test]
#[ignore = "writes into the sources"]
fn make_seeds() {
    for (at, (name, seed)) in seeds().into_iter().enumerate() {
        let folder = folder("corpus", name);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(format!("seed-{at}")), seed).expect("a file");
    }
}

/// What the recordings say to each parser.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds = Vec::new();
    for trace in Trace::all() {
        for (at, line) in trace.joined().iter().enumerate() {
            match line {
                Line::Received(block) if at == 0 => {
                    seeds.push(("environment", [&[0, 99], &block[..]].concat()));
                    let script = block.split(|&byte| byte == b'\n');
                    let script = script.filter_map(|line| line.strip_prefix(b"agi_network_script: "));
                    seeds.extend(script.map(|script| ("request", script.to_vec())));
                }
                Line::Received(reply) => {
                    let reply = reply.strip_suffix(b"\n").unwrap_or(reply).to_vec();
                    seeds.push(("response", reply.clone()));
                    seeds.push(("differential", reply));
                }
                Line::Sent(line) => seeds.push(("arguments", line.clone())),
                Line::Finish | Line::Eof => {}
            }
        }
    }
    seeds.sort();
    seeds.dedup();
    seeds.retain(|(_, seed)| seed.len() <= 4096);
    seeds
}
