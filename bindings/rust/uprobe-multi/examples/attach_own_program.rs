// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Attach a BPF program of your own to everything that a pattern names.
//!
//!     attach_own_program OBJECT.bpf.o PROGRAM SPEC PID [SECONDS]
//!
//! Programs that libbpf-rs or aya have loaded are attached by their descriptors:
//! `Attach::new(spec).program(&program)`. The guide, docs/rust.md, shows both.
use std::error::Error;
use std::time::Duration;

use uprobe_multi::{Attach, Object};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [path, program, spec, pid, rest @ ..] = &words[..] else {
        return Err("attach_own_program OBJECT.bpf.o PROGRAM SPEC PID [SECONDS]".into());
    };
    let seconds = rest.first().map_or(Ok(5.0), |word| word.parse())?;

    let mut object = Object::open(path)?;
    let link = Attach::new(spec.as_str())
        .pid(pid.parse()?)
        .object(&mut object, Some(program))?;
    println!(
        "{} probes attached in {:?}:",
        link.attached_count(),
        link.attach_time()
    );
    for kernel_link in link.kernel_links() {
        let id = kernel_link
            .id()
            .map_or("without id".into(), |id| id.to_string());
        let (probes, path) = (kernel_link.probe_count(), kernel_link.path().display());
        println!("  link {id}: {probes} probes in {path}");
    }
    for probe in link.skipped() {
        println!("  skipped {}: {}", probe.name(), probe.reason());
    }
    std::thread::sleep(Duration::from_secs_f64(seconds));
    Ok(())
}
