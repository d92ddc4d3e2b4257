//! The words of a Rust source, without its comments, its literals and what is compiled for tests alone.

/// A name, a `::`, or one other character.
pub fn tokens(source: &str) -> Vec<String> {
    let text: Vec<char> = source.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    let is_name = |c: &char| c.is_alphanumeric() || *c == '_';
    while at < text.len() {
        let rest = &text[at..];
        let length = match rest {
            [c, ..] if c.is_whitespace() => 1,
            ['/', '/', ..] => rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => string(rest, 0),
            ['b' | 'c', '"', ..] => string(rest, 1),
            ['r', '"' | '#', ..] | ['b' | 'c', 'r', '"' | '#', ..] if raw_string(rest).is_some() => raw_string(rest).unwrap(),
            // A raw name is the name.
            ['r', '#', ..] => 2,
            ['\'', '\\', ..] => 3 + rest[3..].iter().position(|&c| c == '\'').unwrap_or(0) + 1,
            ['\'', _, '\'', ..] => 3,
            // A lifetime.
            ['\'', ..] => 1 + rest[1..].iter().take_while(|c| is_name(c)).count(),
            [c, ..] if is_name(c) => {
                let length = rest.iter().take_while(|c| is_name(c)).count();
                found.push(rest[..length].iter().collect());
                length
            }
            [':', ':', ..] => {
                found.push("::".to_owned());
                2
            }
            [c, ..] => {
                found.push(c.to_string());
                1
            }
            [] => unreachable!("the loop ends before"),
        };
        at += length;
    }
    without_tests(found)
}

fn block_comment(text: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match text[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(text: &[char], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < text.len() && text[at] != '"' {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The length of a raw string, if this is one and not a raw name.
fn raw_string(text: &[char]) -> Option<usize> {
    let r = text.iter().position(|&c| c == 'r')?;
    let hashes = text[r + 1..].iter().take_while(|&&c| c == '#').count();
    let begin = r + 1 + hashes;
    if text.get(begin) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let found = text[begin + 1..].windows(end.len()).position(|window| window == end)?;
    Some(begin + 1 + found + end.len())
}

/// Leaves out each item below `#[cfg(test)]` and the like.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if tokens[at] != "#" {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let end = closing(&tokens, at + 1);
        let attribute = &tokens[at..end];
        at = end;
        if attribute.iter().any(|t| t == "cfg") && attribute.iter().any(|t| t == "test") && attribute.iter().all(|t| t != "not") {
            at = item_end(&tokens, at);
        }
    }
    kept
}

/// The place after the bracket that closes the one at `open`, or the one after it.
fn closing(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// The place after the item that begins at `at`: after its `;`, or its block.
fn item_end(tokens: &[String], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at].as_str() {
            ";" => return at + 1,
            "{" => return closing(tokens, at),
            "(" | "[" => at = closing(tokens, at),
            // It was the last part of something larger.
            "}" => return at,
            _ => at += 1,
        }
    }
    at
}

#[test]
fn words_are_told_from_comments_literals_and_tests() {
    let source = r####"
        // use a::b; "
        /* use c; /* nested */ */
        #[cfg(test)] mod tests { use super::*; fn f() {} }
        #[cfg(not(test))] use kept::r#type;
        const S: &str = "use \" d;"; const R: &str = r#"use " e;"#; const C: char = '"'; const L: &'static u8 = &b'\'';
        fn f<'a>() {} // '
    "####;
    let names: Vec<String> = tokens(source).into_iter().filter(|t| t.chars().all(char::is_alphanumeric)).collect();
    assert_eq!(names.join(" "), "use kept type const S str const R str const C char const L u8 b fn f");
}
