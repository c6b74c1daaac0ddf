// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! The crate against the live kernel, one program for all: ../../../tests/suite runs it. Each file shows
//! topics of bindings/conformance/topics.md in the way of Rust.
mod attach;
mod callbacks;
mod errors;
mod events;
mod examples;
mod observe;
mod own_programs;
mod pins;
mod probes;
mod processes;
mod stream;
mod threads;
