// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Handles by the name that a step gives them.
use serde_json::{json, Value as Json};
use uprobe_multi::{AnyObserver, LatencySnapshot, Link, Object, ProbeSet, TraceObserver};

use crate::values::Step;
use crate::Verb;

pub enum Handle {
    Set(ProbeSet),
    Link(Link),
    Object(Object),
    Observer(AnyObserver),
    /// With the symbols of the probes, which a snapshot has by number.
    Snapshot(LatencySnapshot, Vec<String>),
}

#[derive(Default)]
pub struct Handles(Vec<(String, Handle)>);

impl Handles {
    pub fn keep(&mut self, step: &Step<'_>, handle: Handle) {
        self.0.push((step.text("as").into(), handle));
    }

    fn position(&self, name: &str) -> usize {
        let found = self.0.iter().rposition(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("there is no handle named {name}"))
    }

    pub fn get(&self, name: &str) -> &Handle {
        &self.0[self.position(name)].1
    }

    pub fn get_mut(&mut self, name: &str) -> &mut Handle {
        let position = self.position(name);
        &mut self.0[position].1
    }

    /// Take one out for a while, to change it beside another.
    pub fn take(&mut self, name: &str) -> (String, Handle) {
        let position = self.position(name);
        self.0.remove(position)
    }

    pub fn put_back(&mut self, taken: (String, Handle)) {
        self.0.push(taken);
    }

    pub fn set(&self, name: &str) -> &ProbeSet {
        match self.get(name) {
            Handle::Set(set) => set,
            Handle::Observer(observer) => observer.probes(),
            _ => panic!("{name} is no set"),
        }
    }

    pub fn link(&self, name: &str) -> &Link {
        match self.get(name) {
            Handle::Link(link) => link,
            Handle::Observer(observer) => observer.link(),
            _ => panic!("{name} is no link"),
        }
    }

    pub fn link_mut(&mut self, name: &str) -> &mut Link {
        match self.get_mut(name) {
            Handle::Link(link) => link,
            _ => panic!("{name} is no link"),
        }
    }

    pub fn observer(&self, name: &str) -> &AnyObserver {
        match self.get(name) {
            Handle::Observer(observer) => observer,
            _ => panic!("{name} is no observer"),
        }
    }

    pub fn observer_mut(&mut self, name: &str) -> &mut AnyObserver {
        match self.get_mut(name) {
            Handle::Observer(observer) => observer,
            _ => panic!("{name} is no observer"),
        }
    }

    pub fn trace(&mut self, name: &str) -> &mut TraceObserver {
        match self.get_mut(name) {
            Handle::Observer(AnyObserver::Trace(trace)) => trace,
            _ => panic!("{name} is no trace"),
        }
    }

    pub fn snapshot(&self, name: &str) -> (&LatencySnapshot, &Vec<String>) {
        match self.get(name) {
            Handle::Snapshot(snapshot, symbols) => (snapshot, symbols),
            _ => panic!("{name} is no snapshot"),
        }
    }

    pub fn object(&mut self, name: &str) -> &mut Object {
        match self.get_mut(name) {
            Handle::Object(object) => object,
            _ => panic!("{name} is no object"),
        }
    }
}

pub fn verb(name: &str) -> Option<Verb> {
    Some(match name {
        "free" => |step, handles| {
            drop(handles.take(step.text("of")));
            done()
        },
        "reset" => |_, handles| {
            while handles.0.pop().is_some() {}
            done()
        },
        _ => return None,
    })
}

/// An empty answer.
pub fn done() -> uprobe_multi::Result<Json> {
    Ok(json!({}))
}
