//! CRC-32C (Castagnoli), as RFC 3720, appendix B.4, has it: the checksum that Google Cloud Storage keeps of every object.

/// The polynomial, with its lowest power in the highest bit.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// `TABLES[0]` moves a byte into the checksum, `TABLES[n]` one that has `n` others behind it: so eight bytes go at a time.
const TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0_u32; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = match sum & 1 {
                1 => (sum >> 1) ^ POLYNOMIAL,
                _ => sum >> 1,
            };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// The entry of a table for the lowest byte of a number.
const fn entry(table: usize, number: u32) -> u32 {
    // Both are inside: tables are named by constants below 8, a byte has 256 values.
    TABLES[table][(number & 0xff) as usize]
}

/// The checksum of some bytes.
pub(crate) fn crc32c(data: &[u8]) -> u32 {
    let mut sum = !0_u32;
    let (eights, rest) = data.as_chunks::<8>();
    for eight in eights {
        let both = u64::from_le_bytes(*eight) ^ u64::from(sum);
        let (low, high) = (both as u32, (both >> 32) as u32);
        sum = entry(7, low)
            ^ entry(6, low >> 8)
            ^ entry(5, low >> 16)
            ^ entry(4, low >> 24)
            ^ entry(3, high)
            ^ entry(2, high >> 8)
            ^ entry(1, high >> 16)
            ^ entry(0, high >> 24);
    }
    for byte in rest {
        sum = (sum >> 8) ^ entry(0, sum ^ u32::from(*byte));
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the RFC, and the check value that catalogues of such checksums have.
    #[test]
    fn the_sums_are_those_of_the_rfc() {
        let up: Vec<u8> = (0..32).collect();
        let down: Vec<u8> = (0..32).rev().collect();
        for (data, sum) in [
            (&b""[..], 0),
            (&b"123456789"[..], 0xe306_9283),
            (&[0; 32][..], 0x8a91_36aa),
            (&[0xff; 32][..], 0x62a8_ab43),
            (&up, 0x46dd_794e),
            (&down, 0x113f_db5c),
        ] {
            assert_eq!(crc32c(data), sum, "{data:?}");
        }
    }
}
