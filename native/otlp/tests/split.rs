//! Cutting requests against a naive implementation that tries every part, and on input that is none.

use otlp_schema::fields::{envelope, metric, metric_data};
use otlp_schema::signal::Signal;
use otlp_schema::split::{Limits, SplitError, count_items, split};
use otlp_wire::Writer;
use proptest::prelude::*;

/// Which fields lead from the request down to the items; one of each set stands in a message.
fn levels(signal: Signal) -> &'static [&'static [u8]] {
    const GROUPS: [&[u8]; 3] = [&[envelope::RESOURCE_GROUPS], &[envelope::SCOPE_GROUPS], &[envelope::ITEMS]];
    const METRICS: [&[u8]; 5] = [GROUPS[0], GROUPS[1], GROUPS[2], &metric::DATA, &[metric_data::DATA_POINTS]];
    if signal == Signal::Metrics { &METRICS } else { &GROUPS }
}

fn exceeds(value: usize, limit: usize) -> bool {
    limit != 0 && value > limit
}

fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.bytes_field(tag, content);
    writer.as_slice().to_vec()
}

/// A request as the naive implementation sees it: messages all the way down to the items.
#[derive(Clone, Debug)]
enum Node {
    Leaf(u8, Vec<u8>),
    Message { tag: u8, head: Vec<u8>, children: Vec<Node>, tail: Vec<u8> },
}

impl Node {
    /// Its leaves: the items, and the messages without any.
    fn leaves(&self) -> usize {
        match self {
            Self::Message { children, .. } if !children.is_empty() => children.iter().map(Self::leaves).sum(),
            _ => 1,
        }
    }

    /// What it becomes with only the leaves from `first` up to `end` (`seen` counts them), and its items.
    fn content(&self, first: usize, end: usize, seen: &mut usize) -> Option<(Vec<u8>, usize)> {
        match self {
            Self::Message { head, children, tail, .. } if !children.is_empty() => {
                let kept: Vec<_> = children
                    .iter()
                    .filter_map(|child| child.content(first, end, seen).map(|(bytes, n)| (child.tag(), bytes, n)))
                    .collect();
                let inner = kept.iter().map(|(tag, bytes, _)| field(*tag, bytes)).collect::<Vec<_>>().concat();
                let items = kept.iter().map(|kept| kept.2).sum();
                (!kept.is_empty()).then(|| ([&head[..], &inner, tail].concat(), items))
            }
            leaf => {
                let at = *seen;
                *seen += 1;
                (first..end).contains(&at).then(|| match leaf {
                    Self::Leaf(_, content) => (content.clone(), 1),
                    Self::Message { head, tail, .. } => ([&head[..], tail].concat(), 0),
                })
            }
        }
    }

    fn tag(&self) -> u8 {
        match self {
            Self::Leaf(tag, _) | Self::Message { tag, .. } => *tag,
        }
    }

    fn whole(&self) -> (Vec<u8>, usize) {
        self.content(0, usize::MAX, &mut 0).unwrap_or_default()
    }

    /// The parts by trial: as many leaves as fit, at least one.
    fn naive_split(&self, limits: Limits) -> Vec<(Vec<u8>, usize)> {
        let part = |first, end| self.content(first, end, &mut 0).unwrap_or_default();
        let fits = |(bytes, items): (Vec<u8>, usize)| {
            !exceeds(bytes.len(), limits.max_bytes) && !exceeds(items, limits.max_items)
        };
        let (leaves, mut parts, mut first) = (self.leaves(), Vec::new(), 0);
        while first < leaves {
            let mut end = first + 1;
            while end < leaves && fits(part(first, end + 1)) {
                end += 1;
            }
            parts.push(part(first, end));
            first = end;
        }
        parts
    }
}

fn split_owned(data: &[u8], signal: Signal, limits: Limits) -> Vec<(Vec<u8>, usize)> {
    let parts = split(data, signal, limits).expect("the request is well-formed");
    parts.into_iter().map(|part| (part.bytes.into_owned(), part.item_count)).collect()
}

/// Fields that the code does not know, of every wire type.
fn unknown_fields() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(|content| field(0x72, &content)),
        Just(b"\x78\x96\x01".to_vec()),
        Just(b"\x7b\x0a\x01x\x7c".to_vec()),
        Just(b"\x85\x02four".to_vec()),
        Just(b"\x81\x02eight...".to_vec()),
    ];
    proptest::collection::vec(field, 0..3).prop_map(|fields| fields.concat())
}

fn node(tag: u8, levels: &'static [&'static [u8]]) -> BoxedStrategy<Node> {
    let Some((&fields, below)) = levels.split_first() else {
        return proptest::collection::vec(any::<u8>(), 0..150)
            .prop_map(move |content| Node::Leaf(tag, content))
            .boxed();
    };
    // Of a oneof there is one member.
    let most = if fields.len() > 1 { 2 } else { 5 };
    let children = proptest::sample::select(fields)
        .prop_flat_map(move |child| proptest::collection::vec(node(child, below), 0..most));
    (unknown_fields(), children, unknown_fields())
        .prop_map(move |(head, children, tail)| Node::Message { tag, head, children, tail })
        .boxed()
}

fn request() -> impl Strategy<Value = (Signal, Node)> {
    proptest::sample::select(&[Signal::Traces, Signal::Logs, Signal::Metrics][..])
        .prop_flat_map(|signal| (Just(signal), node(0, levels(signal))))
}

proptest! {
    #[test]
    fn parts_are_those_of_the_naive_way(
        (signal, request) in request(), share in 0.0..1.1f64, max_items in 0usize..8,
    ) {
        let (data, items) = request.whole();
        let limits = Limits { max_bytes: (data.len() as f64 * share) as usize, max_items };
        prop_assert_eq!(count_items(&data, signal), Ok(items));
        let fits = !exceeds(data.len(), limits.max_bytes) && !exceeds(items, limits.max_items);
        let expected = if fits { vec![(data.clone(), items)] } else { request.naive_split(limits) };
        prop_assert_eq!(split_owned(&data, signal, limits), expected);
    }

    #[test]
    fn damaged_requests_are_cut_or_refused(
        (signal, request) in request(), at in any::<proptest::sample::Index>(), byte in any::<u8>(), max_bytes in 1usize..300,
    ) {
        let mut data = request.whole().0;
        if !data.is_empty() {
            let at = at.index(data.len());
            data[at] = byte;
        }
        match split(&data, signal, Limits { max_bytes, max_items: 3 }) {
            Ok(parts) => {
                let items = parts.iter().map(|part| part.item_count).sum();
                prop_assert_eq!(count_items(&data, signal), Ok(items));
                for part in &parts {
                    prop_assert_eq!(count_items(&part.bytes, signal), Ok(part.item_count));
                    prop_assert!(part.bytes.len() <= data.len());
                }
            }
            Err(SplitError::Malformed { error, .. }) => prop_assert!(error.offset <= data.len()),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn any_bytes_are_cut_or_refused(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
            let whole = split(&data, signal, Limits { max_bytes: 1, max_items: 1 });
            prop_assert_eq!(whole.is_ok(), count_items(&data, signal).is_ok());
        }
    }
}
