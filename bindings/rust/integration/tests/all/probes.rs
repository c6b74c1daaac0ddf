// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Probe sets: topics 1, 2, 12, 13, 14, 29.
use uprobe_multi::{
    ArgumentPlace, Backend, Cost, DebugFiles, Kind, Place, ProbeFlags, ProbeSet, Resolver, Spec,
    Verdict, check, demangle, resolve,
};
use uprobe_multi_integration::built;

fn known() -> String {
    built("target/known").to_str().unwrap().into()
}

fn functions(pattern: &str) -> ProbeSet {
    resolve(Spec::uprobe(known(), pattern)).unwrap()
}

#[test]
fn the_library_tells_its_version() {
    assert_eq!(uprobe_multi::version(), env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_set_is_a_collection() {
    let set = functions("known_000?");
    assert_eq!(set.len(), 10);
    assert!(!set.is_empty() && set.get(10).is_none());
    let names: Vec<_> = set.iter().map(|probe| probe.name()).collect();
    assert_eq!(names.len(), set.iter().len());
    assert_eq!(names[3], "known_0003");
    assert_eq!(set.iter().next_back().unwrap().name(), "known_0009");
    let some = set
        .filter(|probe| probe.name().ends_with(['2', '5']))
        .unwrap();
    assert_eq!(
        some.iter().map(|probe| probe.name()).collect::<Vec<_>>(),
        ["known_0002", "known_0005"]
    );
    let chosen = set.select(&[9, 0, 9]).unwrap();
    assert_eq!(
        (&chosen)
            .into_iter()
            .map(|probe| probe.offset())
            .collect::<Vec<_>>(),
        [
            set.get(9).unwrap().offset(),
            set.get(0).unwrap().offset(),
            set.get(9).unwrap().offset()
        ]
    );
}

#[test]
fn sets_are_made_empty_and_joined() {
    let mut set = ProbeSet::new().unwrap();
    assert!(set.is_empty() && set.iter().next().is_none());
    set.join(&functions("known_0001")).unwrap();
    let copy = set.try_clone().unwrap();
    set.join(&copy).unwrap();
    assert_eq!((set.len(), copy.len()), (2, 1));
}

#[test]
fn places_are_added_with_all_bits_of_their_numbers() {
    let function = functions("known_0007");
    let offset = function.get(0).unwrap().offset();
    let mut set = ProbeSet::new().unwrap();
    let place = Place {
        cookie: u64::MAX,
        ..Place::new(known(), offset)
    };
    set.add(Kind::Uretprobe, &[place, Place::new(known(), u64::MAX)])
        .unwrap();
    let probe = set.get(0).unwrap();
    assert_eq!((probe.cookie(), probe.kind()), (u64::MAX, Kind::Uretprobe));
    assert_eq!(
        (probe.symbol().as_ref(), probe.symbol_offset()),
        ("known_0007", 0)
    );
    assert_eq!(set.get(1).unwrap().offset(), u64::MAX);
    assert!(!set.get(1).unwrap().is_ok());
    set.set_cookies(&[1 << 63, 5]).unwrap();
    assert_eq!(
        set.iter().map(|probe| probe.cookie()).collect::<Vec<_>>(),
        [1 << 63, 5]
    );
}

#[test]
fn what_can_not_be_probed_has_a_verdict_and_a_reason() {
    let set = resolve([
        Spec::uprobe(known(), "lock_first"),
        Spec::uprobe(known(), "no_such_function"),
        Spec::new("/no/such/file:main"),
    ])
    .unwrap();
    let verdicts: Vec<_> = set.iter().map(|probe| probe.verdict()).collect();
    assert_eq!(
        verdicts,
        [Verdict::Unprobeable, Verdict::NoMatch, Verdict::Unreadable]
    );
    assert!(
        set.iter()
            .all(|probe| !probe.reason().is_empty() && !probe.is_ok())
    );
    assert_eq!(set.count_verdict(Verdict::NoMatch), 1);
    assert_eq!(set.count_verdict(Verdict::Ok), 0);
    assert_eq!(Verdict::NoMatch.to_string(), "no_match");
}

#[test]
fn a_probe_tells_what_it_is() {
    let set = functions("known_0001");
    let probe = set.get(0).unwrap();
    assert_eq!(probe.path().to_str(), Some(known().as_str()));
    assert_eq!(probe.spec(), format!("uprobe:{}:known_0001", known()));
    assert!(probe.symbol_size() > 0 && probe.address() > 0);
    assert!(matches!(
        probe.cost(),
        Cost::Nop5 | Cost::Emulated | Cost::Stepped
    ));
    assert_eq!(probe.flags(), ProbeFlags::default());
    assert!(!probe.flags().contains(ProbeFlags::REPEATS));
    assert!(probe.ref_ctr_offset().is_none() && probe.errno().is_none());
    assert_eq!(probe.arguments().count(), 0);
    assert_eq!(probe.version(), "");
}

#[test]
fn names_of_one_point_are_aliases() {
    let set = resolve(Spec::uprobe("libc.so.6", "malloc*")).unwrap();
    let all: Vec<_> = resolve(Spec::uprobe("libc.so.6", "/^_*(libc_)?(malloc|memalign)$/"))
        .unwrap()
        .iter()
        .flat_map(|probe| {
            probe
                .aliases()
                .map(|name| name.into_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(!set.is_empty() && !all.is_empty());
}

#[test]
fn arguments_of_usdt_sites() {
    let binary = built("target/usdt-gcc-O2");
    let set = resolve(Spec::usdt(binary.display(), "forms", "many")).unwrap();
    let site = set.get(0).unwrap();
    assert_eq!(
        (site.kind(), site.provider().as_ref(), site.name().as_str()),
        (Kind::Usdt, "forms", "forms:many")
    );
    assert_eq!(site.arguments().count(), 12);
    assert!(site.ref_ctr_offset().is_some());
    for argument in site.arguments() {
        assert_ne!(
            argument.place(),
            ArgumentPlace::Unreadable,
            "{}",
            argument.reason()
        );
        assert!(argument.width() > 0 && !argument.text().is_empty() && !argument.is_float());
    }
}

#[test]
fn resolvers_have_options() {
    let set = Resolver::new(Spec::uprobe(known(), "twice"))
        .all_matches(true)
        .resolve()
        .unwrap();
    assert_eq!(set.count_verdict(Verdict::Ok), 2);
    let set = Resolver::new("libknown.so:shared_0000")
        .program(known())
        .debug_files(DebugFiles::Never)
        .debuginfod(false)
        .resolve()
        .unwrap();
    assert!(set.get(0).unwrap().is_ok());
}

#[test]
fn all_kinds_of_lists_are_specs() {
    let texts = ["libc.so.6:malloc", "libc.so.6:free"];
    let owned: Vec<String> = texts.map(String::from).to_vec();
    for set in [resolve(texts), resolve(&texts[..]), resolve(owned)] {
        assert_eq!(set.unwrap().len(), 2);
    }
    assert_eq!(resolve(String::from(texts[0])).unwrap().len(), 1);
    assert_eq!(
        Resolver::new(texts[0])
            .spec(texts[1])
            .resolve()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn things_print_as_something_that_a_person_reads() {
    let set = resolve([
        Spec::uretprobe(known(), "known_0000"),
        Spec::uprobe(known(), "nothing"),
    ])
    .unwrap();
    assert_eq!(
        set.get(0).unwrap().to_string(),
        format!("uretprobe:{}:known_0000", known())
    );
    assert_eq!(
        format!("{set:?}"),
        "ProbeSet { len: 2, ok: 1, no_match: 1 }"
    );
    assert!(format!("{:?}", set.get(1).unwrap()).contains("NoMatch"));
    assert_eq!(format!("{:>8}", Backend::PerfEvent), "perf_event");
    assert!(format!("{:?}", check().unwrap()).contains("\"uprobe_multi\": Yes"));
    assert_eq!(demangle("_ZN5shape4overEi"), "shape::over(int)");
}
