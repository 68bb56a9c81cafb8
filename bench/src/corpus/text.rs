//! Text like that of source files: a few names often, many seldom, lines that resemble earlier lines.

use crate::random::Random;

const SYLLABLES: [&str; 32] = [
    "ar", "be", "cu", "di", "eno", "fa", "gra", "ho", "ist", "ju", "kel", "lo", "map", "ner", "or",
    "pu", "qua", "ro", "set", "ti", "ul", "ver", "wo", "xi", "yam", "zu", "buf", "len", "key",
    "idx", "str", "tok",
];

const KEYWORDS: [&str; 20] = [
    "if", "else", "return", "while", "for", "let", "const", "static", "struct", "fn", "pub",
    "self", "true", "false", "None", "import", "match", "break", "int", "void",
];

const ENDS: [&str; 5] = [";\n", " {\n", "\n", ");\n", ",\n"];
const BETWEEN: [&str; 6] = [" ", "(", ", ", ".", " = ", ") "];

/// Distinct names in all files together.
const NAMES: usize = 20_000;

/// Names that one file uses again and again.
const LOCAL_NAMES: usize = 64;

/// The names that all texts of a corpus are made of.
pub struct Vocabulary {
    names: Vec<String>,
}

impl Vocabulary {
    /// The vocabulary of a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::of_part(seed, 0x70CA, 0);
        let names = (0..NAMES).map(|_| name(&mut random)).collect();
        Self { names }
    }

    /// A name; a few come often.
    pub fn name(&self, random: &mut Random) -> &str {
        &self.names[random.skewed_index(NAMES)]
    }

    /// Appends so many bytes of text.
    pub fn write(&self, random: &mut Random, length: usize, out: &mut Vec<u8>) {
        let begin = out.len();
        let end = begin + length;
        let local: Vec<usize> = (0..LOCAL_NAMES).map(|_| random.index(NAMES)).collect();
        let mut lines = Vec::new();
        let mut indent = 0;
        while out.len() < end {
            if lines.len() > 8 && random.chance(45) {
                repeat_line(random, &lines, out);
                continue;
            }
            let line = out.len();
            indent = match random.below(6) {
                0 => (indent + 4).min(16),
                1 => indent - 4.min(indent),
                _ => indent,
            };
            out.resize(out.len() + indent, b' ');
            for _ in 0..2 + random.below(7) {
                self.word(random, &local, out);
                out.extend_from_slice(BETWEEN[random.index(BETWEEN.len())].as_bytes());
            }
            out.extend_from_slice(ENDS[random.index(ENDS.len())].as_bytes());
            lines.push((line, out.len()));
        }
        out.truncate(end);
    }

    fn word(&self, random: &mut Random, local: &[usize], out: &mut Vec<u8>) {
        match random.below(20) {
            0..4 => out.extend_from_slice(KEYWORDS[random.index(KEYWORDS.len())].as_bytes()),
            4..12 => {
                let name = local[random.skewed_index(LOCAL_NAMES)];
                out.extend_from_slice(self.names[name].as_bytes());
            }
            12..18 => out.extend_from_slice(self.name(random).as_bytes()),
            _ => {
                let digits = random.below(17);
                out.extend_from_slice((random.below(100_000) >> digits).to_string().as_bytes());
            }
        }
    }
}

fn name(random: &mut Random) -> String {
    let mut name = String::new();
    for syllable in 0..1 + random.below(4) {
        if syllable > 0 && random.chance(30) {
            name.push('_');
        }
        name.push_str(SYLLABLES[random.index(SYLLABLES.len())]);
    }
    name
}

/// Copies an earlier line and changes one letter, as edited code does.
fn repeat_line(random: &mut Random, lines: &[(usize, usize)], out: &mut Vec<u8>) {
    let (from, to) = lines[random.index(lines.len())];
    let begin = out.len();
    out.extend_from_within(from..to);
    let at = begin + random.index(to - from);
    if out[at].is_ascii_lowercase() {
        out[at] = b'a' + random.below(26) as u8;
    }
}
