// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What of a URL the log does not show: user and password, and the values of its query.
use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;

const HIDDEN: &str = "***";

/// A shorter value that a text repeats by itself says nothing, and hiding it spoils the text.
const SHORTEST: usize = 6;

/// Of one URL.
pub struct Secrets<'a> {
    url: &'a str,
    shown: String,
    /// Longest first: one may be a part of another.
    parts: Vec<(&'a str, Cow<'a, str>)>,
}

/// "name=***" of each pair; what has no name may be a value.
fn without_values(query: &str) -> String {
    let hide = |pair: &str| match pair.split_once('=') {
        Some((name, value)) if !value.is_empty() => format!("{name}={HIDDEN}"),
        None if !pair.is_empty() => HIDDEN.to_owned(),
        _ => pair.to_owned(),
    };
    query.split('&').map(hide).collect::<Vec<_>>().join("&")
}

fn value(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(_, value)| value)
}

/// What may be repeated by itself: values, and a password without its user.
fn values(part: &str) -> impl Iterator<Item = &str> {
    let values = part.split('&').map(value);
    let passwords = values.clone().filter_map(|value| value.split_once(':'));
    values
        .chain(passwords.map(|(_, password)| password))
        .filter(|value| value.len() >= SHORTEST)
}

impl<'a> Secrets<'a> {
    pub fn of(url: &'a str) -> Self {
        let begin = url.find("://").map_or(0, |at| at + 3);
        let query = url[begin..].find(['?', '#']);
        let query = query.map_or(url.len(), |at| begin + at + 1);
        // A password that holds a "?" makes a wrong URL, and is one all the same; so with a "/".
        if url[query..].contains('@') {
            return Self::new(url, vec![(begin..url.len(), HIDDEN.into())]);
        }
        let user = begin..url[..query].rfind('@').unwrap_or(begin);
        let shown_query = without_values(&url[query..]).into();
        Self::new(
            url,
            vec![(user, HIDDEN.into()), (query..url.len(), shown_query)],
        )
    }

    /// What lies where, in order, and what is shown instead.
    fn new(url: &'a str, hidden: Vec<(Range<usize>, Cow<'a, str>)>) -> Self {
        let mut shown = url.to_owned();
        let mut parts = Vec::new();
        for (place, instead) in hidden
            .into_iter()
            .rev()
            .filter(|(place, _)| !place.is_empty())
        {
            shown.replace_range(place.clone(), &instead);
            parts.extend(values(&url[place.clone()]).map(|value| (value, HIDDEN.into())));
            parts.push((&url[place], instead));
        }
        parts.sort_by_key(|(part, _)| Reverse(part.len()));
        Self { url, shown, parts }
    }

    /// The URL itself.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// A text that may repeat the URL, or parts of it.
    pub fn hide(&self, text: &str) -> String {
        let hide = |text: String, (part, shown): &(&str, Cow<'_, str>)| text.replace(part, shown);
        let text = text.replace(self.url, &self.shown);
        self.parts.iter().fold(text, hide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without() {
        for (url, shown) in [
            ("http://me:s3@c:1/v1", "http://***@c:1/v1"),
            ("http://me:s/3@c/v1", "http://***@c/v1"),
            ("http://me:s?3@c/v1", "http://***"),
            ("http://c:1/v1", "http://c:1/v1"),
            ("http://@c", "http://@c"),
            ("http://c?key=s3", "http://c?key=***"),
            (
                "http://c/v1?key=s3&b=&c&&d=e=f",
                "http://c/v1?key=***&b=&***&&d=***",
            ),
            ("http://me:s3@c/v1?key=s4#s5", "http://***@c/v1?key=***"),
            ("http://c/v1#s3", "http://c/v1#***"),
            ("http://c/v1?to=me@c&key=s3", "http://***"),
            ("http://c/v1?", "http://c/v1?"),
            ("http://s@c?key=s3s", "http://***@c?key=***"),
            ("http://user@c?//us", "http://***@c?***"),
        ] {
            assert_eq!(Secrets::of(url).shown(), shown);
        }
    }

    #[test]
    fn texts_repeat_them() {
        let secrets = Secrets::of("http://me:s3cret@c/v1?key=secret&n=1");
        let told = "400 of me:s3cret@c: bad key=secret&n=1, 'secret' or s3cret is not known";
        let shown = "400 of ***@c: bad key=***&n=***, '***' or *** is not known";
        assert_eq!(secrets.hide(told), shown);
        assert_eq!(Secrets::of("http://c").hide(told), told);
    }
}
