// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Which processes a rule is about.
use std::fmt;

use glob::Pattern;
use serde::de::{self, Deserialize, Deserializer};

use crate::process::Process;

/// A glob in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Pattern);

impl Glob {
    pub fn fits(&self, text: &str) -> bool {
        self.0.matches(text)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pattern = Pattern::new(&text)
            .map_err(|error| de::Error::custom(format!("\"{text}\" is no glob: {}", error.msg)))?;
        Ok(Self(pattern))
    }
}

/// All that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    pub process: Option<Glob>,
    pub exe: Option<Glob>,
    pub cgroup: Option<Glob>,
    pub unit: Option<Glob>,
}

impl Scope {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn holds(&self, process: &Process) -> bool {
        let fits = |glob: &Option<Glob>, text: &dyn Fn() -> Option<String>| {
            glob.as_ref()
                .is_none_or(|glob| text().is_some_and(|text| glob.fits(&text)))
        };
        fits(&self.process, &|| Some(process.name().to_owned()))
            && fits(&self.exe, &|| process.executable())
            && self
                .cgroup
                .as_ref()
                .is_none_or(|glob| in_cgroup(glob, &process.cgroups()))
            && self
                .unit
                .as_ref()
                .is_none_or(|glob| in_unit(glob, &process.cgroups()))
    }
}

/// The group itself, or one above it.
fn in_cgroup(glob: &Glob, paths: &[String]) -> bool {
    paths.iter().any(|path| {
        let ends = path
            .match_indices('/')
            .map(|(at, _)| at)
            .filter(|at| *at > 0);
        ends.chain([path.len()]).any(|end| glob.fits(&path[..end]))
    })
}

/// Units are cgroups with a name of their own.
fn in_unit(glob: &Glob, paths: &[String]) -> bool {
    const ENDINGS: [&str; 4] = [".service", ".scope", ".slice", ".socket"];
    let mut parts = paths.iter().flat_map(|path| path.split('/'));
    parts.any(|part| ENDINGS.iter().any(|ending| part.ends_with(ending)) && glob.fits(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> Glob {
        Glob(Pattern::new(text).expect("a glob"))
    }

    #[test]
    fn a_cgroup_holds_those_below_it() {
        let paths = ["/system.slice/nginx.service".to_owned()];
        assert!(in_cgroup(&glob("/system.slice"), &paths));
        assert!(in_cgroup(&glob("/system.slice/nginx.service"), &paths));
        assert!(in_cgroup(&glob("/system.slice/*"), &paths));
        assert!(!in_cgroup(&glob("/system"), &paths));
        assert!(!in_cgroup(&glob("/user.slice"), &paths));
    }

    #[test]
    fn the_root_is_a_cgroup_too() {
        assert!(in_cgroup(&glob("/"), &["/".to_owned()]));
        assert!(!in_cgroup(&glob("/"), &["/a".to_owned()]));
    }

    #[test]
    fn a_unit_is_a_part_of_the_path() {
        let paths = ["/system.slice/system-getty.slice/getty@tty1.service/sub".to_owned()];
        assert!(in_unit(&glob("getty@*.service"), &paths));
        assert!(in_unit(&glob("system.slice"), &paths));
        assert!(!in_unit(&glob("getty"), &paths));
        assert!(!in_unit(&glob("sub"), &paths));
    }
}
