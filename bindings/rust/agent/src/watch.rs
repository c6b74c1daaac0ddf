// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Files on whose change specs may mean something else.
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const LOADER_CACHE: &str = "/etc/ld.so.cache";

/// A file that stays the same as long as this does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    pub device: u64,
    pub inode: u64,
    /// When it was written (s, ns) and its size: of files that everybody is observed in, since one
    /// may be written anew in place.
    pub written: Option<(i64, i64, u64)>,
}

impl FileId {
    pub fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            written: Some((found.mtime(), found.mtime_nsec(), found.len())),
        })
    }

    pub fn without_time(self) -> Self {
        Self {
            written: None,
            ..self
        }
    }

    pub fn same_inode(&self, other: &Self) -> bool {
        self.without_time() == other.without_time()
    }
}

/// The BINARY of a spec.
pub fn binary_of(spec: &str) -> &str {
    let kinds = ["uprobe:", "uretprobe:", "usdt:"];
    let rest = kinds
        .iter()
        .find_map(|kind| spec.strip_prefix(kind))
        .unwrap_or(spec);
    rest.split(':').next().unwrap_or(rest)
}

fn is_glob(binary: &str) -> bool {
    binary.contains(['*', '?', '['])
}

fn in_directories_of_path(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .collect()
}

/// Paths that decide what a spec means, whether they exist or not.
fn candidates(binary: &str) -> Vec<PathBuf> {
    if !binary.contains('/') {
        let mut paths = in_directories_of_path(binary);
        paths.push(LOADER_CACHE.into());
        return paths;
    }
    let mut paths = vec![PathBuf::from(binary)];
    if is_glob(binary) {
        paths.extend(glob::glob(binary).into_iter().flatten().flatten());
    }
    paths
}

/// Equal as long as nothing has happened to the files that specs and what they found stand for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(Vec<(PathBuf, Option<FileId>)>);

impl Fingerprint {
    pub fn take<'a>(specs: &[String], found: impl Iterator<Item = &'a Path>) -> Self {
        let asked = specs.iter().flat_map(|spec| candidates(binary_of(spec)));
        let paths: BTreeSet<PathBuf> = asked.chain(found.map(Path::to_owned)).collect();
        Self(
            paths
                .into_iter()
                .map(|path| (path.clone(), FileId::of(&path)))
                .collect(),
        )
    }
}

/// Directories in which a change may concern the specs: of inotify.
pub fn directories<'a>(
    specs: &[String],
    found: impl Iterator<Item = &'a Path>,
) -> BTreeSet<PathBuf> {
    let asked = specs.iter().flat_map(|spec| {
        let binary = binary_of(spec);
        let literal = Path::new(binary).parent().filter(|_| binary.contains('/'));
        literal
            .filter(|path| !is_glob(&path.to_string_lossy()))
            .map(Path::to_owned)
    });
    asked
        .chain(found.filter_map(|path| path.parent().map(Path::to_owned)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_of_a_spec() {
        assert_eq!(binary_of("libc.so.6:malloc"), "libc.so.6");
        assert_eq!(binary_of("usdt:/bin/a:b:c"), "/bin/a");
        assert_eq!(binary_of("uretprobe:a:/b:c/"), "a");
    }

    #[test]
    fn a_replaced_file_is_seen() {
        let folder =
            std::env::temp_dir().join(format!("uprobe-agent-watch-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("a.so");
        let specs = [
            format!("{}:*", folder.join("*.so").display()),
            "no-such-command:f".to_owned(),
        ];
        let take = || Fingerprint::take(&specs, std::iter::empty());
        let nothing = take();
        assert_eq!(nothing, take());
        fs::write(&file, "one").expect("written");
        let one = take();
        assert_ne!(nothing, one);
        fs::write(folder.join("b"), "two").expect("written");
        assert_eq!(one, take(), "no file of the glob");
        fs::rename(folder.join("b"), &file).expect("replaced");
        assert_ne!(one, take());
        assert_eq!(
            directories(&specs, std::iter::empty()),
            BTreeSet::from([folder.clone()])
        );
        fs::remove_dir_all(folder).expect("removed");
    }
}
