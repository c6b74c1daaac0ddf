// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Prints sizes, offsets and constants as the raw layer has them. The names are those of the header,
//! which the generator puts into layout.rs; what they stand for is the crate's.
use uprobe_multi::sys::*;

/// Size of the field that a function looks at.
fn size_of_field<S, F>(_: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

fn text(constant: &[u8]) -> &str {
    std::str::from_utf8(&constant[..constant.len() - 1]).expect("UTF-8")
}

fn main() {
    include!(concat!(env!("MADE"), "/layout.rs"));
}
