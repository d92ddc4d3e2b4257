//! A text of WGSL as words and signs.

use std::ops::Range;

/// A word, a number or a sign, where it stands, and whether a mutant may change it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub text: &'a str,
    pub at: Range<usize>,
    /// Inside the update of a `for`, where a change may leave the loop without an end.
    pub in_update: bool,
}

const SIGNS: [&str; 20] =
    ["<<=", ">>=", "->", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "++", "--", "<<"];

/// The tokens of a text without its comments.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        } else if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        } else if first.is_alphanumeric() || first == '_' {
            word(rest)
        } else {
            SIGNS.iter().find(|sign| rest.starts_with(**sign)).map_or(first.len_utf8(), |sign| sign.len())
        };
        found.push(Token { text: &rest[..length], at: at..at + length, in_update: false });
        at += length;
    }
    mark_updates(&mut found);
    found
}

/// The length of a name, or of a number with its point.
fn word(rest: &str) -> usize {
    let is_number = rest.starts_with(|c: char| c.is_ascii_digit());
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || is_number && c == '.')).unwrap_or(rest.len())
}

/// In `for (a; b; c)` all of `c`.
fn mark_updates(tokens: &mut [Token<'_>]) {
    for start in 0..tokens.len() {
        if tokens[start].text != "for" {
            continue;
        }
        let (mut depth, mut part) = (0, 0);
        for token in &mut tokens[start + 1..] {
            match token.text {
                "(" => depth += 1,
                ")" => depth -= 1,
                ";" => part += 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            token.in_update = part == 2;
        }
    }
}
