//! What is written into the copy: a change that did something else than its name says would be reported as noticed or not by chance.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use strongroom_mutants::changes::{Change, Genre, Place, Span};
use strongroom_mutants::rewrite::{CONSTANT, LeftOut, Rewritten, rewrite};

/// A change of the `nth` place (from 0) at which `old` stands.
fn change(text: &str, genre: Genre, old: &str, nth: usize, replacement: &str) -> Change {
    let (at, _) = text
        .match_indices(old)
        .nth(nth)
        .expect("the place is there");
    let place = |at: usize| {
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    };
    let span = Span {
        start: place(at),
        end: place(at + old.len()),
    };
    Change {
        name: old.to_owned(),
        file: "lib.rs".to_owned(),
        genre,
        span,
        replacement: replacement.to_owned(),
    }
}

fn rewritten(text: &str, changes: &[Change]) -> Rewritten {
    let numbered: Vec<(u32, &Change)> = (0..).zip(changes).collect();
    let result = rewrite(text, &numbered, &LeftOut::default()).unwrap();
    syn::parse_file(&result.text).unwrap_or_else(|error| panic!("{error}:\n{}", result.text));
    result
}

#[test]
fn an_operator_is_chosen_and_what_lies_in_it_too() {
    let text = "fn f(a: u8, b: u8) -> bool { a + 1 < b }";
    let changes = [
        change(text, Genre::BinaryOperator, "<", 0, "=="),
        change(text, Genre::BinaryOperator, "+", 0, "-"),
        change(text, Genre::BinaryOperator, "<", 0, ">"),
    ];
    assert_eq!(
        rewritten(text, &changes).text,
        "fn f(a: u8, b: u8) -> bool { (if crate::chosen::is(0) { (a + 1 == b) } else if crate::chosen::is(2) { (a + 1 > b) } else \
         { ((if crate::chosen::is(1) { (a - 1) } else { (a + 1) }) < b) }) }"
    );
}

#[test]
fn an_operator_before_an_expression_is_left_out_and_letters_of_several_bytes_count_once() {
    let text = "fn f(ä: bool) -> bool {\n    /* é */ !ä\n}";
    let changes = [change(text, Genre::UnaryOperator, "!", 0, "")];
    assert_eq!(
        rewritten(text, &changes).text,
        "fn f(ä: bool) -> bool {\n    /* é */ (if crate::chosen::is(0) { (ä) } else { (!ä) })\n}"
    );
}

#[test]
fn a_function_returns_at_once_whether_it_waits_or_is_the_inner_one() {
    let text = "async fn f() -> u8 { fn g() -> u8 { 1 } g() }";
    let changes = [
        change(text, Genre::FnValue, "fn g() -> u8 { 1 } g()", 0, "7"),
        change(text, Genre::FnValue, "1", 0, "8"),
    ];
    assert_eq!(
        rewritten(text, &changes).text,
        "async fn f() -> u8 { if crate::chosen::is(0) { return 7; } fn g() -> u8 { if crate::chosen::is(1) { return 8; } 1 } g() }"
    );
}

#[test]
fn an_arm_is_left_out_with_and_without_a_guard() {
    let text = "fn f(n: u8) -> u8 { match n { 1 | 2 => 3, k if k > 4 => 5, _ => 6 } }";
    let changes = [
        change(text, Genre::MatchArm, "1 | 2 => 3,", 0, ""),
        change(text, Genre::MatchArm, "k if k > 4 => 5,", 0, ""),
        change(text, Genre::MatchArmGuard, "k > 4", 0, "true"),
        change(text, Genre::BinaryOperator, ">", 2, ">="),
    ];
    assert_eq!(
        rewritten(text, &changes).text,
        "fn f(n: u8) -> u8 { match n { 1 | 2 if !crate::chosen::is(0) => 3, k if (if crate::chosen::is(1) { (false) } else if \
         crate::chosen::is(2) { (true) } else if crate::chosen::is(3) { (k >= 4) } else { (k > 4) }) => 5, _ => 6 } }"
    );
}

#[test]
fn a_field_is_left_out_with_its_comma() {
    let text = "fn f() -> S { S { a: 1, b: 2, ..S::default() } }";
    let changes = [change(text, Genre::StructField, "a: 1", 0, "")];
    assert_eq!(
        rewritten(text, &changes).text,
        "fn f() -> S { (if crate::chosen::is(0) { (S {  b: 2, ..S::default() }) } else { (S { a: 1, b: 2, ..S::default() }) }) }"
    );
}

#[test]
fn what_has_no_run_time_is_named_and_left_as_it_is() {
    let text = "const A: u8 = 1 + 2;\nfn f() -> [u8; 3] { [0; 1 + 2] }\nfn g(a: Option<u8>, b: bool) { if b && let Some(_) = a {} }";
    let changes = [
        change(text, Genre::BinaryOperator, "+", 0, "-"),
        change(text, Genre::BinaryOperator, "+", 1, "-"),
        change(text, Genre::BinaryOperator, "&&", 0, "||"),
    ];
    let result = rewritten(text, &changes);
    assert_eq!(result.text, text);
    let reasons: Vec<_> = result
        .impossible
        .iter()
        .map(|(number, reason)| (*number, *reason))
        .collect();
    assert_eq!(reasons[..2], [(0, CONSTANT), (1, CONSTANT)]);
    assert_eq!(reasons.len(), 3);
}

#[test]
fn a_constant_function_is_one_no_more_unless_something_is_computed_with_it() {
    let text = "const fn f(a: u8) -> u8 { a * 2 }";
    let changes = [change(text, Genre::BinaryOperator, "*", 0, "+")];
    let result = rewritten(text, &changes);
    assert_eq!(
        result.text,
        " fn f(a: u8) -> u8 { (if crate::chosen::is(0) { (a + 2) } else { (a * 2) }) }"
    );
    assert!(result.unconst.contains("f"));

    let left_out = LeftOut {
        constants: ["f".to_owned()].into(),
        ..LeftOut::default()
    };
    let result = rewrite(text, &[(0, &changes[0])], &left_out).unwrap();
    assert_eq!(
        (result.text.as_str(), result.impossible),
        (text, vec![(0, CONSTANT)])
    );
}

#[test]
fn what_a_change_wrote_is_known_to_the_byte() {
    let text = "fn f(a: u8) -> u8 { a + 1 }";
    let changes = [
        change(text, Genre::FnValue, "a + 1", 0, "0"),
        change(text, Genre::BinaryOperator, "+", 0, "-"),
    ];
    let result = rewritten(text, &changes);
    let written: Vec<&str> = result
        .written
        .iter()
        .map(|(range, _)| &result.text[range.clone()])
        .collect();
    assert_eq!(
        written,
        [
            " if crate::chosen::is(0) { return 0; }",
            "if crate::chosen::is(1) { (a - 1) } else "
        ]
    );
    let around: Vec<(&str, &[u32])> = result
        .around
        .iter()
        .map(|(range, numbers)| (&result.text[range.clone()], numbers.as_slice()))
        .collect();
    assert_eq!(around[0].1, [1]);
    assert!(
        around[1].0.starts_with('{') && around[1].0.ends_with('}'),
        "{around:?}"
    );
}
