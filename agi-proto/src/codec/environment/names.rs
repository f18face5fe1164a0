//! The names that came, told apart in time linear in their length.
//!
//! A sorted set would compare each name with a logarithm of the others, and a hash that everybody knows can be made to
//! collide. So this is a tree of the places where names differ: a name is looked up bit by bit, and no bit twice.
//!
//! ```text
//!              differ at bit 11
//!             /                \
//!    differ at bit 23         "xb"
//!     /         \
//!  "xaa"       "xaq"
//! ```

use alloc::vec::Vec;

/// A set of names, which hold no NUL: what lies behind a name's end counts as zeros.
#[derive(Default)]
pub(super) struct Names<'a> {
    root: Option<Child<'a>>,
    forks: Vec<Fork<'a>>,
}

#[derive(Clone, Copy)]
enum Child<'a> {
    Name(&'a [u8]),
    /// The place of a fork in the list.
    Fork(usize),
}

struct Fork<'a> {
    /// The first bit in which the names below differ.
    bit: usize,
    /// One of the names below; they are all alike up to that bit.
    name: &'a [u8],
    /// The names in which that bit is zero, and those in which it is one.
    sides: [Child<'a>; 2],
}

/// Where a search ended.
struct Spot<'a> {
    /// The fork that led there, and its side; none at the root.
    from: Option<(usize, usize)>,
    child: Child<'a>,
    /// A name there. If the search went to its end, no name has more bits in common with the one looked for.
    name: &'a [u8],
}

impl<'a> Names<'a> {
    /// Adds a name and says whether it is new.
    pub(super) fn insert(&mut self, name: &'a [u8]) -> bool {
        let Some(root) = self.root else {
            self.root = Some(Child::Name(name));
            return true;
        };
        let closest = self.search(root, name, usize::MAX).name;
        let Some(bit) = first_difference(name, closest) else { return false };
        let spot = self.search(root, name, bit);
        let mut sides = [spot.child; 2];
        sides[bit_of(name, bit)] = Child::Name(name);
        let fork = Child::Fork(self.forks.len());
        self.forks.push(Fork { bit, name, sides });
        match spot.from {
            Some((above, side)) => self.forks[above].sides[side] = fork,
            None => self.root = Some(fork),
        }
        true
    }

    /// Whether a name was added.
    pub(super) fn contains(&self, name: &[u8]) -> bool {
        self.root.is_some_and(|root| self.search(root, name, usize::MAX).name == name)
    }

    /// Follows a name's bits, up to `end` and not behind the name's own end.
    fn search(&self, root: Child<'a>, name: &[u8], end: usize) -> Spot<'a> {
        let end = end.min((name.len() + 1) * 8);
        let (mut from, mut child) = (None, root);
        loop {
            match child {
                Child::Name(name) => return Spot { from, child, name },
                Child::Fork(place) => {
                    let fork = &self.forks[place];
                    if fork.bit >= end {
                        return Spot { from, child, name: fork.name };
                    }
                    let side = bit_of(name, fork.bit);
                    (from, child) = (Some((place, side)), fork.sides[side]);
                }
            }
        }
    }
}

fn byte_of(name: &[u8], at: usize) -> u8 {
    name.get(at).copied().unwrap_or(0)
}

fn bit_of(name: &[u8], bit: usize) -> usize {
    usize::from(byte_of(name, bit / 8) >> (7 - bit % 8) & 1)
}

fn first_difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let different = |at: &usize| byte_of(one, *at) != byte_of(other, *at);
    let at = (0..one.len().max(other.len())).find(different)?;
    let bits = byte_of(one, at) ^ byte_of(other, at);
    Some(at * 8 + usize::try_from(bits.leading_zeros()).expect("a byte has eight"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_name_is_new_once() {
        // in an order that parts them early and late, and short ones behind the long ones that they begin
        let names = [
            "b",
            "a01",
            "a001",
            "a0001",
            "a00001",
            "a",
            "A",
            "a0",
            "a00",
            "aa",
            "a0z",
            "ab",
            "_",
            "Z9",
            "a1",
            "a000011",
            "a0000",
            "a000",
            "z",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaaaaaaaaab",
            "aaaaaaaaaaaa",
        ];
        for turn in 0..names.len() {
            let mut set = Names::default();
            let mut known = BTreeSet::new();
            for name in names.iter().cycle().skip(turn).take(2 * names.len()) {
                assert_eq!(set.contains(name.as_bytes()), known.contains(name), "{name}");
                assert_eq!(set.insert(name.as_bytes()), known.insert(name), "{name}");
                assert!(set.contains(name.as_bytes()));
            }
        }
    }
}
