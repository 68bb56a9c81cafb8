use strongroom_testkit::Random;

use super::{decode, encode};

/// GF(2^16) in the basis that the format document gives: an element's bits choose among the basis' elements.
struct Field {
    exponent: Vec<u16>,
    logarithm: Vec<u32>,
}

const BASIS: [u16; 16] = [
    0x0001, 0xacca, 0x3c0e, 0x163e, 0xc582, 0xed2e, 0x914c, 0x4012, 0x6c98, 0x10d8, 0x6a72, 0xb900,
    0xfdb8, 0xfb34, 0xff38, 0x991e,
];

impl Field {
    fn new() -> Self {
        let mut powers = vec![0_u16; 65535];
        let mut power = 1_u32;
        for place in &mut powers {
            *place = power as u16;
            power <<= 1;
            if power > 0xffff {
                power ^= 0x1002d;
            }
        }
        let to_polynomial = |element: u16| -> u16 {
            let chosen = (0..16).filter(|bit| element >> bit & 1 == 1);
            chosen.fold(0, |sum, bit| sum ^ BASIS[bit])
        };
        let mut of_polynomial = vec![0_u16; 65536];
        for element in 0..=u16::MAX {
            of_polynomial[usize::from(to_polynomial(element))] = element;
        }
        let exponent: Vec<u16> = powers
            .iter()
            .map(|p| of_polynomial[usize::from(*p)])
            .collect();
        let mut logarithm = vec![0; 65536];
        for (log, element) in exponent.iter().enumerate() {
            logarithm[usize::from(*element)] = log as u32;
        }
        Self {
            exponent,
            logarithm,
        }
    }

    fn times(&self, a: u16, b: u16) -> u16 {
        if a == 0 || b == 0 {
            return 0;
        }
        let sum = self.logarithm[usize::from(a)] + self.logarithm[usize::from(b)];
        self.exponent[(sum % 65535) as usize]
    }

    fn inverse(&self, a: u16) -> u16 {
        self.exponent[((65535 - self.logarithm[usize::from(a)]) % 65535) as usize]
    }
}

fn elements(bytes: &[u8]) -> Vec<u16> {
    let blocks = bytes.chunks_exact(64);
    blocks
        .flat_map(|block| (0..32).map(|at| u16::from_le_bytes([block[at], block[at + 32]])))
        .collect()
}

/// The formula of docs/format-parity.md, computed without the crate.
fn by_the_document(members: &[Vec<u8>], parts: usize) -> Vec<Vec<u16>> {
    let field = Field::new();
    let m = parts.next_power_of_two() as u16;
    let product = |elements: &mut dyn Iterator<Item = u16>| {
        elements.fold(1, |product, element| field.times(product, element))
    };
    let slope = product(&mut (1..m));
    (0..parts as u16)
        .map(|i| {
            let mut sum = vec![0_u16; members[0].len() / 2];
            for (j, member) in members.iter().enumerate() {
                let x = m + j as u16;
                let v = product(&mut (0..m).map(|point| x ^ point));
                let factor = field.times(v, field.inverse(field.times(slope, i ^ x)));
                for (sum, element) in sum.iter_mut().zip(elements(member)) {
                    *sum ^= field.times(factor, element);
                }
            }
            sum
        })
        .collect()
}

/// Another code under the same name would make parity that no later version, and no other program, can use.
#[test]
fn the_code_is_the_one_in_the_document() {
    let mut random = Random::new(7);
    for (members, parts) in [(1, 1), (2, 1), (2, 2), (5, 3), (9, 9), (100, 5), (300, 15)] {
        let members: Vec<Vec<u8>> = (0..members).map(|_| random.bytes(128)).collect();
        let ours = encode(&members, parts, 128).unwrap();
        let ours: Vec<Vec<u16>> = ours.iter().map(|part| elements(part)).collect();
        assert_eq!(
            ours,
            by_the_document(&members, parts),
            "{} members, {parts} parts",
            members.len()
        );
    }
}

#[test]
fn any_so_many_members_come_back_and_no_more() {
    let mut random = Random::new(8);
    let members: Vec<Vec<u8>> = (0..11).map(|_| random.bytes(192)).collect();
    let parts = encode(&members, 4, 192).unwrap();
    for _ in 0..100 {
        let mut left: Vec<Option<&Vec<u8>>> = members.iter().map(Some).collect();
        let mut parity: Vec<Option<&Vec<u8>>> = parts.iter().map(Some).collect();
        let lost_parts = random.below(5) as usize;
        for _ in 0..lost_parts {
            parity[random.below(4) as usize] = None;
        }
        for _ in 0..4 {
            left[random.below(11) as usize] = None;
        }
        let missing: Vec<&Vec<u8>> = (0..11)
            .filter(|at| left[*at].is_none())
            .map(|at| &members[at])
            .collect();
        let decoded = decode(&left, &parity, 192);
        if missing.len() <= parity.iter().flatten().count() {
            assert_eq!(decoded.unwrap().iter().collect::<Vec<_>>(), missing);
        } else {
            decoded.unwrap_err();
        }
    }
}
