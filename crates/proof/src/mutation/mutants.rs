//! The slips: what a token may become.

use super::tokens::{Token, tokens};
use std::collections::BTreeMap;
use std::ops::Range;

/// A text with one token changed.
#[derive(Debug, Clone)]
pub(super) struct Mutant {
    /// Which slip it is.
    pub slip: &'static str,
    /// Where it stands.
    pub at: Range<usize>,
    /// What stands there instead.
    pub instead: String,
}

impl Mutant {
    pub fn of(&self, text: &str) -> String {
        [&text[..self.at.start], &self.instead, &text[self.at.end..]].concat()
    }

    /// A kernel's whole text, in which the text that it is of stands last.
    pub fn within(&self, whole: &str, text: &str) -> String {
        let at = whole.rfind(text).expect("a mutant is of a part of the text");
        [&whole[..at], &self.of(text), &whole[at + text.len()..]].concat()
    }

    /// Its line, and what it makes of it.
    pub fn describe(&self, text: &str) -> String {
        let start = text[..self.at.start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[self.at.end..].find('\n').map_or(text.len(), |newline| self.at.end + newline);
        let line = [&text[start..self.at.start], "[", &text[self.at.clone()], " => ", &self.instead, "]", &text[self.at.end..end]]
            .concat();
        format!("{}: {}", self.slip, line.trim())
    }
}

/// Every mutant of a text, in the order of the text; not all of them compile.
pub(super) fn mutants(text: &str) -> Vec<Mutant> {
    let tokens = tokens(text);
    let fields = next_fields(&tokens);
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate().filter(|(_, token)| !token.in_update) {
        if !in_a_function(&tokens, i) {
            continue;
        }
        let before = if i == 0 { "" } else { tokens[i - 1].text };
        let mut add =
            |slip, at: &Range<usize>, instead: &str| found.push(Mutant { slip, at: at.clone(), instead: instead.to_owned() });
        match token.text {
            "workgroupBarrier" | "storageBarrier" => add("missing barrier", &(token.at.start..tokens[i + 2].at.end), ""),
            "x" if before == "." => add("other axis", &token.at, "y"),
            "y" | "z" | "w" if before == "." => add("other axis", &token.at, "x"),
            // What a long sum has gathered so far.
            "+=" => add("lost sum", &token.at, "="),
            "*" if !matches!(before, "(" | "," | "=" | "return") => add("sum for product", &token.at, "+"),
            field if before == "." && i >= 2 && tokens[i - 2].text == "params" => {
                if let Some(next) = fields.get(field) {
                    add("other parameter", &token.at, next);
                }
            }
            sign => match (SWAPS.iter().find(|(sign_, ..)| *sign_ == sign), one_more(sign)) {
                (Some((_, instead, slip)), _) => add(slip, &token.at, instead),
                (None, Some(instead)) => add("off by one", &token.at, &instead),
                (None, None) => {}
            },
        }
    }
    found
}

const SWAPS: [(&str, &str, &str); 10] = [
    ("<", "<=", "one step more"),
    ("<=", "<", "one step less"),
    (">", ">=", "wrong edge"),
    (">=", ">", "wrong edge"),
    ("==", "!=", "wrong condition"),
    ("!=", "==", "wrong condition"),
    ("&&", "||", "wrong condition"),
    ("||", "&&", "wrong condition"),
    ("min", "max", "wrong extreme"),
    ("max", "min", "wrong extreme"),
];

/// The number that follows a literal.
fn one_more(literal: &str) -> Option<String> {
    if !literal.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match literal.strip_suffix(['u', 'i']) {
        Some(digits) => Some(format!("{}{}", digits.parse::<u32>().ok()?.checked_add(1)?, &literal[digits.len()..])),
        None if literal.contains('.') => Some(format!("{:?}", literal.parse::<f32>().ok()? + 1.0)),
        None => Some((literal.parse::<u32>().ok()? + 1).to_string()),
    }
}

/// Whether a token stands in a function's body, and not in an attribute, a declaration or a struct.
fn in_a_function(tokens: &[Token<'_>], i: usize) -> bool {
    let mut depth = 0usize;
    for j in (0..i).rev() {
        match tokens[j].text {
            "}" => depth += 1,
            "{" if depth > 0 => depth -= 1,
            // The innermost brace that is open: of a function, or of a statement in one.
            "{" => return !is_struct(tokens, j),
            _ => {}
        }
    }
    false
}

fn is_struct(tokens: &[Token<'_>], brace: usize) -> bool {
    brace >= 2 && tokens[brace - 2].text == "struct"
}

/// For each field of `Params` the next one of the same type, the first after the last.
fn next_fields<'a>(tokens: &[Token<'a>]) -> BTreeMap<&'a str, &'a str> {
    let Some(start) = tokens.windows(2).position(|pair| pair[0].text == "struct" && pair[1].text == "Params") else {
        return BTreeMap::new();
    };
    let body = tokens[start + 3..].split(|token| token.text == "}").next().unwrap_or_default();
    let fields: Vec<(&str, &str)> = body
        .split(|token| token.text == ",")
        .filter(|field| field.len() >= 3)
        .map(|field| (field[0].text, field[2].text))
        .collect();
    let next = |(i, (name, kind)): (usize, &(&'a str, &'a str))| {
        let others = fields[i + 1..].iter().chain(&fields[..i]);
        let mut same = others.filter(|(_, other)| other == kind);
        same.next().map(|(other, _)| (*name, *other))
    };
    fields.iter().enumerate().filter_map(next).collect()
}
