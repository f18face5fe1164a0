//! Cuts the transport out of the docs of agi-proto, so that a test runs the very text that readers copy.

use std::path::Path;
use std::{env, fs};

fn main() {
    let docs = "../agi-proto/src/crate.md";
    println!("cargo::rerun-if-changed={docs}");
    let text = fs::read_to_string(docs).expect("the docs are there");
    let block = text.split("```\n").find(|block| block.contains("struct Call {"));
    // what the docs hide runs the transport there
    let shown = block.expect("the docs have a transport").lines().filter(|line| !line.starts_with("# "));
    let code: Vec<&str> = shown.collect();
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("transport.rs"), code.join("\n")).expect("cargo made the folder");
}
