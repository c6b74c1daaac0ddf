// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! How slow are the functions of a process?
//!
//!     latency PID SPEC [SECONDS]      latency 1234 'libcrypto.so.3:EVP_*' 5
use std::error::Error;
use std::time::Duration;

use uprobe_multi::Latency;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [pid, spec, rest @ ..] = &words[..] else {
        return Err("latency PID SPEC [SECONDS]".into());
    };
    let seconds = rest.first().map_or(Ok(5.0), |word| word.parse())?;

    let mut latency = Latency::new(spec.as_str()).pid(pid.parse()?).start()?;
    std::thread::sleep(Duration::from_secs_f64(seconds));
    latency.stop()?;

    let snapshot = latency.snapshot()?;
    let mut rows: Vec<_> = snapshot.rows().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.sum_ns()));
    println!(
        "{:>10} {:>12} {:>12} {:>12}",
        "calls", "p50 ns", "p99 ns", "max ns"
    );
    for row in rows {
        let (p50, p99) = (row.percentile(0.5), row.percentile(0.99));
        let name = latency
            .probes()
            .get(row.probe())
            .map(|probe| probe.name())
            .unwrap_or_default();
        println!(
            "{:>10} {p50:>12} {p99:>12} {:>12}  {name}",
            row.calls(),
            row.max_ns()
        );
    }
    Ok(())
}
