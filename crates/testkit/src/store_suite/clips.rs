//! Videos of behaviours, and the faces in them.

use domain::{
    Attributes, BehaviourFilter, CameraId, CaptureId, Clip, ClipState, ComparedFilter, Comparison, Entry, EntryKind,
    Error, NewEntry, PictureId, RecordKind, Removal, Seq, Similarity, Thing, Timestamp, What,
};

use super::Stores;
use super::samples::{ALL, at, candidate, line_crossed, picture};

/// A behaviour in the log, with a clip in this state.
fn append(store: &dyn Stores, seconds: i64, clip: ClipState) -> (Seq, CaptureId) {
    let mut crossed = line_crossed(store, 1, seconds);
    let What::Behaviour(behaviour) = &mut crossed.what else { panic!("{crossed:?}") };
    behaviour.clip = clip;
    let id = behaviour.id;
    (store.append(&crossed).unwrap().seq, id)
}

fn settle(store: &dyn Stores, of: CaptureId, video: Option<PictureId>) -> domain::Result<Entry> {
    store.append(&NewEntry { at: at(60), camera: Some(CameraId(1)), what: What::Clip(Clip { of, video }) })
}

fn awaited(store: &dyn Stores) -> Vec<CaptureId> {
    store.awaited_clips(10).unwrap().into_iter().map(|found| found.behaviour.id).collect()
}

/// Stored or lost.
pub fn a_clip_settles_its_behaviour_once(store: &dyn Stores) {
    let [(_, first), (_, second), (_, third)] = [1, 2, 3].map(|seconds| append(store, seconds, ClipState::Awaited));
    let (_, without) = append(store, 4, ClipState::None);
    let (_, lost) = append(store, 5, ClipState::Lost);
    assert_eq!(awaited(store), [first, second, third]);
    assert_eq!(store.awaited_clips(1).unwrap().len(), 1);
    let video = picture(store, "video");
    let stored = settle(store, first, Some(video.clone())).unwrap();
    let gone = settle(store, second, None).unwrap();
    assert_eq!(awaited(store), [third]);
    let state = |id| store.behaviour(id).unwrap().behaviour.clip;
    assert_eq!(state(first), ClipState::Stored(video.clone()));
    assert_eq!(
        [second, third, without, lost].map(state),
        [ClipState::Lost, ClipState::Awaited, ClipState::None, ClipState::Lost]
    );
    assert_eq!(store.entries_after(Seq(0), &[EntryKind::Clip], 10).unwrap(), [stored, gone]);
    for settled in [first, second, without, lost] {
        let again = settle(store, settled, None);
        assert!(matches!(again, Err(Error::AlreadyExists { what: Thing::Record })), "{again:?}");
    }
    let nothing = settle(store, CaptureId::random(), None);
    assert!(matches!(nothing, Err(Error::NotFound { what: Thing::Record })), "{nothing:?}");
    let missing = settle(store, third, Some("ab".repeat(32).parse().unwrap()));
    assert!(matches!(missing, Err(Error::NotFound { what: Thing::Picture })), "{missing:?}");
    assert_eq!(awaited(store), [third]);
}

/// With its video, by every way of removal; a behaviour that awaits its clip too.
pub fn a_clip_is_removed_with_its_behaviour(store: &dyn Stores) {
    for way in 0..4 {
        let (seq, id) = append(store, 1, ClipState::Awaited);
        let video = store.put(format!("video {way}").as_bytes()).unwrap();
        settle(store, id, Some(video.clone())).unwrap();
        let removal = match way {
            0 => Removal::One(seq),
            1 => Removal::UpTo(seq),
            2 => Removal::Before { kind: RecordKind::Strangers, from: Timestamp::MIN, time: at(2) },
            _ => Removal::Oldest,
        };
        assert_eq!(store.get(&video).unwrap().len(), 7);
        assert_eq!(store.remove_entries(removal, 1).unwrap(), 1, "{removal:?}");
        assert!(store.entries_after(Seq(0), &EntryKind::ALL, 10).unwrap().is_empty(), "{removal:?}");
        assert!(matches!(store.get(&video), Err(Error::NotFound { what: Thing::Picture })), "{removal:?}");
    }
    let (seq, id) = append(store, 1, ClipState::Awaited);
    store.remove_entries(Removal::One(seq), 1).unwrap();
    assert!(matches!(settle(store, id, None), Err(Error::NotFound { what: Thing::Record })));
    assert_eq!(awaited(store), []);
}

/// One face has to meet all conditions.
pub fn behaviours_are_found_by_the_faces_compared(store: &dyn Stores) {
    let with = |seconds, faces: &[(i64, &str, f32)]| {
        let mut crossed = line_crossed(store, 1, seconds);
        let What::Behaviour(behaviour) = &mut crossed.what else { panic!("{crossed:?}") };
        let face = |(target, (person, name, similarity)): (usize, &(i64, &str, f32))| {
            let mut best = candidate(*person, 1, *similarity);
            (best.name, best.document_number) = ((*name).to_owned(), format!("no {person}"));
            Comparison { target, attributes: Attributes::default(), threshold: Similarity::new(0.8), best }
        };
        behaviour.comparisons = faces.iter().enumerate().map(face).collect();
        store.append(&crossed).unwrap();
    };
    with(1, &[]);
    with(2, &[(1, "Ada", 0.9)]);
    with(3, &[(2, "Bob", 0.5), (3, "Adam", 0.85)]);
    let found = |compared: ComparedFilter| {
        let filter = BehaviourFilter { compared: Some(compared), ..BehaviourFilter::default() };
        let page = store.behaviours(&filter, ALL).unwrap();
        assert_eq!(page.total as usize, page.rows.len());
        page.rows.iter().map(|found| found.at.millis_since(at(0)) / 1000).collect::<Vec<_>>()
    };
    let any = ComparedFilter::default;
    assert_eq!(found(any()), [3, 2]);
    assert_eq!(found(ComparedFilter { accepted: Some(true), ..any() }), [3, 2]);
    assert_eq!(found(ComparedFilter { accepted: Some(false), ..any() }), [3]);
    assert_eq!(found(ComparedFilter { name_part: Some("Ada".into()), ..any() }), [3, 2]);
    assert_eq!(found(ComparedFilter { name_part: Some("ada".into()), ..any() }), [] as [i64; 0]);
    assert_eq!(found(ComparedFilter { document_number_part: Some("1".into()), ..any() }), [2]);
    let similarity = Some(Similarity::new(0.4)..=Similarity::new(0.6));
    assert_eq!(found(ComparedFilter { similarity: similarity.clone(), ..any() }), [3]);
    assert_eq!(found(ComparedFilter { similarity, accepted: Some(true), ..any() }), [] as [i64; 0], "one face");
}
