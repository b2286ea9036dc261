//! Changes links of documents.

/// The text with each link replaced by its own text if the target is not `kept`. Fenced blocks and texts in backquotes stay.
pub fn replaced(text: &str, mut kept: impl FnMut(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_fenced = false;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        }
        if is_fenced { out.push_str(line) } else { replace_in_line(line, &mut kept, &mut out) }
    }
    out
}

fn replace_in_line(line: &str, kept: &mut impl FnMut(&str) -> bool, out: &mut String) {
    let mut rest = line;
    while let Some(at) = rest.find("](") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        let (Some(begin), Some(end)) = (before.rfind('['), after.find(')')) else { break };
        let target = after[..end].split_whitespace().next().unwrap_or_default();
        // A piece of code may look like a link.
        let is_code = before[..begin].matches('`').count() % 2 == 1;
        if is_code || kept(target) {
            out.push_str(&rest[..at + 2 + end + 1]);
        } else {
            out.push_str(&before[..begin]);
            out.push_str(&before[begin + 1..]);
        }
        rest = &after[end + 1..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_not_kept_becomes_its_text() {
        let text = "See [a](a.md#x), [`b`](../b.rs) and `[c](c.rs)`.\n```\n[d](d.rs)\n```\n";
        let expected = "See [a](a.md#x), `b` and `[c](c.rs)`.\n```\n[d](d.rs)\n```\n";
        assert_eq!(replaced(text, |target| target.starts_with("a.md")), expected);
    }
}
