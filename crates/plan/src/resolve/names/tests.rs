const FULL: &str = include_str!("../../read/full.yaml");
const NAME: &str = "\"%DESTINATION_NAME%_%DATETIME(yyyyMMdd)%\"";
const SCHEDULE: &str = "{ frequency: daily, at: \"02:00\", zone: Europe/Paris, start: 2026-01-04, end: 2026-01-11, trigger: scheduled }";
const ONCE: &str = "{ frequency: once, at: \"02:00\", zone: Europe/Paris, start: 2026-01-04 }";

/// The lines on which a name is told to repeat, with two exports of one name: the first with its own
/// schedule, the second with `schedule`.
fn repeats(name: &str, schedule: &str) -> Vec<u32> {
    let second =
        format!("- segment: lapsed\n        file_name: \"{name}\"\n        schedule: {schedule}");
    assert!(FULL.contains(NAME) && FULL.contains(SCHEDULE));
    let text = FULL.replace(NAME, &format!("\"{name}\"")).replace("- segment: lapsed", &second);
    let reading = crate::read(&text, &|_| Some("secret".to_owned()), &|_| Ok("true".to_owned()));
    let found = reading.diagnostics.iter().filter(|it| it.code == "name_repeats");
    found.filter_map(|it| it.span).map(|span| span.line).collect()
}

#[test]
fn a_name_that_repeats_is_told_of_every_export_that_has_it() {
    let (none, both): ([u32; 0], [u32; 2]) = ([], [66, 71]);
    assert_eq!(repeats("%SEGMENT_NAME%_%DATETIME(yyyyMM)%", SCHEDULE), both);
    // Each schedule is looked at for itself.
    assert_eq!(repeats("%SEGMENT_NAME%_%DATETIME(yyyyMM)%", ONCE), both[..1]);
    // With several times in a name, what stands between them counts.
    assert_eq!(repeats("%DATETIME(yyyy)%%SEGMENT_NAME%%DATETIME(MM)%", SCHEDULE), both);
    assert_eq!(repeats("%DATETIME(MM)%%SEGMENT_NAME%%DATETIME(dd)%", SCHEDULE), none);
    // The id of the run is another each time.
    assert_eq!(repeats("%SEGMENT_NAME%_%RUN_ID%_%DATETIME(yyyyMM)%", SCHEDULE), none);
}
