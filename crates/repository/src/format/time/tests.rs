use super::*;

fn round_trip(text: &str) -> String {
    text.parse::<Time>().unwrap().to_string()
}

#[test]
fn times_keep_instant_and_offset() {
    for text in [
        "2026-11-20T11:59:15.103957954Z",
        "2026-11-20T11:59:15Z",
        "2026-11-20T11:59:15.5+02:00",
        "2026-11-20T11:59:15.00000001-11:30",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1582-10-15T00:00:00Z",
        "1900-02-28T23:59:59.999999999Z",
        "1969-12-31T23:59:59.999999999Z",
        "2000-02-29T12:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:59.999999999+23:59",
        "0000-01-01T00:00:00-23:59",
    ] {
        assert_eq!(round_trip(text), text);
    }
}

#[test]
fn other_spellings_mean_the_same() {
    for (text, expected) in [
        ("2026-11-20t11:59:15z", "2026-11-20T11:59:15Z"),
        (
            "2026-11-20T11:59:15.100000000000Z",
            "2026-11-20T11:59:15.1Z",
        ),
        (
            "2026-11-20T11:59:15.1234567899Z",
            "2026-11-20T11:59:15.123456789Z",
        ),
        ("2026-11-20T11:59:15+00:00", "2026-11-20T11:59:15Z"),
        ("2026-11-20T11:59:15-00:00", "2026-11-20T11:59:15Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ] {
        assert_eq!(round_trip(text), expected);
    }
}

#[test]
fn what_is_no_time_is_refused() {
    let valid = "2024-02-29T11:59:15.5+02:00";
    for length in 0..valid.len() {
        assert!(valid[..length].parse::<Time>().is_err(), "{length}");
    }
    for text in [
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2023-00-10T00:00:00Z",
        "2023-13-10T00:00:00Z",
        "2023-04-31T00:00:00Z",
        "2023-04-00T00:00:00Z",
        "2023-04-01T24:00:00Z",
        "2023-04-01T00:60:00Z",
        "2023-04-01T00:00:61Z",
        "2023-04-01T00:00:00.Z",
        "2023-04-01T00:00:00,5Z",
        "2023-04-01T00:00:00+24:00",
        "2023-04-01T00:00:00+00:60",
        "2023-04-01T00:00:00+0000",
        "2023-04-01T00:00:00Z ",
        "2023-04-01 00:00:00Z",
        "+023-04-01T00:00:00Z",
        "2023-04-01T00:00:00.٣Z",
    ] {
        assert!(text.parse::<Time>().is_err(), "{text}");
    }
}

#[test]
fn the_calendar_agrees_with_jiff() {
    // Every 13th day of the years 0 to 9999.
    for days in (-719_528..2_932_897).step_by(13) {
        let (year, month, day) = civil_from_days(days);
        assert_eq!(days_from_civil(year, month, day), days);
        let date = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(days);
        assert_eq!(
            (year, month, day),
            (date.year().into(), date.month().into(), date.day().into())
        );
        assert_eq!(days_in_month(year, month), i64::from(date.days_in_month()));
    }
}

#[test]
fn years_that_the_format_cannot_hold_move_to_the_nearest() {
    let utc = TimeZone::UTC;
    for (seconds, expected) in [
        (0, "1970-01-01T00:00:00.000000007Z"),
        (-1, "1969-12-31T23:59:59.000000007Z"),
        (253_402_300_799, "9999-12-31T23:59:59.000000007Z"),
        // One second later is the year 10000.
        (253_402_300_800, "9999-01-01T00:00:00.000000007Z"),
        (-62_167_219_200, "0000-01-01T00:00:00.000000007Z"),
        (-62_167_219_201, "0000-12-31T23:59:59.000000007Z"),
    ] {
        assert_eq!(Time::from_unix(seconds, 7, &utc).to_string(), expected);
    }
    // The first of June of the year 10000, one o'clock where clocks are fourteen hours ahead.
    let ahead = TimeZone::fixed(Offset::constant(14));
    let time = Time::from_unix(253_415_386_800, 0, &ahead);
    assert_eq!(time.to_string(), "9999-06-01T01:00:00+14:00");
    // Past the last moment that can be compared: it counts as that one, and not as the first.
    let last: Time = "9999-12-31T23:59:59Z".parse().unwrap();
    assert_eq!(last.instant(), Timestamp::MAX);
    for seconds in [
        i64::MIN,
        i64::MIN + 1,
        i64::MAX - 1,
        i64::MAX,
        -(1 << 55),
        1 << 55,
    ] {
        for zone in [
            utc.clone(),
            TimeZone::fixed(Offset::constant(14)),
            TimeZone::fixed(Offset::constant(-12)),
        ] {
            let text = Time::from_unix(seconds, u32::MAX, &zone).to_string();
            assert!(
                text.starts_with("0000-") || text.starts_with("9999-"),
                "{text}"
            );
            assert_eq!(round_trip(&text), text);
        }
    }
}

#[test]
fn a_zone_is_shown_in_whole_minutes_and_the_instant_stays() {
    let zone = TimeZone::fixed(Offset::from_seconds(1172).unwrap());
    let time = Time::from_unix(-2_000_000_000, 0, &zone);
    assert!(time.to_string().ends_with("+00:19"), "{time}");
    assert_eq!(
        time.to_string().parse::<Time>().unwrap().unix_seconds(),
        -2_000_000_000
    );
}

#[test]
fn instants_agree_with_jiff() {
    let text = "2026-11-20T11:59:15.103957954+02:00";
    let time: Time = text.parse().unwrap();
    assert_eq!(time.instant(), text.parse::<Timestamp>().unwrap());
    assert_eq!(Time::utc(time.instant()), time);
    let before: Timestamp = "1969-12-31T23:59:59.25Z".parse().unwrap();
    assert_eq!(Time::utc(before).to_string(), "1969-12-31T23:59:59.25Z");
    assert_eq!(Time::utc(before).instant(), before);
}
