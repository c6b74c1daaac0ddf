// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Raw bindings of `libuprobe_multi`, as bindgen makes them from its public header. The crate
//! [`uprobe-multi`](https://docs.rs/uprobe-multi) is the safe layer on top.
//!
//! The build script takes the library from, in this order: the folder that the environment
//! variable `UPROBE_MULTI_BUILD` names (where `make BUILD=…` has put `libuprobe_multi.a`); with the
//! feature `vendored`, the C sources that come with this crate; pkg-config; the folder `build` of
//! the source tree that this crate lies in.
#![allow(non_camel_case_types, missing_docs, clippy::undocumented_unsafe_blocks)]
#![allow(
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    rustdoc::bare_urls
)]

// libbpf's link flags come with its crate.
#[cfg(feature = "vendored")]
use libbpf_sys as _;

#[rustfmt::skip]
mod bindings;
pub use bindings::*;
