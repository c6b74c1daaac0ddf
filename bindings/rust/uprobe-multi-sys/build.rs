// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Finds libuprobe_multi, or builds it: src/lib.rs tells where it is looked for.
use std::env;
use std::path::{Path, PathBuf};

/// What libuprobe_multi.a needs beside libbpf.
const LIBRARIES: [&str; 5] = ["elf", "lzma", "pcre2-8", "Zydis", "iberty"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=UPROBE_MULTI_BUILD");
    if env::var_os("DOCS_RS").is_some() {
        return;
    }
    if let Some(folder) = env::var_os("UPROBE_MULTI_BUILD") {
        link_archive(Path::new(&folder));
    } else if cfg!(feature = "vendored") {
        build_from_source();
    } else if let Err(error) = pkg_config::Config::new()
        .exactly_version(env!("CARGO_PKG_VERSION"))
        .probe("uprobe_multi")
    {
        let built = manifest_folder().join("../../../build");
        if !built.join("libuprobe_multi.a").exists() {
            panic!(
                "libuprobe_multi is not there: install it, or build it and set UPROBE_MULTI_BUILD \
                 to the folder, or use the feature \"vendored\".\n{error}"
            );
        }
        link_archive(&built);
    }
}

fn manifest_folder() -> PathBuf {
    PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"))
}

/// Whether the program is to be linked without any shared library.
fn all_static() -> bool {
    env::var("CARGO_CFG_TARGET_FEATURE")
        .is_ok_and(|list| list.split(',').any(|f| f == "crt-static"))
}

/// The archive of a built tree, and the shared libraries that it needs.
fn link_archive(folder: &Path) {
    let folder = folder.canonicalize().unwrap_or_else(|error| {
        panic!("UPROBE_MULTI_BUILD={}: {error}", folder.display());
    });
    println!(
        "cargo:rerun-if-changed={}",
        folder.join("libuprobe_multi.a").display()
    );
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rustc-link-lib=static=uprobe_multi");
    // With the feature, libbpf comes from its crate.
    if !cfg!(feature = "vendored") {
        println!("cargo:rustc-link-lib=bpf");
    }
    link_libraries();
}

fn link_libraries() {
    let kind = if all_static() { "static:-bundle=" } else { "" };
    for library in LIBRARIES {
        println!("cargo:rustc-link-lib={kind}{library}");
    }
}

#[cfg(not(feature = "vendored"))]
fn build_from_source() {}

#[cfg(feature = "vendored")]
fn build_from_source() {
    let top = manifest_folder();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let libbpf = PathBuf::from(env::var_os("DEP_BPF_INCLUDE").expect("set by libbpf-sys"));
    for folder in ["core", "kernel/bpf"] {
        println!("cargo:rerun-if-changed={}", top.join(folder).display());
    }
    compile_programs(&top, &out, &libbpf);
    compile_library(&top, &out, &libbpf);
    link_libraries();
}

/// The BPF programs, which the library embeds: embedded.c reads them from UPM_BPF_DIRECTORY.
#[cfg(feature = "vendored")]
fn compile_programs(top: &Path, out: &Path, libbpf: &Path) {
    let clang = env::var("CLANG").unwrap_or_else(|_| "clang".into());
    let machine = env::var("CARGO_CFG_TARGET_ARCH").expect("set by cargo");
    let architecture = match machine.as_str() {
        "x86_64" => "x86",
        "aarch64" => "arm64",
        other => other,
    };
    println!("cargo:rerun-if-env-changed=CLANG");
    for source in files(&top.join("kernel/bpf"), ".bpf.c") {
        let object = out
            .join(source.file_name().expect("a file"))
            .with_extension("o");
        let done = std::process::Command::new(&clang)
            .args(["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall"])
            .arg(format!("-D__TARGET_ARCH_{architecture}"))
            .arg("-I")
            .arg(top.join("kernel/bpf"))
            .arg("-I")
            .arg(libbpf)
            .arg(format!("-I/usr/include/{machine}-linux-gnu"))
            .arg("-c")
            .arg("-o")
            .arg(&object)
            .arg(&source)
            .status();
        match done {
            Ok(status) if status.success() => {}
            Ok(status) => panic!("{clang} {}: {status}", source.display()),
            Err(error) => panic!("{clang}, which compiles the BPF programs: {error}"),
        }
    }
}

#[cfg(feature = "vendored")]
fn compile_library(top: &Path, out: &Path, libbpf: &Path) {
    let mut build = cc::Build::new();
    for folder in files(&top.join("core/src"), "") {
        if folder.is_dir() {
            build.files(files(&folder, ".c"));
        }
    }
    let version = std::fs::read_to_string(top.join("core/VERSION")).expect("core/VERSION");
    build
        .std("gnu11")
        .include(top.join("core/include"))
        .include(top.join("core/src"))
        .include(top.join("kernel/bpf"))
        .include(libbpf)
        .define("_GNU_SOURCE", None)
        .define("UPM_VERSION", format!("\"{}\"", version.trim()).as_str())
        .define(
            "UPM_BPF_DIRECTORY",
            format!("\"{}\"", out.display()).as_str(),
        )
        .flag("-fvisibility=hidden")
        .flag("-pthread")
        .warnings(false)
        .compile("uprobe_multi");
}

#[cfg(feature = "vendored")]
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<_> = entries
        .map(|entry| entry.expect("a folder").path())
        .collect();
    found.retain(|path| path.to_string_lossy().ends_with(ending));
    found.sort();
    found
}
