// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Where `make tests` has put what the adapters are built from: $UPM_BUILD/conformance/rust.
fn main() {
    let built = std::env::var("UPM_BUILD").expect("UPM_BUILD: `make tests` builds this crate");
    let made = format!("{built}/conformance/rust");
    println!("cargo:rerun-if-env-changed=UPM_BUILD");
    for name in ["marshal.rs", "layout.rs", "libmarshal.a"] {
        println!("cargo:rerun-if-changed={made}/{name}");
    }
    println!("cargo:rustc-env=MADE={made}");
    println!("cargo:rustc-link-arg-bin=marshal={made}/libmarshal.a");
}
