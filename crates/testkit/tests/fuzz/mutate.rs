//! Small damage to an input, the same for the same seed.

use strongroom_testkit::Random;

/// Pieces that parsers treat in a way of their own.
const PIECES: [&[u8]; 44] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"true",
    b"0",
    b"-1",
    b"1e999",
    b"18446744073709551615",
    b"18446744073709551616",
    b"-9223372036854775808",
    b"4294967295",
    b"4294967296",
    b"2147483648",
    b"\\u0000",
    b"\\ud800",
    b"\\xff",
    b"\\\\x00",
    b"\\\\377",
    b"\\\\U0010ffff",
    b"\xff",
    b"\xed\xa0\x80",
    b"\0",
    b"\n",
    b"..",
    b"/",
    b"**",
    b"*",
    b"[!-]",
    b"!",
    b"$HOME",
    b"9999-12-31T23:59:60+23:59",
    b"0000-01-01T00:00:00-23:59",
    b".999999999999",
    b"\x28\xb5\x2f\xfd",
    b"[[[[[[[[[[[[[[[[",
    b"{\"a\":{\"a\":{\"a\":",
    b"\xef\xbb\xbf",
    b"=",
];

/// One to four changes; `other` is another input of the same corpus, to take pieces from.
pub fn mutate(random: &mut Random, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = input.to_vec();
    for _ in 0..=random.below(4) {
        change(random, &mut out, other);
    }
    out
}

fn change(random: &mut Random, out: &mut Vec<u8>, other: &[u8]) {
    let at = random.below(out.len() as u64 + 1) as usize;
    let rest = out.len() - at;
    match random.below(9) {
        0 => out.truncate(at),
        1 if rest > 0 => out[at] ^= 1 << random.below(8),
        2 if rest > 0 => out[at] = random.next_u64() as u8,
        3 => drop(out.drain(at..at + short(random, rest))),
        4 => {
            let copied = out[at..at + short(random, rest)].to_vec();
            out.splice(at..at, copied);
        }
        5 => {
            let from = random.below(other.len() as u64 + 1) as usize;
            let length = short(random, other.len() - from);
            out.splice(at..at, other[from..from + length].iter().copied());
        }
        6 => replace_number(random, out, at),
        7 if rest >= 4 => {
            let value = [0, 1, 31, 32, 33, u32::MAX, u32::MAX - 31, 1 << 31, 1 << 24]
                [random.below(9) as usize];
            out[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        _ => {
            let piece = PIECES[random.below(PIECES.len() as u64) as usize];
            let over = random.below(2) as usize * piece.len().min(rest);
            out.splice(at..at + over, piece.iter().copied());
        }
    }
}

/// A length up to `most`, mostly a short one.
fn short(random: &mut Random, most: usize) -> usize {
    let limit = if random.below(4) == 0 {
        most
    } else {
        most.min(16)
    };
    random.below(limit as u64 + 1) as usize
}

/// Puts another number in the place of the first one behind `at`.
fn replace_number(random: &mut Random, out: &mut Vec<u8>, at: usize) {
    let digit = |byte: &u8| byte.is_ascii_digit();
    let Some(begin) = out[at..].iter().position(digit).map(|found| at + found) else {
        return;
    };
    let length = out[begin..].iter().take_while(|byte| digit(byte)).count();
    let number = match random.below(4) {
        0 => random.below(300),
        1 => 1 << random.below(64),
        2 => (1_u64 << random.below(64)).wrapping_sub(1),
        _ => random.next_u64(),
    };
    out.splice(begin..begin + length, number.to_string().into_bytes());
}
