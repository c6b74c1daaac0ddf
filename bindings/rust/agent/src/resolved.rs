// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What the specs of a rule stand for, to everybody or to one process, by file.
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use uprobe_multi::{Error, Kind, Probe, ProbeSet, Resolver, Verdict};

use crate::config::{self, Rule};
use crate::process::{self, Mapped};
use crate::watch::FileId;

/// How many probes are skipped, by verdict.
pub type Skipped = BTreeMap<String, u64>;

/// A point in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    pub offset: u64,
    pub kind: Kind,
}

#[derive(Debug)]
pub struct File {
    pub id: FileId,
    pub path: PathBuf,
    /// Positions in the set, by point.
    pub points: BTreeMap<Point, usize>,
}

#[derive(Debug)]
pub struct Resolved {
    pub set: ProbeSet,
    pub files: Vec<File>,
    pub skipped: Skipped,
}

/// A file that has been where it is for so long was not replaced while it was resolved.
const SETTLED_SECONDS: i64 = 10;
const ATTEMPTS: usize = 4;

fn plain(path: &Path) -> PathBuf {
    process::undeleted(&path.to_string_lossy()).0.into()
}

/// As a label: one path for a file that several lead to, with the name that it was asked for.
fn label(view: View<'_>, path: &Path) -> PathBuf {
    let path = plain(path);
    let directory = path.parent().filter(|_| view.is_none());
    match (
        directory.and_then(|directory| directory.canonicalize().ok()),
        path.file_name(),
    ) {
        (Some(directory), Some(name)) => directory.join(name),
        _ => path,
    }
}

/// Whose view of files it is, and what that process maps.
pub type View<'a> = Option<(u32, &'a [Mapped])>;

/// As the mapping says where the path leads elsewhere by now.
fn identify(view: View<'_>, path: &Path) -> Option<FileId> {
    let Some((pid, files)) = view else {
        return FileId::of(path);
    };
    let plain = plain(path);
    let mapped = files.iter().find(|file| file.path == plain);
    let by_path = FileId::of(&process::seen_by(Some(pid), &plain));
    let id = match (mapped, by_path) {
        (Some(mapped), Some(id)) if !mapped.deleted || mapped.inode == id.inode => id,
        (Some(mapped), _) => FileId {
            device: mapped.device,
            inode: mapped.inode,
            written: None,
        },
        (None, id) => id?,
    };
    Some(id.without_time())
}

type Identities = BTreeMap<PathBuf, Option<FileId>>;

fn identities(view: View<'_>, set: &ProbeSet) -> Identities {
    let paths: BTreeSet<&Path> = set
        .iter()
        .filter(|probe| probe.is_ok())
        .map(|probe| probe.path())
        .collect();
    paths
        .into_iter()
        .map(|path| (path.to_owned(), identify(view, path)))
        .collect()
}

fn has_settled(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs() as i64;
    std::fs::metadata(path).is_ok_and(|found| now - found.ctime() > SETTLED_SECONDS)
}

/// Whether a rule of this kind can have the probe. Err: why not, with the reason.
pub fn judge<'a>(rule: config::Kind, probe: &Probe<'a>) -> Result<(), (Verdict, Cow<'a, str>)> {
    let (verdict, reason) = match (rule, probe.kind()) {
        _ if !probe.is_ok() => (probe.verdict(), probe.reason()),
        (config::Kind::Count, _) => return Ok(()),
        (config::Kind::Latency, Kind::Usdt) => {
            (Verdict::NotEntry, "a USDT probe has no return".into())
        }
        (config::Kind::Latency, _) => (probe.return_verdict(), probe.return_reason()),
    };
    if verdict == Verdict::Ok {
        Ok(())
    } else {
        Err((verdict, reason))
    }
}

