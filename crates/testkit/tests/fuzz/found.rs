//! What fuzzing has found, each as a test of its own.

use strongroom_repository::format::Time;

/// A leap second at the end of the year 9999 was read as the first second of a year that is written `0000`: a time that moved
/// ten thousand years when it was copied.
#[test]
fn a_leap_second_does_not_begin_the_year_10000() {
    for text in ["9999-12-31T23:59:60Z", "9999-12-31T23:59:60-23:59"] {
        assert!(text.parse::<Time>().is_err(), "{text}");
    }
    let last: Time = "9999-12-31T23:59:59.999999999+01:00".parse().unwrap();
    assert_eq!(last.to_string(), "9999-12-31T23:59:59.999999999+01:00");
    let leap: Time = "2016-12-31T23:59:60Z".parse().unwrap();
    assert_eq!(leap.to_string(), "2017-01-01T00:00:00Z");
}
