use super::*;

const DAY: i64 = 86_400_000_000;

fn days(days: i64) -> Option<Distance> {
    Some(Distance { months: 0, microseconds: days * DAY })
}

fn step(part: u32) -> Step {
    Step { part, ..Step::default() }
}

fn events(all: &[(i64, u64)]) -> Vec<Happened> {
    let event = |&(time, parts): &(i64, u64)| Happened { question: 0, time: time * DAY, parts };
    all.iter().map(event).collect()
}

fn is_in(steps: &[Step], all: &[(i64, u64)]) -> bool {
    Pattern { steps: steps.to_vec() }.is_in(&events(all))
}

const A: u64 = 1;
const B: u64 = 2;
const C: u64 = 4;

#[test]
fn steps_follow_one_another() {
    let pattern = [step(0), step(1)];
    assert!(is_in(&pattern, &[(1, A), (2, B)]));
    assert!(!is_in(&pattern, &[(1, B), (2, A)]));
    assert!(is_in(&pattern, &[(1, B), (2, A), (9, C), (30, B)]));
    assert!(!is_in(&pattern, &[(1, A)]));
    assert!(!is_in(&pattern, &[]));
    assert!(!is_in(&pattern, &[(1, A | B)]), "no event is two");
    assert!(is_in(&pattern, &[(1, A | B), (2, A | B)]));
}

#[test]
fn at_one_time_any_order_is_right() {
    let pattern = [step(0), step(1), step(0)];
    assert!(is_in(&[step(0), step(1)], &[(1, B), (1, A)]));
    assert!(!is_in(&pattern, &[(1, A), (1, B)]), "no event is two");
    assert!(is_in(&pattern, &[(1, A), (1, B), (1, A)]));
    assert!(is_in(&pattern, &[(1, A | B), (1, A), (1, A)]), "the first has to make room");
    let apart = Step { after: days(1), ..step(1) };
    assert!(!is_in(&[step(0), apart.clone()], &[(1, A), (1, B)]));
    assert!(is_in(&[step(0), apart], &[(1, A), (2, B)]));
    assert!(is_in(&[step(0), Step { within: days(0), ..step(1) }], &[(1, A), (1, B)]));
    assert!(is_in(&vec![step(0); 5], &[(1, A); 5]));
    assert!(!is_in(&vec![step(0); 6], &[(1, A); 5]));
}

#[test]
fn distances_are_measured_from_the_step_before() {
    let within = [step(0), Step { within: days(7), ..step(1) }];
    assert!(is_in(&within, &[(1, A), (8, B)]), "seven days are within seven days");
    assert!(!is_in(&within, &[(1, A), (9, B)]));
    assert!(is_in(&within, &[(1, A), (4, A), (9, B)]), "a later beginning is tried");
    let both = [step(0), Step { within: days(7), after: days(2), ..step(1) }];
    assert!(!is_in(&both, &[(1, A), (2, B)]));
    assert!(is_in(&both, &[(1, A), (3, B)]));
    assert!(is_in(&both, &[(1, A), (8, A), (8, B), (9, B)]), "the earlier one is near enough");
    let months = Some(Distance { months: 1, microseconds: 0 });
    // 31 January 1970 and one month is 28 February.
    let month = [step(0), Step { within: months, ..step(1) }];
    assert!(is_in(&month, &[(30, A), (58, B)]));
    assert!(!is_in(&month, &[(30, A), (59, B)]));
}

#[test]
fn what_must_not_happen_is_looked_for_in_between() {
    let without = Without { part: 2, within: None };
    let pattern = [Step { without: vec![without.clone()], ..step(0) }, step(1)];
    assert!(is_in(&pattern, &[(1, A), (3, B), (4, C)]));
    assert!(!is_in(&pattern, &[(1, A), (2, C), (3, B)]));
    assert!(is_in(&pattern, &[(1, A), (2, C), (3, A), (4, B)]));
    assert!(is_in(&pattern, &[(1, A | C), (1, C), (3, B | C)]), "only strictly in between");
    let soon = Without { part: 2, within: days(2) };
    let pattern = [Step { without: vec![soon.clone()], ..step(0) }, step(1)];
    assert!(!is_in(&pattern, &[(1, A), (3, C), (9, B)]));
    assert!(is_in(&pattern, &[(1, A), (4, C), (9, B)]), "three days are not within two");
    assert!(
        is_in(&pattern, &[(1, A), (4, A), (5, C), (9, B)]),
        "the earlier beginning holds, the later does not"
    );
    let last = [Step { without: vec![without], ..step(0) }];
    assert!(is_in(&last, &[(1, C), (1, A)]));
    assert!(!is_in(&last, &[(1, A), (90, C)]));
    let last = [Step { without: vec![soon], ..step(0) }];
    assert!(is_in(&last, &[(1, A), (4, C)]));
    assert!(!is_in(&last, &[(1, A), (3, C)]));
}

/// Tries everything.
fn slowly(pattern: &Pattern, events: &[Happened], chosen: &mut Vec<usize>) -> bool {
    let Some(step) = pattern.steps.get(chosen.len()) else {
        return is_free(pattern, events, chosen, chosen.len() - 1, i64::MAX);
    };
    (0..events.len()).any(|next| {
        if chosen.contains(&next) || events[next].parts & (1 << step.part) == 0 {
            return false;
        }
        if let Some(&before) = chosen.last() {
            let (from, to) = (events[before].time, events[next].time);
            let near = step.within.is_none_or(|within| to <= from + within.microseconds);
            let far = step.after.is_none_or(|after| to >= from + after.microseconds);
            if to < from || !near || !far || !is_free(pattern, events, chosen, chosen.len() - 1, to)
            {
                return false;
            }
        }
        chosen.push(next);
        let found = slowly(pattern, events, chosen);
        chosen.pop();
        found
    })
}

fn is_free(
    pattern: &Pattern,
    events: &[Happened],
    chosen: &[usize],
    step: usize,
    until: i64,
) -> bool {
    let from = events[chosen[step]].time;
    pattern.steps[step].without.iter().all(|without| {
        !events.iter().any(|event| {
            let is_near = without.within.is_none_or(|it| event.time <= from + it.microseconds);
            event.parts & (1 << without.part) != 0
                && event.time > from
                && event.time < until
                && is_near
        })
    })
}

#[test]
fn the_walk_finds_what_trying_everything_finds() {
    let mut state = 7_u64;
    let mut below = |bound: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut found = 0;
    for case in 0..20_000 {
        let mut steps = Vec::new();
        for position in 0..1 + below(4) {
            let mut step = step(below(3) as u32);
            if position > 0 && below(3) == 0 {
                step.within = days(below(5) as i64);
            }
            if position > 0 && below(4) == 0 {
                step.after = days(below(3) as i64);
            }
            for _ in 0..below(3).saturating_sub(1) {
                let within = if below(2) == 0 { days(below(4) as i64) } else { None };
                step.without.push(Without { part: below(4) as u32, within });
            }
            steps.push(step);
        }
        let pattern = Pattern { steps };
        let mut all: Vec<(i64, u64)> =
            (0..below(8)).map(|_| (below(10) as i64, below(16))).collect();
        all.sort_unstable();
        let events = events(&all);
        let expected = slowly(&pattern, &events, &mut Vec::new());
        assert_eq!(pattern.is_in(&events), expected, "case {case}: {pattern:?} in {all:?}");
        found += usize::from(expected);
    }
    assert!((4_000..16_000).contains(&found), "both outcomes are common: {found}");
}
