//! Whether everything that some privileges grant is granted by others: inclusion of pattern languages.

use std::collections::HashSet;

use super::Privilege;
use super::pattern::{Pattern, Token};

/// States looked at before the answer is "no"; patterns of real roles need some hundreds.
const STATES_MAX: usize = 20_000;

/// Whether every action that one of `inner` grants is granted by one of `outer`.
///
/// Elasticsearch answers the same question with `Automatons.subsetOf` over the union of a user's privileges.
pub(super) fn includes(outer: &[&Privilege], inner: &[&Privilege]) -> bool {
    if sample_refutes(outer, inner) {
        return false;
    }
    let automaton = Automaton::new(outer, inner);
    let start = automaton.start();
    let mut seen = HashSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        if automaton.accepts(&state, Side::Inner) && !automaton.accepts(&state, Side::Outer) {
            return false;
        }
        for byte in automaton.alphabet.iter().copied().map(Some).chain([None]) {
            let next = automaton.step(&state, byte);
            if automaton.is_dead(&next) || seen.contains(&next) {
                continue;
            }
            if seen.len() >= STATES_MAX {
                return false; // too odd to prove: grants nothing
            }
            seen.insert(next.clone());
            open.push(next);
        }
    }
    true
}

/// Most pairs differ in a short string; finding one saves the search.
fn sample_refutes(outer: &[&Privilege], inner: &[&Privilege]) -> bool {
    let samples = inner.iter().flat_map(|privilege| &privilege.granted).map(sample);
    samples
        .into_iter()
        .any(|text| inner.iter().any(|privilege| privilege.grants(&text)) && !outer.iter().any(|p| p.grants(&text)))
}

fn sample(pattern: &Pattern) -> String {
    pattern
        .tokens()
        .iter()
        .filter_map(|token| match token {
            Token::Literal(byte) => Some(char::from(*byte)),
            Token::AnyByte => Some('x'),
            Token::AnyString => None,
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Outer,
    Inner,
}

/// A position in one of the patterns.
#[derive(Clone, Copy)]
enum Node {
    Token(Token),
    /// All tokens are matched.
    End {
        privilege: usize,
        excluded: bool,
    },
}

/// All patterns side by side; a state is the sorted set of positions that the text so far may have reached.
struct Automaton {
    nodes: Vec<(Side, Node)>,
    starts: Vec<usize>,
    privileges: usize,
    alphabet: Vec<u8>,
}

type State = Vec<usize>;

impl Automaton {
    fn new(outer: &[&Privilege], inner: &[&Privilege]) -> Self {
        let mut automaton = Self { nodes: Vec::new(), starts: Vec::new(), privileges: 0, alphabet: Vec::new() };
        for (side, privileges) in [(Side::Outer, outer), (Side::Inner, inner)] {
            for privilege in privileges {
                privilege.granted.iter().for_each(|pattern| automaton.add(side, pattern, false));
                privilege.excluded.iter().for_each(|pattern| automaton.add(side, pattern, true));
                automaton.privileges += 1;
            }
        }
        automaton.alphabet.sort_unstable();
        automaton.alphabet.dedup();
        automaton
    }

    fn add(&mut self, side: Side, pattern: &Pattern, excluded: bool) {
        self.starts.push(self.nodes.len());
        for token in pattern.tokens() {
            if let Token::Literal(byte) = token {
                self.alphabet.push(*byte);
            }
            self.nodes.push((side, Node::Token(*token)));
        }
        self.nodes.push((side, Node::End { privilege: self.privileges, excluded }));
    }

    fn start(&self) -> State {
        self.closed(self.starts.clone())
    }

    /// The positions after `byte`; `None` stands for every byte that no pattern writes out.
    fn step(&self, state: &State, byte: Option<u8>) -> State {
        let moved = state.iter().filter_map(|&position| match self.nodes.get(position)?.1 {
            Node::Token(Token::Literal(literal)) => (Some(literal) == byte).then_some(position + 1),
            Node::Token(Token::AnyByte) => Some(position + 1),
            Node::Token(Token::AnyString) => Some(position),
            Node::End { .. } => None,
        });
        self.closed(moved.collect())
    }

    /// Adds the positions that an empty `*` leads to.
    fn closed(&self, mut positions: Vec<usize>) -> State {
        let mut at = 0;
        while let Some(&position) = positions.get(at) {
            at += 1;
            if matches!(self.nodes.get(position), Some((_, Node::Token(Token::AnyString)))) {
                positions.push(position + 1);
            }
        }
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    fn accepts(&self, state: &State, side: Side) -> bool {
        let (mut granted, mut excluded) = (Vec::new(), Vec::new());
        for position in state {
            if let Some((of, Node::End { privilege, excluded: is_excluded })) = self.nodes.get(*position)
                && *of == side
            {
                if *is_excluded { excluded.push(*privilege) } else { granted.push(*privilege) }
            }
        }
        granted.iter().any(|privilege| !excluded.contains(privilege))
    }

    /// Nothing of the inner side can match any more.
    fn is_dead(&self, state: &State) -> bool {
        !state.iter().any(|position| matches!(self.nodes.get(*position), Some((Side::Inner, _))))
    }
}
