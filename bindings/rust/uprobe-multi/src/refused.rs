// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What the compiler refuses, which other languages find out at run time: topics 3, 7, 8.

/// A handle that is gone can not be used:
/// ```compile_fail,E0382
/// let set = uprobe_multi::resolve("libc.so.6:malloc").unwrap();
/// drop(set);
/// set.len();
/// ```
///
/// Nor can what is borrowed from it:
/// ```compile_fail,E0505
/// let set = uprobe_multi::resolve("libc.so.6:malloc").unwrap();
/// let probe = set.get(0).unwrap();
/// drop(set);
/// println!("{probe}");
/// ```
///
/// An event of a batch ends with its next reading:
/// ```compile_fail,E0502
/// # fn main() -> uprobe_multi::Result<()> {
/// let mut trace = uprobe_multi::Trace::new("libc.so.6:malloc").start()?;
/// let mut batch = uprobe_multi::Batch::new()?;
/// let event = batch.get(0).unwrap();
/// trace.read(&mut batch, None)?;
/// println!("{event}");
/// # Ok(())
/// # }
/// ```
///
/// There is no such option:
/// ```compile_fail,E0599
/// let count = uprobe_multi::Count::new("libc.so.6:malloc").stern(true);
/// ```
///
/// A number out of range, or of another type:
/// ```compile_fail
/// let count = uprobe_multi::Count::new("libc.so.6:malloc").pid(-1);
/// ```
/// ```compile_fail,E0308
/// let count = uprobe_multi::Count::new("libc.so.6:malloc").pid("1");
/// ```
pub struct Refused;