impl Resolved {
    /// The identities are those of the files that the engine has opened: files that are being
    /// replaced meanwhile are resolved again.
    pub fn new(rule: &Rule, view: View<'_>, most: usize) -> Result<Self, Error> {
        let mut before: Option<Identities> = None;
        for attempt in 1.. {
            let set = resolve(rule, view)?;
            let after = identities(view, &set);
            let settled = || {
                after
                    .keys()
                    .all(|path| has_settled(&process::seen_by(view.map(|(pid, _)| pid), path)))
            };
            if before.as_ref() == Some(&after)
                || (before.is_none() && settled())
                || attempt == ATTEMPTS
            {
                return Ok(Self::sort(rule.kind, view, set, &after, most));
            }
            before = Some(after);
        }
        unreachable!("the last attempt returns")
    }

    fn sort(
        rule: config::Kind,
        view: View<'_>,
        set: ProbeSet,
        identities: &Identities,
        most: usize,
    ) -> Self {
        let mut files: BTreeMap<FileId, File> = BTreeMap::new();
        let mut skipped = Skipped::new();
        let mut skip = |verdict: &str| *skipped.entry(verdict.to_owned()).or_default() += 1;
        let mut taken = 0;
        for (index, probe) in set.iter().enumerate() {
            let id = identities.get(probe.path()).copied().flatten();
            match (judge(rule, &probe), id) {
                (Err((verdict, _)), _) => skip(&verdict.to_string()),
                (_, None) => skip("unreadable"),
                _ if taken == most => skip("limit"),
                (_, Some(id)) => {
                    taken += 1;
                    let file = files.entry(id).or_insert_with(|| File {
                        id,
                        path: label(view, probe.path()),
                        points: BTreeMap::new(),
                    });
                    let (offset, kind) = (probe.offset(), probe.kind());
                    file.points.insert(Point { offset, kind }, index);
                }
            }
        }
        Self {
            set,
            files: files.into_values().collect(),
            skipped,
        }
    }
}

fn resolve(rule: &Rule, view: View<'_>) -> Result<ProbeSet, Error> {
    Resolver::new(rule.specs.as_slice())
        .pids(view.map(|(pid, _)| pid))
        .accept_unwinding(rule.accept_unwinding)
        .resolve()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(specs: &str) -> Rule {
        let text = format!("[[rule]]\nname = \"a\"\nspecs = [{specs}]\n");
        config::parse(&text).expect("a rule").rules[0]
            .get_ref()
            .clone()
    }

    #[test]
    fn what_is_not_attached_is_counted() {
        let rule = rule("\"libc.so.6:*alloc\", \"libc.so.6:no_such_function\"");
        let resolved = Resolved::new(&rule, None, 1).expect("resolved");
        assert_eq!(resolved.files.len(), 1);
        assert_eq!(resolved.files[0].points.len(), 1);
        assert_eq!(resolved.skipped["no_match"], 1);
        assert!(resolved.skipped["limit"] >= 2, "{:?}", resolved.skipped);
    }

    #[test]
    fn what_can_not_be_measured_is_skipped() {
        let mut rule = rule("\"libc.so.6:setjmp\", \"libc.so.6:malloc\"");
        let points = |rule: &Rule| {
            let resolved = Resolved::new(rule, None, 10).expect("resolved");
            (resolved.files[0].points.len(), resolved.skipped)
        };
        assert_eq!(points(&rule), (2, Skipped::new()));
        rule.kind = config::Kind::Latency;
        assert_eq!(
            points(&rule),
            (1, Skipped::from([("return_unsafe".to_owned(), 1)]))
        );
    }

    #[test]
    fn a_process_names_the_same_file() {
        let pid = std::process::id();
        let mapped = process::mapped(pid).expect("they can be read");
        let rule = rule("\"libc.so.6:malloc\"");
        let own = Resolved::new(&rule, None, 10).expect("resolved");
        let seen = Resolved::new(&rule, Some((pid, &mapped)), 10).expect("resolved");
        assert_eq!(own.files[0].id.without_time(), seen.files[0].id);
        assert_eq!(own.files[0].path, seen.files[0].path);
    }
}
