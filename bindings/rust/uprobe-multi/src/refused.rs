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
/// What two observers know of their programs can not be mixed up by safe code:
/// ```compile_fail,E0596
/// # fn main() -> uprobe_multi::Result<()> {
/// let mut names = uprobe_multi::Trace::new("libc.so.6:getenv").arguments("(char *name)").start()?;
/// let mut numbers = uprobe_multi::Trace::new("libc.so.6:labs").arguments("(long number)").start()?;
/// std::mem::swap(&mut *names, &mut *numbers);
/// # Ok(())
/// # }
/// ```
/// ```compile_fail,E0596
/// fn mix(one: &mut uprobe_multi::AnyObserver, other: &mut uprobe_multi::AnyObserver) {
///     std::mem::swap(&mut **one, &mut **other);
/// }
/// ```
/// ```compile_fail,E0596
/// fn mix(count: &mut uprobe_multi::CountObserver, latency: &mut uprobe_multi::LatencyObserver) {
///     std::mem::swap(&mut **count, &mut **latency);
/// }
/// ```
/// ```compile_fail,E0277
/// fn changes<T: std::ops::DerefMut>() {}
/// changes::<uprobe_multi::CountObserver>();
/// ```
/// ```compile_fail,E0277
/// fn changes<T: std::ops::DerefMut>() {}
/// changes::<uprobe_multi::LatencyObserver>();
/// ```
/// What knows all of its program is swapped whole:
/// ```
/// fn exchange(one: &mut uprobe_multi::TraceObserver, other: &mut uprobe_multi::TraceObserver) {
///     std::mem::swap(one, other);
/// }
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
