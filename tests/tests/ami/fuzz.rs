//! The body of the fuzz target over what proptest makes up.

use agi_tests::fuzz;
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_bytes_and_operations(bytes in vec(prop_oneof![3 => 0..16_u8, 1 => any::<u8>()], 0..600)) {
        // logged in
        fuzz::ami(&[&[1, 1, 0, 3, 0, 1], &bytes[..]].concat());
        fuzz::ami(&bytes);
    }
}
