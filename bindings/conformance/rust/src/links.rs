// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Steps of links and of BPF objects.
use serde_json::{json, Value as Json};
use uprobe_multi::{Attach, Link, Object, Result};

use crate::handles::{done, Handle, Handles};
use crate::probes::probe_list;
use crate::values::Step;
use crate::{with_options, Verb};

pub fn verb(name: &str) -> Option<Verb> {
    Some(match name {
        "open_object" => open_object,
        "map" => |step, handles| {
            handles.object(step.text("of")).map_fd(step.text("name"))?;
            Ok(json!({ "found": true }))
        },
        "attach_object" => attach_object,
        "attach" => attach,
        "link" => link,
        "attached" => {
            |step, handles| Ok(probe_list(step, handles.link(step.text("of")).attached()))
        }
        "skipped" => |step, handles| Ok(probe_list(step, handles.link(step.text("of")).skipped())),
        "detach" => |step, handles| {
            handles.link_mut(step.text("of")).detach()?;
            done()
        },
        "pin_link" => |step, handles| {
            handles.link_mut(step.text("of")).pin(step.text("path"))?;
            done()
        },
        "open_link" => |step, handles| keep_link(step, handles, Link::open(step.text("path"))?),
        "unpin_link" => |step, _| {
            Link::unpin(step.text("path"))?;
            done()
        },
        _ => return None,
    })
}

/// attached, skipped, backend
pub fn link_json(link: &Link) -> Json {
    json!({
        "attached": link.attached_count(),
        "skipped": link.skipped_count(),
        "backend": link.backend().to_string(),
    })
}

fn keep_link(step: &Step<'_>, handles: &mut Handles, link: Link) -> Result<Json> {
    let answer = link_json(&link);
    handles.keep(step, Handle::Link(link));
    Ok(answer)
}

fn open_object(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let object = Object::open(step.text("path"))?;
    let programs: Vec<_> = object
        .programs()
        .map(|program| {
            json!({
                "name": program.name(),
                "section": program.section(),
                "spec": program.spec(),
                "kind": program.kind().to_string(),
                "session": program.is_session(),
                "sleepable": program.is_sleepable(),
            })
        })
        .collect();
    handles.keep(step, Handle::Object(object));
    Ok(json!({ "programs": programs }))
}

fn attach_object(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let builder = match step.texts("specs") {
        Some(specs) => Attach::new(specs),
        None => Attach::to_section(),
    };
    let builder = with_options!(builder, step).cookie_is_index(step.has_flag("cookie_is_index"));
    let object = handles.object(step.text("object"));
    let link = builder.object(object, step.text_or_none("program"))?;
    keep_link(step, handles, link)
}

fn attach(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let taken = handles.take(step.text("object"));
    let Handle::Object(object) = &taken.1 else {
        panic!("{} is no object", taken.0);
    };
    let builder = with_options!(Attach::new(handles.set(step.text("set"))), step)
        .cookie_is_index(step.has_flag("cookie_is_index"));
    let link = builder.program(object.program(Some(step.text("program")))?);
    handles.put_back(taken);
    keep_link(step, handles, link?)
}

fn link(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let link = handles.link(step.text("of"));
    let kernel_links: Vec<_> = link
        .kernel_links()
        .map(|each| {
            json!({
                "path": each.path().to_string_lossy(),
                "files": each.file_count(),
                "probes": each.probe_count(),
                "kind": each.kind().to_string(),
                "limited": each.pid().is_some(),
                "known": each.id().is_some(),
            })
        })
        .collect();
    let mut answer = link_json(link);
    answer["timed"] = json!(!link.attach_time().is_zero());
    answer["kernel_links"] = json!(kernel_links);
    Ok(answer)
}
