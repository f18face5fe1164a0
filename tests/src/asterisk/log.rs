//! Asterisk's own log.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// A place in the log: its end at some moment.
#[derive(Debug, Clone, Copy)]
pub struct LogMark(u64);

/// What a failed write to an AGI server looks like in the log.
const COMPLAINTS: [&str; 5] =
    ["ERROR[", "write() failed", "write() returned error", "Broken pipe", "Connection reset"];

/// Errors that have nothing to do with AGI: 16 cannot tell others of a variable that is not UTF-8,
/// and shows the stack where it failed to.
const NOISE: [&str; 3] =
    ["Error building JSON from", "backtrace records", "stasis_channels.c: Error creating message"];

pub(super) fn mark(log: &Path) -> LogMark {
    LogMark(std::fs::metadata(log).map_or(0, |metadata| metadata.len()))
}

/// The entries since the mark. An entry of several lines is one string.
pub(super) fn since(log: &Path, mark: LogMark) -> Vec<String> {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(log) {
        if file.seek(SeekFrom::Start(mark.0)).is_ok() {
            // what could be read is what there is
            let _ = file.read_to_end(&mut bytes);
        }
    }
    let mut entries: Vec<String> = Vec::new();
    for line in String::from_utf8_lossy(&bytes).lines() {
        match entries.last_mut() {
            Some(entry) if !line.starts_with('[') => {
                entry.push('\n');
                entry.push_str(line);
            }
            _ => entries.push(line.into()),
        }
    }
    entries
}

/// The call's id, such as `[C-0000002a]`, once the log says that the call with this unique id is done.
pub(super) fn call_id(entries: &[String], unique_id: &str) -> Option<String> {
    let done = format!("call {unique_id} done");
    let entry = entries.iter().find(|entry| entry.contains("NOTICE[") && entry.ends_with(&done))?;
    let start = entry.find("[C-")?;
    let end = start + entry[start..].find(']')?;
    Some(entry[start..=end].into())
}

pub(super) fn complaints(entries: &[String]) -> Vec<&str> {
    let has = |entry: &str, signs: &[&str]| signs.iter().any(|sign| entry.contains(sign));
    entries
        .iter()
        .map(|entry| &**entry)
        .filter(|entry| has(entry, &COMPLAINTS) && !has(entry, &NOISE))
        .collect()
}
